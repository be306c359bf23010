import { bytesToBigInt, encodeBase62 } from "../data/encoding.ts";
import { drawBytes, type RandomSource } from "../data/random.ts";

/** Draws an opaque id: 128 random bits as 22 base62 characters. */
export function drawIdentifier(random: RandomSource): string {
  return encodeBase62(bytesToBigInt(drawBytes(random, 16)), 22);
}
