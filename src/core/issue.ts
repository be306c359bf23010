import { drawBytes } from "../data/random.ts";
import { fail, ok, type Result } from "../data/result.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import { SECRET_SIZE } from "../pure/format.ts";
import { isTokenName } from "../pure/name.ts";
import type { Principal, Token, TokenDraft } from "../pure/record.ts";
import { TokenText } from "../pure/token_text.ts";
import type { Owner } from "../pure/user.ts";
import { toToken } from "../pure/verify.ts";
import { type Auth, checkIdleTimeout } from "./auth.ts";
import { emit } from "./emit.ts";
import { drawIdentifier } from "./identifier.ts";
import { ask, readAdded, readOptional } from "./store_answer.ts";

/** What a new token is, what it may do, and for how long. */
export interface IssueOptions<Scope extends string = string> {
  /** What its owner calls it: at most 100 code points without control characters; `""` when absent. */
  readonly name?: string;
  /** What the token may do; nothing that asks for a scope when absent. */
  readonly scopes?: readonly Scope[];
  /** How long it holds; the configured `tokenLifetime` when absent, `null` for ever. */
  readonly expiresIn?: Duration | null;
  /** How long it holds after its last use; the configured `idleTimeout` when absent, `null` for no such limit. */
  readonly idleTimeout?: Duration | null;
}

/** A new token: its text, which exists only here, beside what is known of it. */
export interface IssuedToken<Scope extends string = string> {
  /** The text to hand to the client. */
  readonly text: TokenText;
  /** What a request with the text will see of the token. */
  readonly token: Token<Scope>;
}

/** Why no token was issued. */
export interface IssueFailure {
  /** `token_limit`: the owner has as many as `tokenLimit` allows. `scope_exceeded`: more than the minting token has. */
  readonly reason: "token_limit" | "scope_exceeded";
}

/**
 * Makes a token for an owner and stores its digest.
 *
 * The owner is a user, or the id of one as opaque text; it is not looked up.
 * Every call makes another token. Of parallel calls no more succeed than the
 * limit allows. A token for a user whose tokens were all revoked since the user
 * was looked up does not hold.
 *
 * @throws {TypeError | RangeError} when the owner is empty, a scope is not declared, the name has control
 * characters, or a duration is not a positive whole number of milliseconds
 * @throws {StoreError} when the store fails; the token then does not exist for the caller
 */
export async function issueToken<Scope extends string>(
  auth: Auth<Scope>,
  owner: Owner,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<Result<IssuedToken<Scope>, IssueFailure>> {
  return await addToken(auth, owner, null, checkIssueOptions(auth, options));
}

/**
 * Makes a token for the owner of another, which the new one cannot exceed.
 *
 * It can have no scope that the minting token has not, and ends no later,
 * whatever lifetime is asked for.
 *
 * @throws {RangeError} as {@link issueToken}
 * @throws {StoreError} when the store fails
 */
export async function mintToken<Scope extends string>(
  auth: Auth<Scope>,
  { token }: Principal<NoInfer<Scope>>,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<Result<IssuedToken<Scope>, IssueFailure>> {
  const terms = checkIssueOptions(auth, options);
  if (!terms.scopes.every((scope) => token.scopes.includes(scope))) {
    return fail({ reason: "scope_exceeded" });
  }
  const owner = { id: token.owner, epoch: token.epoch };
  return await addToken(auth, owner, token.expiresAt, {
    ...terms,
    idleTimeout: smaller(terms.idleTimeout, token.idleTimeout),
  });
}

/** What a new token shall be, checked. */
export interface IssueTerms<Scope extends string = string> {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly lifetime: number | null;
  readonly idleTimeout: number | null;
}

/** Reads what a new token shall be. Throws `RangeError` for what it cannot be. */
export function checkIssueOptions<Scope extends string>(
  auth: Auth<Scope>,
  options: IssueOptions<Scope>,
): IssueTerms<Scope> {
  const { name = "", scopes = [], expiresIn = auth.tokenLifetime } = options;
  const { idleTimeout = auth.idleTimeout } = options;
  if (!isTokenName(name)) {
    throw new RangeError("Cannot use this name: expected up to 100 characters, none for control");
  }
  const idle = idleTimeout === null ? null : toMilliseconds(idleTimeout, "idleTimeout");
  checkIdleTimeout(idle, auth.touchInterval);
  return {
    name,
    scopes: auth.checkScopes(scopes),
    lifetime: expiresIn === null ? null : toMilliseconds(expiresIn, "expiresIn"),
    idleTimeout: idle,
  };
}

/** Builds a new token, with the epoch of the owner as far as it is known. */
export function draftToken<Scope extends string>(
  auth: Auth<Scope>,
  id: string,
  owner: Owner,
  text: string,
  { name, scopes, lifetime, idleTimeout }: IssueTerms<Scope>,
): TokenDraft {
  const { id: ownerId, epoch = null } = typeof owner === "string" ? { id: owner } : owner;
  if (typeof ownerId !== "string" || ownerId === "") {
    throw new TypeError("Cannot issue a token: the owner must be a non-empty string");
  }
  const createdAt = auth.now();
  return {
    id,
    owner: ownerId,
    epoch,
    ...auth.digest(text),
    name,
    hint: hintOf(text),
    scopes,
    slot: null,
    createdAt,
    expiresAt: lifetime === null ? null : createdAt + lifetime,
    idleTimeout,
    lastUsedAt: null,
    revokedAt: null,
    revokedReason: null,
    family: id,
    rotation: null,
  };
}

/** The prefix of a token and its first four secret characters: 24 of at least 160 random bits. */
export function hintOf(text: string): string {
  // The secret of a format of the application's own may have an underscore in it.
  const prefix = /^[a-z][a-z0-9]{0,15}_/.exec(text)?.[0] ?? "";
  return text.slice(0, prefix.length + 4);
}

/** What an application sees of a token: only the scopes that it declares. */
export function viewToken<Scope extends string>(auth: Auth<Scope>, token: Token): Token<Scope> {
  return { ...token, scopes: token.scopes.filter(auth.isScope) };
}

async function addToken<Scope extends string>(
  auth: Auth<Scope>,
  owner: Owner,
  latestEnd: number | null,
  terms: IssueTerms<Scope>,
): Promise<Result<IssuedToken<Scope>, IssueFailure>> {
  const text = auth.formats[0].encode(drawBytes(auth.random, SECRET_SIZE));
  const draft = draftToken(auth, drawIdentifier(auth.random), owner, text, terms);
  const expiresAt = smaller(draft.expiresAt, latestEnd);
  const limit = auth.tokenLimit === null
    ? undefined
    : { max: auth.tokenLimit, now: draft.createdAt };
  const record = await ask(
    auth.store.insertToken({ ...draft, expiresAt }, limit),
    (answer) => readOptional(answer, (one) => readAdded(one, draft)),
  );
  if (record === null) return fail({ reason: "token_limit" });
  emit(auth, { type: "token_issued", at: record.createdAt, owner: record.owner, token: record.id });
  return ok({ text: new TokenText(text), token: viewToken(auth, toToken(record)) });
}

/** The smaller of two limits, of which `null` is none. */
function smaller(one: number | null, other: number | null): number | null {
  return one === null || other === null ? one ?? other : Math.min(one, other);
}
