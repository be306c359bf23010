import { encodeHexLowerCase } from "@oslojs/encoding";
import { crc32 } from "../data/crc32.ts";
import { bytesToBigInt, encodeBase62, encodeSmallBase62 } from "../data/encoding.ts";

/** How many random bytes a format is given to write. */
export const SECRET_SIZE = 32;

/** How token texts look: how they are written, and which texts can be refused unseen. */
export interface TokenFormat {
  /** Matches a token of this format inside a larger text, for secret scanners. */
  readonly pattern: RegExp;
  /** Writes 32 secret bytes as a token text. Equal bytes give equal text. */
  encode(secret: Uint8Array): string;
  /**
   * Whether a text could be a token of this format, judged without any I/O.
   *
   * Must be linear in the length of the text and must not throw.
   */
  accepts(text: string): boolean;
}

const SECRET_WIDTH = 43;
const CHECKSUM_WIDTH = 6;
const LARGEST_SECRET = encodeBase62((1n << 256n) - 1n, SECRET_WIDTH);

/**
 * The default format: `<prefix>_`, 43 base62 characters of 256 random bits, and
 * 6 base62 characters of CRC-32 over all before them.
 *
 * One text per token: another spelling, a larger number or a wrong checksum is
 * refused before any I/O. The prefix tells people and secret scanners whose
 * token it is.
 *
 * @param options `prefix`: a lower-case letter, then lower-case letters and digits, 16 at most; `lk` when absent
 * @throws {RangeError} when the prefix has another form
 *
 * @example
 * ```ts
 * import { prefixedFormat } from "latchkey";
 *
 * const format = prefixedFormat({ prefix: "acme" });
 * const text = format.encode(crypto.getRandomValues(new Uint8Array(32)));
 * console.log(text.length, format.accepts(text)); // 54 true
 * ```
 */
export function prefixedFormat(options: { readonly prefix?: string } = {}): TokenFormat {
  const prefix = options.prefix ?? "lk";
  if (!/^[a-z][a-z0-9]{0,15}$/.test(prefix)) {
    throw new RangeError(
      "Cannot use this token prefix: expected a lower-case letter, then up to 15 lower-case letters or digits",
    );
  }
  const start = `${prefix}_`;
  const body = start.length + SECRET_WIDTH;
  const whole = new RegExp(`^${start}[0-9A-Za-z]{${SECRET_WIDTH + CHECKSUM_WIDTH}}$`);
  const checksum = (text: string) => encodeSmallBase62(crc32(text), CHECKSUM_WIDTH);
  return {
    pattern: new RegExp(`\\b${start}[0-9A-Za-z]{${SECRET_WIDTH + CHECKSUM_WIDTH}}\\b`),
    encode(secret) {
      const text = start + encodeBase62(bytesToBigInt(secret), SECRET_WIDTH);
      return text + checksum(text);
    },
    accepts(text) {
      return text.length === body + CHECKSUM_WIDTH && whole.test(text) &&
        text.slice(start.length, body) <= LARGEST_SECRET &&
        text.slice(body) === checksum(text.slice(0, body));
    },
  };
}

const HEX_BYTES = 20;

/**
 * The format of Django REST framework: 40 lower-case hex characters, 160 random bits.
 *
 * For an API whose clients expect it. It has no checksum, so only the length
 * and the alphabet are refused without a lookup.
 */
export const hexFormat: TokenFormat = {
  pattern: /\b[0-9a-f]{40}\b/,
  encode: (secret) => encodeHexLowerCase(secret.subarray(0, HEX_BYTES)),
  accepts: (text) => text.length === 2 * HEX_BYTES && /^[0-9a-f]+$/.test(text),
};
