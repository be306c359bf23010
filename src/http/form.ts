const AMPERSAND = 0x26;
const EQUALS = 0x3d;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/** More fields than any form has: a parser spends time on each (Django refuses as many). */
export const MAX_FIELDS = 1_000;

/**
 * Parses `application/x-www-form-urlencoded` bytes in any charset.
 *
 * As Python's `parse_qsl`: only `&` separates, `+` is a space, a bad escape
 * stands for itself, a name without `=` has an empty value, the last of equal
 * names wins. (`URLSearchParams` knows no charset but UTF-8.) `null` for more
 * than {@link MAX_FIELDS} fields.
 */
export function parseForm(bytes: Uint8Array, decoder: TextDecoder): Record<string, string> | null {
  const fields: [string, string][] = [];
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(AMPERSAND, start);
    const end = found === -1 ? bytes.length : found;
    const pair = bytes.subarray(start, end);
    const equals = pair.indexOf(EQUALS);
    const split = equals === -1 ? pair.length : equals;
    if (pair.length > 0) {
      if (fields.length === MAX_FIELDS) return null;
      const name = decoder.decode(unescape(pair.subarray(0, split)));
      fields.push([name, decoder.decode(unescape(pair.subarray(split + 1)))]);
    }
    start = end + 1;
  }
  return Object.fromEntries(fields);
}

function unescape(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length);
  let length = 0;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    const high = byte === PERCENT ? hexValue(bytes[index + 1]) : -1;
    const low = high < 0 ? -1 : hexValue(bytes[index + 2]);
    if (low >= 0) index += 2;
    plain[length++] = low >= 0 ? high * 16 + low : byte === PLUS ? SPACE : byte;
  }
  return plain.subarray(0, length);
}

/** The value of an ASCII hex digit, or -1. */
function hexValue(byte: number | undefined): number {
  return byte === undefined
    ? -1
    : "0123456789abcdef".indexOf(String.fromCharCode(byte).toLowerCase());
}
