/**
 * A length of time: a number of milliseconds, or anything with `milliseconds()`,
 * such as `TimeSpan` of `oslo`.
 */
export type Duration = number | { milliseconds(): number };

/**
 * Reads a duration as whole milliseconds.
 *
 * @throws {RangeError} when it is not a positive whole number of milliseconds
 */
export function toMilliseconds(duration: Duration, name: string): number {
  const value = typeof duration === "number" ? duration : duration.milliseconds();
  if (!Number.isSafeInteger(value) || value <= 0) {
    throw new RangeError(`Cannot use ${name}: expected a positive whole number of milliseconds`);
  }
  return value;
}
