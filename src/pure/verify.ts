import { fail, ok, type Result } from "../data/result.ts";
import { type Digest, matchesDigest } from "./digest.ts";
import type { OwnedToken, Principal, Token, TokenRecord } from "./record.ts";

/** Why a token did not hold. */
export type TokenReason =
  | "malformed_token"
  | "unknown_token"
  | "revoked_token"
  | "expired_token"
  | "idle_token"
  | "rotated_token"
  | "inactive_user";

/** A token that did not hold, with the reason for the log; the wire says less. */
export interface TokenFailure {
  /** What was wrong. */
  readonly reason: TokenReason;
}

/**
 * Decides whether a token found in the store holds at the instant `now`.
 *
 * In this order: the digest must be one of the candidates and the user must
 * be the owner; the token must not be revoked, by itself or by an epoch of its
 * owner that has passed; `now` must be before `expiresAt` (`now >= expiresAt` is
 * expired); a token that was rotated holds until its overlap ends, and the copy
 * of one is known as such however long it was idle; `now` must be less than
 * `idleTimeout` after the last use; the owner must be active. A time that is
 * not a finite number fails closed.
 */
export function decideToken(
  found: OwnedToken | null,
  candidates: readonly Digest[],
  now: number,
): Result<Principal, TokenFailure> {
  if (found === null || !matchesDigest(candidates, found.token)) {
    return fail({ reason: "unknown_token" });
  }
  const { token, user } = found;
  if (user === null || user.id !== token.owner) return fail({ reason: "unknown_token" });
  const ended = endOf(found, now);
  if (ended !== null) return fail({ reason: ended });
  if (user.isActive !== true) return fail({ reason: "inactive_user" });
  return ok({ user, token: toToken(token) });
}

/** Why a stored token has stopped holding at `now`; `null` while it holds. */
export function endOf(
  { token, epoch, successor }: OwnedToken,
  now: number,
): "revoked_token" | "expired_token" | "idle_token" | "rotated_token" | null {
  if (token.revokedAt !== null) return "revoked_token";
  if (epoch !== null && token.epoch !== epoch) return "revoked_token";
  if (token.expiresAt !== null && !isBefore(now, token.expiresAt)) return "expired_token";
  if (successor !== null && !isBefore(now, successor.overlapUntil)) return "rotated_token";
  const idleAt = idleEnd(token);
  if (idleAt !== null && !isBefore(now, idleAt)) return "idle_token";
  return null;
}

/** The first millisecond at which a token has been idle for too long; `null` without such a limit. */
export function idleEnd(
  { idleTimeout, lastUsedAt, createdAt }: Pick<
    TokenRecord,
    "idleTimeout" | "lastUsedAt" | "createdAt"
  >,
): number | null {
  return idleTimeout === null ? null : Math.max(createdAt, lastUsedAt ?? createdAt) + idleTimeout;
}

/**
 * Whether a lookup of these digests can have found this: one of them, with its owner and the
 * owner's epoch, without which no token of an epoch that has passed would be known as revoked.
 */
export function isAnswerTo(
  { token, user, epoch }: OwnedToken,
  digests: readonly string[],
): boolean {
  const { id, digest, owner } = token;
  const isOwners = user === null || (typeof epoch === "number" && user.id === owner);
  return digests.includes(digest) && typeof id === "string" && isOwners;
}

/** The first millisecond at which a token may have stopped holding by itself; `Infinity` for never. */
export function heldUntil({ token, successor }: OwnedToken): number {
  const { expiresAt } = token;
  return Math.min(
    expiresAt ?? Infinity,
    idleEnd(token) ?? Infinity,
    successor?.overlapUntil ?? Infinity,
  );
}

/** Whether `now` is before a stored instant. Nothing is before an instant that is no finite number. */
function isBefore(now: number, instant: unknown): boolean {
  return typeof instant === "number" && Number.isFinite(instant) && now < instant;
}

/** Leaves out everything of a record that a request must not see. */
export function toToken(record: TokenRecord): Token {
  const { id, owner, epoch, family, name, hint, scopes } = record;
  const { createdAt, expiresAt, idleTimeout, lastUsedAt } = record;
  const times = { createdAt, expiresAt, idleTimeout, lastUsedAt };
  return { id, owner, epoch, family, name, hint, scopes: [...scopes], ...times };
}
