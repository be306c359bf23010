import { hmac } from "@oslojs/crypto/hmac";
import { SHA256 } from "@oslojs/crypto/sha2";
import { encodeHexLowerCase } from "@oslojs/encoding";
import { encodeUtf8 } from "../data/encoding.ts";
import { hashText } from "../data/sha256.ts";

/** A key that a server mixes into its digests, kept outside the database. */
export interface Pepper {
  /** Stored beside each digest, so the key can be found again. Not secret. */
  readonly id: string;
  /** At least 32 secret bytes. */
  readonly key: Uint8Array;
}

/**
 * The peppers in use. The first writes, all of them verify; `"none"` stands for
 * plain SHA-256. `["none"]` is the default; `[{ id: "2027", key }, "none"]`
 * introduces a pepper without logging anybody out.
 */
export type PepperRing = readonly [Pepper | "none", ...(Pepper | "none")[]];

/** What is stored of a token text, and under which pepper. */
export interface Digest {
  /** 64 lower-case hex characters. */
  readonly digest: string;
  /** The pepper's id, or `null` for plain SHA-256. */
  readonly pepper: string | null;
}

/** The digest of a token text that a new record is stored with: by the ring's first pepper. */
export function digestToken(ring: PepperRing, text: string): Digest {
  return digestWith(ring[0], text);
}

/** Every digest under which a token text may be stored, one per pepper of the ring. */
export function digestCandidates(ring: PepperRing, text: string): readonly Digest[] {
  return ring.length === 1
    ? [digestWith(ring[0], text)]
    : ring.map((pepper) => digestWith(pepper, text));
}

/**
 * Whether a stored digest is one of the candidates, compared in constant time.
 *
 * The pepper is chosen by the record, never by the token text. A pepper that is
 * not in the ring, and a stored digest of any other form, match nothing.
 */
export function matchesDigest(candidates: readonly Digest[], stored: Digest): boolean {
  const candidate = candidates.find(({ pepper }) => pepper === stored.pepper);
  if (candidate === undefined || !/^[0-9a-f]{64}$/.test(stored.digest)) return false;
  return equalDigests(candidate.digest, stored.digest);
}

/** Compares every character of two digests, whatever the first ones say. */
function equalDigests(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) {
    difference |= one.charCodeAt(index) ^ other.charCodeAt(index);
  }
  return difference === 0;
}

/**
 * Derives the 32 secret bytes of a token from its id under the server secret.
 *
 * This is how a login can show the same token again although only its digest is
 * stored: HMAC-SHA-256, with a label that keeps the secret's uses apart.
 */
export function deriveSecret(secret: Uint8Array, id: string): Uint8Array {
  return hmac(SHA256, secret, encodeUtf8(`latchkey:token:${id}`));
}

/**
 * Derives the 32 secret bytes of a token's successor from the token's own text and a nonce.
 *
 * Whoever has the text alone cannot tell the successor, and whoever reads the
 * nonce in the database alone cannot either.
 */
export function deriveSuccessor(text: Uint8Array, nonce: string): Uint8Array {
  return hmac(SHA256, text, encodeUtf8(`latchkey:successor:${nonce}`));
}

function digestWith(pepper: Pepper | "none", text: string): Digest {
  if (pepper === "none") return { digest: hashText(text), pepper: null };
  const code = hmac(SHA256, pepper.key, encodeUtf8(text));
  return { digest: encodeHexLowerCase(code), pepper: pepper.id };
}
