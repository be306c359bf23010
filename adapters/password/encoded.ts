import {
  decodeBase64,
  decodeBase64IgnorePadding,
  encodeBase64,
  encodeBase64NoPadding,
} from "@oslojs/encoding";
import { drawBytes, type RandomSource } from "../../src/data/random.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** The letters in a salt that {@link drawSalt} makes: 131 bits, what Django uses. */
export const saltLength: number = 22;

/** The longest stored text any hasher here looks at, in UTF-16 code units. */
export const maximumEncodedLength: number = 512;

/**
 * Draws a salt of 22 letters and digits, each equally likely.
 *
 * The same bytes from `random` give the same salt.
 *
 * @throws {RangeError} when the source is broken: a wrong length, one byte repeated, or bytes
 * that never fall into the alphabet
 */
export function drawSalt(random: RandomSource): string {
  // A byte is below 248 = 4 * 62 with probability 31/32, so that one draw is nearly always
  // enough. Bytes from 248 up are skipped: taking them would favour the first eight letters.
  let salt = "";
  for (let attempt = 0; attempt < 8; attempt++) {
    for (const byte of drawBytes(random, 32)) {
      if (byte < 248) salt += alphabet.charAt(byte % 62);
      if (salt.length === saltLength) return salt;
    }
  }
  throw new RangeError("Cannot draw a salt: the random source repeats a few bytes");
}

/**
 * The UTF-8 bytes of `text`, or `undefined` when it holds half of a surrogate pair.
 *
 * Encoders replace such a half by U+FFFD, which would make different texts equal.
 */
export function encodeText(text: string): Uint8Array<ArrayBuffer> | undefined {
  return hasLoneSurrogate(text) ? undefined : new TextEncoder().encode(text);
}

/**
 * Whether every hasher can tell `password` from all others.
 *
 * Half of a surrogate pair has no UTF-8 form, and HMAC fills a short key with NUL, so that PBKDF2
 * and scrypt cannot see NULs at the end. The rule is one for all hashers: a password that one of
 * them verified is one that another can rewrite.
 */
export function isHashable(password: string): boolean {
  return !password.endsWith("\0") && !hasLoneSurrogate(password);
}

/** The UTF-8 bytes of a password, or `undefined` unless {@link isHashable}. */
export function encodePassword(password: string): Uint8Array<ArrayBuffer> | undefined {
  return isHashable(password) ? new TextEncoder().encode(password) : undefined;
}

/** The error for a password that is not {@link isHashable}. */
export function createPasswordError(): RangeError {
  return new RangeError(
    "Cannot hash a password: it ends in NUL or holds half of a surrogate pair",
  );
}

/** The bytes of padded base64, or `undefined` unless they encode to exactly this text again. */
export function decodeCanonicalBase64(text: string): Uint8Array | undefined {
  try {
    const bytes = decodeBase64(text);
    return encodeBase64(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** As {@link decodeCanonicalBase64}, for base64 written without padding. */
export function decodeCanonicalBase64NoPadding(text: string): Uint8Array | undefined {
  try {
    const bytes = decodeBase64IgnorePadding(text);
    return encodeBase64NoPadding(bytes) === text ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** The range an integer option has to be in, both ends included. */
export interface IntegerRange {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * Returns an option after checking that it is an integer in its range.
 *
 * @throws {RangeError} when it is not, naming the hasher, the option, the range and the value
 */
export function checkInteger(
  hasher: string,
  option: string,
  value: number,
  range: IntegerRange,
): number {
  if (!Number.isSafeInteger(value) || value < range.minimum || value > range.maximum) {
    throw new RangeError(
      `Cannot configure ${hasher}: ${option} must be an integer from ${range.minimum} to ` +
        `${range.maximum}, not ${String(value)}`,
    );
  }
  return value;
}

// \p{Surrogate} matches only a half without its other half.
function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
