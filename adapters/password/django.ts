import { createHash } from "node:crypto";
import { constantTimeEqual } from "@oslojs/crypto/subtle";
import { decodeHex } from "@oslojs/encoding";
import type { PasswordVerifier } from "../../src/ports/hasher.ts";
import { encodePassword, encodeText, maximumEncodedLength } from "./encoded.ts";

const form = /^(?:sha1\$([^$]{1,128})\$([0-9a-f]{40})|md5\$([^$]{1,128})\$([0-9a-f]{32}))$/;

/**
 * Reads the salted SHA-1 and MD5 passwords of old Django projects, and writes none.
 *
 * The forms are `sha1$salt$hex` and `md5$salt$hex`: one digest over the UTF-8 bytes of the salt
 * and the password, in lower-case hexadecimal. Such a digest is fast to guess, so put this after
 * a real hasher in the list: the next successful login then rewrites the text. Django's unsalted
 * forms (an empty salt, or a bare digest) are not read and answer `false`.
 *
 * Anything but the one spelling of a text answers `false`, as does a password that ends in NUL or
 * holds half of a surrogate pair. The bytes are compared in constant time.
 *
 * @example
 * ```ts
 * import { djangoLegacy } from "latchkey/django";
 *
 * const verifier = djangoLegacy();
 * const encoded = "sha1$legacysalt$2174629e3900e50709ef266ecb01e49af15cecb2";
 * console.log(verifier.recognizes(encoded)); // true
 * console.log(await verifier.verify("testing123", encoded)); // true
 * ```
 */
export function djangoLegacy(): PasswordVerifier {
  return {
    name: "django legacy",
    recognizes: (encoded: string): boolean =>
      encoded.startsWith("sha1$") || encoded.startsWith("md5$"),
    verify(password: string, encoded: string): Promise<boolean> {
      return Promise.resolve(matches(password, encoded));
    },
  };
}

function matches(password: string, encoded: string): boolean {
  if (encoded.length > maximumEncodedLength) return false;
  const [, sha1Salt, sha1Hex, md5Salt, md5Hex] = form.exec(encoded) ?? [];
  const salt = sha1Salt ?? md5Salt;
  const hex = sha1Hex ?? md5Hex;
  if (salt === undefined || hex === undefined) return false;
  const saltBytes = encodeText(salt);
  const passwordBytes = encodePassword(password);
  if (saltBytes === undefined || passwordBytes === undefined) return false;
  const hash = createHash(sha1Salt === undefined ? "md5" : "sha1");
  return constantTimeEqual(hash.update(saltBytes).update(passwordBytes).digest(), decodeHex(hex));
}
