import type { HeaderReason } from "../ports/dialect.ts";

/** The longest header that is read. A longer one of an accepted scheme is refused. */
export const MAX_HEADER = 8192;

/** What an `Authorization` header says to a route that accepts certain schemes. */
export type Credentials =
  | { readonly kind: "absent" }
  | { readonly kind: "malformed"; readonly reason: HeaderReason }
  | { readonly kind: "present"; readonly text: string };

const ABSENT: Credentials = { kind: "absent" };
const PLAIN = /^([!-~]+) ([!-~]+)$/;

/**
 * Reads the credentials of an `Authorization` header.
 *
 * As Django REST framework does: words are separated by runs of ASCII white
 * space (space, tab, LF, VT, FF, CR) and nothing else; the scheme is compared
 * without regard to ASCII case (RFC 9110 §11.1); a header of another scheme is
 * absent, not wrong; one of an accepted scheme must have exactly one more word,
 * whose bytes must be UTF-8. Nothing is decoded beyond that. Two header lines
 * arrive joined by a comma, so they never authenticate. Work is linear in the
 * length, and a header above {@link MAX_HEADER} is not looked at beyond its scheme.
 *
 * @param header The value, one character per byte; `null` when there is none
 */
export function readAuthorization(
  header: string | null,
  schemes: readonly string[],
): Credentials {
  if (header === null || schemes.length === 0) return ABSENT;
  const [, word, token] = header.length > MAX_HEADER ? [] : PLAIN.exec(header) ?? [];
  // As almost every client writes it: the scheme as it was told, one space, visible ASCII.
  if (word !== undefined && token !== undefined && schemes.includes(word)) {
    return { kind: "present", text: token };
  }
  const tooLong = header.length > MAX_HEADER;
  const words = (tooLong ? header.slice(0, MAX_HEADER) : header).split(/[ \t\n\v\f\r]+/)
    .filter((word) => word !== "");
  const [scheme, credentials, extra] = words;
  if (scheme === undefined || !schemes.some((accepted) => equalsIgnoringCase(accepted, scheme))) {
    return ABSENT;
  }
  if (tooLong) return malformed("credentials_too_long");
  if (credentials === undefined) return malformed("empty_credentials");
  if (extra !== undefined) return malformed("credentials_contain_spaces");
  const text = decodeBytes(credentials);
  return text === null ? malformed("credentials_not_utf8") : { kind: "present", text };
}

function malformed(reason: HeaderReason): Credentials {
  return { kind: "malformed", reason };
}

/** Only ASCII letters have a case here: U+212A is not a K. */
function equalsIgnoringCase(accepted: string, scheme: string): boolean {
  return /^[\x21-\x7e]+$/.test(scheme) && accepted.toLowerCase() === scheme.toLowerCase();
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a text whose characters are bytes as UTF-8; `null` when it is not UTF-8. */
function decodeBytes(word: string): string | null {
  // Tokens are ASCII, so this is the only line that runs for them.
  if (/^[\x21-\x7e]+$/.test(word)) return word;
  // A runtime that has decoded the header already: cutting characters to bytes could forge a token.
  if (/[^\0-\xff]/.test(word)) return word;
  try {
    return decoder.decode(Uint8Array.from(word, (character) => character.charCodeAt(0)));
  } catch {
    return null;
  }
}
