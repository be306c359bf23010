/**
 * A length of time: a number of milliseconds, or anything with `milliseconds()`,
 * such as `TimeSpan` of `oslo`.
 */
export type Duration = number | { milliseconds(): number };

/** 100,000 years: an instant and a duration up to this add up to a whole number exactly. */
const MAX_DURATION = 3_155_760_000_000_000;

/**
 * Reads a duration as whole milliseconds.
 *
 * @throws {RangeError} when it is not a positive whole number of milliseconds, or above 100,000 years
 */
export function toMilliseconds(duration: Duration, name: string): number {
  // Whoever configures from JavaScript, or from data, may hand over anything.
  const value = typeof duration === "number" ? duration : duration?.milliseconds?.();
  if (!Number.isSafeInteger(value) || value <= 0 || value > MAX_DURATION) {
    throw new RangeError(`Cannot use ${name}: expected a positive whole number of milliseconds`);
  }
  return value;
}
