import { fail, ok, type Result } from "../data/result.ts";
import { StoreError } from "../ports/store_error.ts";
import type { Digest } from "../pure/digest.ts";
import type { OwnedToken, Principal } from "../pure/record.ts";
import { decideToken, type TokenFailure, type TokenReason } from "../pure/verify.ts";
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
  const verified = await lookUpToken(auth, text);
  if (!verified.ok) return verified;
  const { user, token } = verified.value.principal;
  const writing = recordUse(auth, token, verified.value.at);
  if (writing !== null) options.waitUntil?.(writing);
  return ok({ user, token: viewToken(auth, token) });
}

/** A token that holds, with its record and the instant at which that was decided. */
export interface HeldToken {
  readonly principal: Principal;
  readonly found: OwnedToken;
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
  const stored = await auth.store.findToken(candidates.map(({ digest }) => digest));
  const found = await withOwner(auth, stored ?? null);
  const at = auth.now();
  const decided = decide(found, candidates, at);
  if (decided.ok && found !== null) return ok({ principal: decided.value, found, at });
  const reason = decided.ok ? "unknown_token" : decided.failure.reason;
  if (reason === "rotated_token" && found !== null) await revokeReused(auth, found, at);
  return refuse(auth, reason, found, at);
}

/** Decides; a record in which something is missing altogether is a failure of the store. */
function decide(
  found: OwnedToken | null,
  candidates: readonly Digest[],
  at: number,
): Result<Principal, TokenFailure> {
  try {
    return decideToken(found, candidates, at);
  } catch {
    throw new StoreError("find the token", "unavailable", "MALFORMED_RECORD");
  }
}

/** Puts the application's own user in the place of the store's. */
async function withOwner<Scope extends string>(
  { findUser }: Auth<Scope>,
  found: OwnedToken | null,
): Promise<OwnedToken | null> {
  if (findUser === null || found === null) return found;
  return { ...found, user: await findUser(found.token.owner) ?? null };
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
