import { scrypt as deriveScrypt } from "node:crypto";
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

/**
 * How {@link scrypt} hashes new passwords, under the names of RFC 7914.
 *
 * One hash takes about `128 * N * r` bytes of memory (256 MiB at most here) and time in
 * proportion to `N * r * p` (4,194,304 at most).
 */
export interface ScryptOptions {
  /** Rows of memory: a power of two, 16,384 by default; from 2 to 1,048,576. */
  readonly N?: number;
  /** Block size, 8 by default; from 1 to 64. With 1, `N` has to be below 65,536. */
  readonly r?: number;
  /** How many times the memory is filled, 5 by default; from 1 to 64. */
  readonly p?: number;
}

interface Cost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

interface Parsed extends Cost {
  readonly salt: string;
  readonly saltBytes: Uint8Array;
  readonly key: Uint8Array;
}

const keySize = 64;
const maximumN = 1_048_576;
const maximumFactor = 64;
const maximumMemory = 256 * 1024 * 1024;
const maximumWork = 4_194_304;
const form =
  /^scrypt\$([1-9][0-9]{0,6})\$([^$]{1,128})\$([1-9][0-9]?)\$([1-9][0-9]?)\$([A-Za-z0-9+/]{86}==)$/;

/**
 * Hashes passwords with scrypt through `node:crypto`, which Node, Deno and Bun have, and Workers
 * with the `nodejs_compat` flag.
 *
 * Writes and reads the form Django stores, `scrypt$N$salt$r$p$key`, with a salt of 22 letters and
 * digits from the given random source and a key of 64 bytes in base64. The defaults `N` = 16,384,
 * `r` = 8, `p` = 5 are those of Django since 5.1 and one of the equal choices OWASP lists. Salts
 * of other systems may hold any text of up to 128 UTF-16 code units but `$`.
 *
 * The password is used as its UTF-8 bytes: no trimming, truncation or Unicode normalisation. With
 * one that ends in NUL (the algorithm cannot see it) or holds half of a surrogate pair (it has no
 * UTF-8 form), `verify` answers `false` and `hash` throws a RangeError.
 *
 * A stored text verifies only in its one spelling and within the bounds of {@link ScryptOptions};
 * anything else answers `false` before memory is taken. A text is current when its memory
 * (`N * r`) and its work (`N * r * p`) are both at least those configured, and its salt has at
 * least 22 characters; so the OWASP choice `N` = 131,072, `p` = 1 is not rewritten by the default.
 *
 * @throws {RangeError} when an option is not an integer in its range, `N` is not a power of two,
 * or the three together cost too much
 *
 * @example
 * ```ts
 * import { scrypt } from "latchkey/scrypt";
 *
 * const hasher = scrypt();
 * const encoded = await hasher.hash(
 *   "correct horse battery staple",
 *   (size) => crypto.getRandomValues(new Uint8Array(size)),
 * );
 * console.log(encoded.startsWith("scrypt$16384$")); // true
 * console.log(await hasher.verify("correct horse battery staple", encoded)); // true
 * ```
 */
export function scrypt(options: ScryptOptions = {}): Hasher {
  const factorRange = { minimum: 1, maximum: maximumFactor };
  const cost: Cost = {
    N: checkInteger("scrypt", "N", options.N ?? 16_384, { minimum: 2, maximum: maximumN }),
    r: checkInteger("scrypt", "r", options.r ?? 8, factorRange),
    p: checkInteger("scrypt", "p", options.p ?? 5, factorRange),
  };
  if (!isPowerOfTwo(cost.N)) {
    throw new RangeError(`Cannot configure scrypt: N must be a power of two, not ${cost.N}`);
  }
  if (!isBounded(cost)) {
    throw new RangeError(
      "Cannot configure scrypt: 128 * N * r must be at most 256 MiB, N * r * p at most " +
        `${maximumWork}, and N below 65536 when r is 1`,
    );
  }
  return {
    name: "scrypt",
    recognizes: (encoded: string): boolean => encoded.startsWith("scrypt$"),
    async hash(password: string, random: RandomSource): Promise<string> {
      const passwordBytes = encodePassword(password);
      if (passwordBytes === undefined) throw createPasswordError();
      const salt = drawSalt(random);
      const key = await deriveKey(passwordBytes, new TextEncoder().encode(salt), cost);
      return `scrypt$${cost.N}$${salt}$${cost.r}$${cost.p}$${encodeBase64(key)}`;
    },
    async verify(password: string, encoded: string): Promise<boolean> {
      const passwordBytes = encodePassword(password);
      const parsed = parse(encoded);
      if (passwordBytes === undefined || parsed === undefined) return false;
      return constantTimeEqual(
        await deriveKey(passwordBytes, parsed.saltBytes, parsed),
        parsed.key,
      );
    },
    isCurrent(encoded: string): boolean {
      const parsed = parse(encoded);
      return parsed !== undefined && parsed.N * parsed.r >= cost.N * cost.r &&
        parsed.N * parsed.r * parsed.p >= cost.N * cost.r * cost.p &&
        [...parsed.salt].length >= saltLength;
    },
  };
}

function parse(encoded: string): Parsed | undefined {
  if (encoded.length > maximumEncodedLength) return undefined;
  const [, N, salt, r, p, keyText] = form.exec(encoded) ?? [];
  if (salt === undefined || keyText === undefined) return undefined;
  const cost: Cost = { N: Number(N), r: Number(r), p: Number(p) };
  const saltBytes = encodeText(salt);
  const key = decodeCanonicalBase64(keyText);
  if (!isPowerOfTwo(cost.N) || !isBounded(cost) || saltBytes === undefined) return undefined;
  if (key?.length !== keySize) return undefined;
  return { ...cost, salt, saltBytes, key };
}

function isPowerOfTwo(N: number): boolean {
  return N >= 2 && (N & (N - 1)) === 0;
}

function isBounded({ N, r, p }: Cost): boolean {
  // OpenSSL refuses N from 2 ** (16 * r) up, which only r = 1 can reach.
  return r <= maximumFactor && p <= maximumFactor && (r > 1 || N < 65_536) &&
    128 * N * r <= maximumMemory && N * r * p <= maximumWork;
}

function deriveKey(password: Uint8Array, salt: Uint8Array, { N, r, p }: Cost): Promise<Uint8Array> {
  // Every runtime stops at 32 MiB unless told, and counts the buffers beside the N rows too.
  const maxmem = 128 * r * (N + p + 2);
  return new Promise((resolve, reject) => {
    deriveScrypt(password, salt, keySize, { N, r, p, maxmem }, (error, key) => {
      // Without an error, Bun passes undefined where Node passes null.
      if (error) reject(error);
      else resolve(key);
    });
  });
}
