import { drawBytes } from "../data/random.ts";
import type { Digest } from "../pure/digest.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import { SECRET_SIZE } from "../pure/format.ts";
import type { Token, TokenRecord } from "../pure/record.ts";
import { TokenText } from "../pure/token_text.ts";
import type { Auth } from "./auth.ts";
import { drawIdentifier } from "./identifier.ts";

/** What a new token may do, and for how long. */
export interface IssueOptions<Scope extends string = string> {
  /** What the token may do; nothing that asks for a scope when absent. */
  readonly scopes?: readonly Scope[];
  /** How long it holds; the configured `tokenLifetime` when absent, `null` for ever. */
  readonly expiresIn?: Duration | null;
}

/** A new token: its text, which exists only here, beside what is known of it. */
export interface IssuedToken<Scope extends string = string> {
  /** The text to hand to the client. */
  readonly text: TokenText;
  /** What a request with the text will see of the token. */
  readonly token: Token<Scope>;
}

/**
 * Makes a token for an owner and stores its digest.
 *
 * The owner is the id of a user, as opaque text; it is not looked up. Every
 * call makes another token.
 *
 * @throws {RangeError} when a scope is not declared, or the lifetime is not a positive whole number of milliseconds
 * @throws {StoreError} when the store fails; the token then does not exist for the caller
 */
export async function issueToken<Scope extends string>(
  auth: Auth<Scope>,
  owner: string,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<IssuedToken<Scope>> {
  const text = auth.formats[0].encode(drawBytes(auth.random, SECRET_SIZE));
  const record = makeRecord(auth, drawIdentifier(auth.random), owner, auth.digest(text), options);
  await auth.store.insertToken(record);
  return { text: new TokenText(text), token: viewToken(auth, record) };
}

/** Builds the record of a new token. */
export function makeRecord<Scope extends string>(
  auth: Auth<Scope>,
  id: string,
  owner: string,
  digest: Digest,
  options: IssueOptions<Scope>,
): TokenRecord {
  if (typeof owner !== "string" || owner === "") {
    throw new TypeError("Cannot issue a token: the owner must be a non-empty string");
  }
  const { scopes, lifetime } = checkIssueOptions(auth, options);
  const createdAt = auth.now();
  return {
    id,
    owner,
    ...digest,
    scopes,
    slot: null,
    createdAt,
    expiresAt: lifetime === null ? null : createdAt + lifetime,
    revokedAt: null,
  };
}

/** Reads what a new token shall be. Throws `RangeError` for what it cannot be. */
export function checkIssueOptions<Scope extends string>(
  auth: Auth<Scope>,
  { scopes = [], expiresIn = auth.tokenLifetime }: IssueOptions<Scope>,
): { readonly scopes: readonly Scope[]; readonly lifetime: number | null } {
  return {
    scopes: auth.checkScopes(scopes),
    lifetime: expiresIn === null ? null : toMilliseconds(expiresIn, "expiresIn"),
  };
}

/** What an application sees of a token: only the scopes that it declares. */
export function viewToken<Scope extends string>(
  auth: Auth<Scope>,
  { id, owner, scopes, createdAt, expiresAt }: Token,
): Token<Scope> {
  return { id, owner, scopes: scopes.filter(auth.isScope), createdAt, expiresAt };
}
