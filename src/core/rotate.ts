import { bytesToBigInt, encodeBase62, encodeUtf8 } from "../data/encoding.ts";
import { drawBytes } from "../data/random.ts";
import { fail, ok, type Result } from "../data/result.ts";
import { deriveSuccessor } from "../pure/digest.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import type { Rotation, TokenRecord } from "../pure/record.ts";
import { TokenText } from "../pure/token_text.ts";
import { type TokenFailure, toToken } from "../pure/verify.ts";
import type { Auth } from "./auth.ts";
import { findDerivedText } from "./derived_text.ts";
import { emit } from "./emit.ts";
import { drawIdentifier } from "./identifier.ts";
import { hintOf, type IssuedToken, viewToken } from "./issue.ts";
import { lookUpToken } from "./verify.ts";
import { ask, readOptional, readSuccessor } from "./store_answer.ts";

/** How a token is rotated. */
export interface RotateOptions {
  /** For how long the old token still holds; the configured `rotationOverlap` when absent. */
  readonly overlap?: Duration;
}

/**
 * Replaces a token by a successor with the same owner, name, scopes and end.
 *
 * Both hold during the overlap, so that requests under way and clients that
 * did not hear the answer are not logged out: rotating the old token again
 * gives the same successor, in parallel and later. A use of the old one after
 * the overlap revokes the whole family.
 *
 * The successor's text is derived from the old text and a nonce in the
 * database: neither alone tells it.
 *
 * @returns the successor, or the reason why the token does not hold
 * @throws {RangeError} when the overlap is not a positive whole number of milliseconds
 * @throws {StoreError} when the store fails; repeat the call with the same token
 */
export async function rotateToken<Scope extends string>(
  auth: Auth<Scope>,
  text: string,
  options: RotateOptions = {},
): Promise<Result<IssuedToken<Scope>, TokenFailure>> {
  const overlap = options.overlap === undefined
    ? auth.rotationOverlap
    : toMilliseconds(options.overlap, "overlap");
  const held = await lookUpToken(auth, text);
  if (!held.ok) return held;
  const { found, at } = held.value;
  const successor = draftSuccessor(auth, found.token, text, at, overlap);
  const record = await ask(
    auth.store.rotateToken(successor),
    (answer) => readOptional(answer, (one) => readSuccessor(one, successor)),
  );
  if (record === null || record.rotation === null || record.revokedAt !== null) {
    return fail({ reason: "revoked_token" });
  }
  const secret = deriveSuccessor(encodeUtf8(text), record.rotation.nonce);
  const derived = findDerivedText(auth, secret, record);
  if (derived === null) return fail({ reason: "rotated_token" });
  if (record.id === successor.id) {
    const { owner, id: token } = found.token;
    emit(auth, { type: "token_rotated", at, owner, token, successor: record.id });
  }
  return ok({ text: new TokenText(derived), token: viewToken(auth, toToken(record)) });
}

function draftSuccessor<Scope extends string>(
  auth: Auth<Scope>,
  token: TokenRecord,
  text: string,
  at: number,
  overlap: number,
): TokenRecord & { readonly rotation: Rotation } {
  const id = drawIdentifier(auth.random);
  const nonce = encodeBase62(bytesToBigInt(drawBytes(auth.random, 32)), 43);
  const next = auth.formats[0].encode(deriveSuccessor(encodeUtf8(text), nonce));
  return {
    ...token,
    id,
    ...auth.digest(next),
    hint: hintOf(next),
    slot: null,
    createdAt: at,
    lastUsedAt: null,
    rotation: { predecessor: token.id, overlapUntil: at + overlap, nonce },
  };
}
