import { matchesDigest } from "../pure/digest.ts";
import type { TokenRecord } from "../pure/record.ts";
import type { Auth } from "./auth.ts";

/**
 * The text of a stored token whose secret was derived, in the format it was made in.
 *
 * `null` when no accepted format and no listed pepper gives the stored digest.
 */
export function findDerivedText<Scope extends string>(
  auth: Auth<Scope>,
  secret: Uint8Array,
  record: TokenRecord,
): string | null {
  const texts = auth.formats.map((format) => format.encode(secret));
  return texts.find((text) => matchesDigest(auth.candidates(text), record)) ?? null;
}
