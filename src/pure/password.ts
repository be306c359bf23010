import { encodeUtf8 } from "../data/encoding.ts";
import type { PasswordVerifier } from "../ports/hasher.ts";

/** The longest password that is hashed, in bytes of UTF-8: Django's own limit. */
export const MAX_PASSWORD_BYTES = 4096;

/** Why a new password was refused. */
export type PasswordReason = "password_blank" | "password_too_long" | "password_malformed";

/**
 * Checks that a password can be hashed; `null` when it can.
 *
 * Only that: nothing is trimmed, truncated or normalised. NUL and a lone
 * surrogate are refused: HMAC pads keys with NUL, and UTF-8 writes different
 * surrogates alike, so that different passwords would verify for each other.
 */
export function checkPassword(password: string): PasswordReason | null {
  if (password === "") return "password_blank";
  if (/[\0\p{Surrogate}]/u.test(password)) return "password_malformed";
  // A UTF-16 unit is at least one byte, so the cheap comparison comes first.
  if (password.length > MAX_PASSWORD_BYTES || encodeUtf8(password).length > MAX_PASSWORD_BYTES) {
    return "password_too_long";
  }
  return null;
}

/** The configured verifier that recognizes a stored password; `null` for none and for no password. */
export function findVerifier<Verifier extends PasswordVerifier>(
  verifiers: readonly Verifier[],
  encoded: string | null,
): Verifier | null {
  if (encoded === null) return null;
  return verifiers.find((verifier) => verifier.recognizes(encoded)) ?? null;
}
