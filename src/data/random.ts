/**
 * A source of cryptographically secure random bytes: returns exactly `size` of them.
 *
 * Randomness is an argument everywhere, so a test can replay a run.
 */
export type RandomSource = (size: number) => Uint8Array;

/** The platform's own secure randomness, the default everywhere. */
export const systemRandom: RandomSource = (size: number): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(size));

/**
 * Draws `size` bytes and checks that the source is not visibly broken.
 *
 * A secret made of too few, or all equal, bytes is worse than none, so such a
 * source fails loudly; there is no fallback.
 *
 * @throws {RangeError} when the source returns another length, or 16 or more bytes that are all equal
 */
export function drawBytes(random: RandomSource, size: number): Uint8Array {
  const bytes = random(size);
  if (!(bytes instanceof Uint8Array) || bytes.length !== size) {
    throw new RangeError(`Cannot draw random bytes: the source did not return ${size} bytes`);
  }
  if (size >= 16 && bytes.every((byte) => byte === bytes[0])) {
    throw new RangeError("Cannot draw random bytes: the source repeats one byte");
  }
  return bytes;
}
