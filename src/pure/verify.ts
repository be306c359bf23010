import { fail, ok, type Result } from "../data/result.ts";
import { type Digest, matchesDigest } from "./digest.ts";
import type { OwnedToken, Principal, Token, TokenRecord } from "./record.ts";

/** Why a token did not hold. */
export type TokenReason =
  | "malformed_token"
  | "unknown_token"
  | "revoked_token"
  | "expired_token"
  | "inactive_user";

/** A token that did not hold, with the reason for the log; the wire says less. */
export interface TokenFailure {
  /** What was wrong. */
  readonly reason: TokenReason;
}

/**
 * Decides whether a token found in the store holds at the instant `now`.
 *
 * In this order: the digest must be one of the candidates, the owner must
 * exist, the token must not be revoked, `now` must be before `expiresAt`
 * (`now >= expiresAt` is expired), the owner must be active. A time that is not
 * a finite number fails closed.
 */
export function decideToken(
  found: OwnedToken | null,
  candidates: readonly Digest[],
  now: number,
): Result<Principal, TokenFailure> {
  if (found === null || found.user === null || !matchesDigest(candidates, found.token)) {
    return fail({ reason: "unknown_token" });
  }
  const { token, user } = found;
  if (token.revokedAt !== null) return fail({ reason: "revoked_token" });
  if (isExpired(token, now)) return fail({ reason: "expired_token" });
  if (user.isActive !== true) return fail({ reason: "inactive_user" });
  return ok({ user, token: toToken(token) });
}

/** Whether a record no longer holds at `now`. Anything but a finite time counts as expired. */
export function isExpired({ expiresAt }: Pick<TokenRecord, "expiresAt">, now: number): boolean {
  return expiresAt !== null && !(Number.isFinite(expiresAt) && now < expiresAt);
}

/** Leaves out everything of a record that a request must not see. */
export function toToken({ id, owner, scopes, createdAt, expiresAt }: TokenRecord): Token {
  return { id, owner, scopes, createdAt, expiresAt };
}
