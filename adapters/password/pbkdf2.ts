import { constantTimeEqual } from "@oslojs/crypto/subtle";
import { encodeBase64 } from "@oslojs/encoding";
import type { RandomSource } from "../../src/data/random.ts";
import type { Hasher } from "../../src/ports/hasher.ts";
import {
  checkInteger,
  createPasswordError,
  decodeCanonicalBase64,
  drawSalt,
  encodePassword,
  encodeText,
  maximumEncodedLength,
  saltLength,
} from "./encoded.ts";

/** How {@link pbkdf2} hashes new passwords. */
export interface Pbkdf2Options {
  /**
   * Rounds of HMAC-SHA-256, 600,000 by default (OWASP's minimum); from 1,000 to 10,000,000.
   *
   * Fewer than the default is for tests and for Cloudflare Workers, where the production
   * service refuses more than 100,000 (its local runtime does not).
   */
  readonly iterations?: number;
}

interface Parsed {
  readonly algorithm: "SHA-1" | "SHA-256";
  readonly iterations: number;
  readonly salt: string;
  readonly saltBytes: Uint8Array<ArrayBuffer>;
  readonly key: Uint8Array;
}

const maximumIterations = 10_000_000;
const form = /^pbkdf2_(?:sha1|sha256)\$([1-9][0-9]{0,7})\$([^$]{1,128})\$([A-Za-z0-9+/]{27,43}=)$/;

/**
 * Hashes passwords with PBKDF2 and SHA-256 through WebCrypto; works on every runtime.
 *
 * Writes the form Django stores, `pbkdf2_sha256$iterations$salt$key`, with a salt of 22 letters
 * and digits from the given random source and the key in base64. Reads that form, and
 * `pbkdf2_sha1` as Django wrote it too, which is never current and so is rewritten at the next
 * login. Salts of other systems may hold any text of up to 128 UTF-16 code units but `$`.
 *
 * The password is used as its UTF-8 bytes: no trimming, truncation or Unicode normalisation. With
 * one that ends in NUL (the algorithm cannot see it) or holds half of a surrogate pair (it has no
 * UTF-8 form), `verify` answers `false` and `hash` throws a RangeError.
 *
 * A stored text verifies only in its one spelling: leading zeros, other padding, white space
 * around it or more than 10,000,000 iterations answer `false` before any hashing. A text is
 * current with SHA-256, at least the configured iterations, and a salt of at least 22 characters.
 *
 * A runtime that refuses the count of iterations (see {@link Pbkdf2Options.iterations}) rejects
 * both `hash` and `verify` with its own error: a password it cannot check is not a wrong one.
 *
 * @throws {RangeError} when `iterations` is not an integer from 1,000 to 10,000,000
 *
 * @example
 * ```ts
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const hasher = pbkdf2({ iterations: 100_000 });
 * const encoded = await hasher.hash(
 *   "correct horse battery staple",
 *   (size) => crypto.getRandomValues(new Uint8Array(size)),
 * );
 * console.log(encoded.startsWith("pbkdf2_sha256$100000$")); // true
 * console.log(await hasher.verify("correct horse battery staple", encoded)); // true
 * ```
 */
export function pbkdf2(options: Pbkdf2Options = {}): Hasher {
  const iterations = checkInteger("pbkdf2", "iterations", options.iterations ?? 600_000, {
    minimum: 1_000,
    maximum: maximumIterations,
  });
  return {
    name: "pbkdf2",
    recognizes: (encoded: string): boolean =>
      encoded.startsWith("pbkdf2_sha256$") || encoded.startsWith("pbkdf2_sha1$"),
    async hash(password: string, random: RandomSource): Promise<string> {
      const passwordBytes = encodePassword(password);
      if (passwordBytes === undefined) throw createPasswordError();
      const salt = drawSalt(random);
      const saltBytes = new TextEncoder().encode(salt);
      const key = await deriveKey(passwordBytes, "SHA-256", iterations, saltBytes, 32);
      return `pbkdf2_sha256$${iterations}$${salt}$${encodeBase64(key)}`;
    },
    async verify(password: string, encoded: string): Promise<boolean> {
      const passwordBytes = encodePassword(password);
      const parsed = parse(encoded);
      if (passwordBytes === undefined || parsed === undefined) return false;
      const { algorithm, saltBytes, key } = parsed;
      const actual = await deriveKey(
        passwordBytes,
        algorithm,
        parsed.iterations,
        saltBytes,
        key.length,
      );
      return constantTimeEqual(actual, key);
    },
    isCurrent(encoded: string): boolean {
      const parsed = parse(encoded);
      return parsed !== undefined && parsed.algorithm === "SHA-256" &&
        parsed.iterations >= iterations && [...parsed.salt].length >= saltLength;
    },
  };
}

function parse(encoded: string): Parsed | undefined {
  if (encoded.length > maximumEncodedLength) return undefined;
  const [, iterationsText, salt, keyText] = form.exec(encoded) ?? [];
  if (iterationsText === undefined || salt === undefined || keyText === undefined) return undefined;
  const algorithm = encoded.startsWith("pbkdf2_sha1$") ? "SHA-1" : "SHA-256";
  const iterations = Number(iterationsText);
  const saltBytes = encodeText(salt);
  const key = decodeCanonicalBase64(keyText);
  if (iterations > maximumIterations || saltBytes === undefined) return undefined;
  if (key?.length !== (algorithm === "SHA-1" ? 20 : 32)) return undefined;
  return { algorithm, iterations, salt, saltBytes, key };
}

async function deriveKey(
  password: Uint8Array<ArrayBuffer>,
  algorithm: "SHA-1" | "SHA-256",
  iterations: number,
  salt: Uint8Array<ArrayBuffer>,
  size: number,
): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
  const parameters = { name: "PBKDF2", hash: algorithm, iterations, salt };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, size * 8));
}
