import { fail, ok, type Result } from "../data/result.ts";
import { StoreError } from "../ports/store_error.ts";
import type { Digest } from "../pure/digest.ts";
import type { OwnedToken, Principal } from "../pure/record.ts";
import type { User } from "../pure/user.ts";
import { decideToken, isAnswerTo, type TokenFailure, type TokenReason } from "../pure/verify.ts";
import type { Auth } from "./auth.ts";
import { emit } from "./emit.ts";
import { viewToken } from "./issue.ts";
import { recordUse } from "./use.ts";

/** How a verification ends for the platform. */
export interface VerifyOptions {
  /**
   * What a platform that may end with the answer, such as a Worker, is told to
   * wait for: the writing down of the use. Not called when there is nothing to write.
   */
  readonly waitUntil?: (work: Promise<void>) => void;
}

/**
 * Decides whose a token is.
 *
 * A text of no accepted format is refused without I/O; any other costs one
 * round trip to the store, and one more call to `findUser` where that is
 * configured. The clock is read after it, so a pause in between cannot admit an
 * expired token. Nothing is written before the answer; the use is noted at most
 * once per `touchInterval`. A token that is used after it was rotated and its
 * overlap has ended was copied: its whole family is revoked.
 *
 * @returns the principal, or the reason why the token does not hold
 * @throws {StoreError} when the store fails, which is never a reason
 *
 * @example
 * ```ts
 * import { defineAuth, verifyToken } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const result = await verifyToken(auth, "lk_typo");
 * console.log(result.ok ? result.value.user.username : result.failure.reason); // malformed_token
 * ```
 */
export async function verifyToken<Scope extends string>(
  auth: Auth<Scope>,
  text: string,
  options: VerifyOptions = {},
): Promise<Result<Principal<Scope>, TokenFailure>> {
  const recalled = recallToken(auth, text, options);
  return recalled === null ? await askForToken(auth, text, options) : ok(recalled);
}

/** Decides whose a token is that the cache does not know. */
export async function askForToken<Scope extends string>(
  auth: Auth<Scope>,
  text: string,
  options: VerifyOptions,
): Promise<Result<Principal<Scope>, TokenFailure>> {
  const verified = await lookUpToken(auth, text);
  if (!verified.ok) return verified;
  const { principal: { user, token }, found, digests, at } = verified.value;
  const principal = { user, token: viewToken(auth, token) };
  auth.cache?.keep(digests, found, principal);
  noteUse(auth, principal, at, options);
  return ok(principal);
}

/** Far longer than any token: a longer text is looked at by the formats alone. */
const MAX_RECALLED = 1_024;

function noteUse<Scope extends string>(
  auth: Auth<Scope>,
  { token }: Principal<Scope>,
  at: number,
  options: VerifyOptions,
): void {
  const writing = recordUse(auth, token, at);
  if (writing !== null) options.waitUntil?.(writing);
}

/**
 * The principal of a token that the cache knows to hold, whose use is then noted; `null` when it does not.
 *
 * Not asynchronous, because it has nothing to wait for. Only texts that were accepted are in the cache.
 */
export function recallToken<Scope extends string>(
  auth: Auth<Scope>,
  text: string,
  options: VerifyOptions,
): Principal<Scope> | null {
  if (auth.cache === null || auth.findUser !== null) return null;
  // Not accepted yet: what is too long for any format must not even be hashed.
  if (typeof text !== "string" || text.length > MAX_RECALLED) return null;
  const recalled = auth.cache.recall(listDigests(auth.candidates(text)));
  if (recalled === null || !isViewOf(auth, recalled)) return null;
  noteUse(auth, recalled, auth.now(), options);
  return recalled;
}

/** Whether a principal is one that this configuration shows: with scopes that it declares. */
function isViewOf<Scope extends string>(
  { isScope }: Auth<Scope>,
  principal: Principal,
): principal is Principal<Scope> {
  return principal.token.scopes.every(isScope);
}

function listDigests(candidates: readonly Digest[]): readonly string[] {
  return candidates.map(({ digest }) => digest);
}

/** A token that holds, with its record and the instant at which that was decided. */
export interface HeldToken {
  readonly principal: Principal;
  readonly found: OwnedToken;
  readonly digests: readonly string[];
  readonly at: number;
}

/** Finds a token and decides about it, without noting its use. */
export async function lookUpToken<Scope extends string>(
  auth: Auth<Scope>,
  text: string,
): Promise<Result<HeldToken, TokenFailure>> {
  if (typeof text !== "string" || !auth.formats.some((format) => format.accepts(text))) {
    return refuse(auth, "malformed_token", null, auth.now());
  }
  const candidates = auth.candidates(text);
  const digests = listDigests(candidates);
  const answer = auth.store.findToken(digests);
  const stored = answer !== null && "then" in answer ? await answer : answer;
  checkFound(stored, digests);
  const found = auth.findUser === null ? stored : await withOwner(auth.findUser, stored);
  const at = auth.now();
  const decided = decide(found, candidates, at);
  if (decided.ok && found !== null) return ok({ principal: decided.value, found, digests, at });
  const reason = decided.ok ? "unknown_token" : decided.failure.reason;
  if (reason === "rotated_token" && found !== null) await revokeReused(auth, found, at);
  return refuse(auth, reason, found, at);
}

/** Refuses what cannot be the answer. */
function checkFound(found: OwnedToken | null, digests: readonly string[]): void {
  readSafely(() => {
    if (found !== null && !isAnswerTo(found, digests)) throw new TypeError();
  });
}

/** Decides; a record in which something is missing altogether is a failure of the store. */
function decide(
  found: OwnedToken | null,
  candidates: readonly Digest[],
  at: number,
): Result<Principal, TokenFailure> {
  return readSafely(() => decideToken(found, candidates, at));
}

function readSafely<Value>(read: () => Value): Value {
  try {
    return read();
  } catch {
    throw new StoreError("find the token", "unavailable", "MALFORMED_RECORD");
  }
}

/** Puts the application's own user in the place of the store's. */
async function withOwner(
  findUser: (owner: string) => Promise<User | null>,
  found: OwnedToken | null,
): Promise<OwnedToken | null> {
  if (found === null) return null;
  const user = await findUser(found.token.owner) ?? null;
  if (user !== null && typeof readSafely(() => user.id) !== "string") {
    throw new StoreError("find the owner", "unavailable", "MALFORMED_RECORD");
  }
  return { ...found, user };
}

async function revokeReused<Scope extends string>(
  auth: Auth<Scope>,
  { token: { id, owner, family } }: OwnedToken,
  at: number,
): Promise<void> {
  const count = await auth.store.revokeFamily(family, { at, reason: "reused" });
  emit(auth, { type: "token_reused", at, owner, token: id, family, count });
}

function refuse<Scope extends string>(
  auth: Auth<Scope>,
  reason: TokenReason,
  found: OwnedToken | null,
  at: number,
): Result<never, TokenFailure> {
  const known = reason === "unknown_token" ? null : found;
  const [owner, token] = [known?.token.owner ?? null, known?.token.id ?? null];
  emit(auth, { type: "token_refused", at, owner, token, reason });
  return fail({ reason });
}
