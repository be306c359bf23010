import { type Duration, toMilliseconds } from "./duration.ts";

/** How often something may happen. */
export interface Limit {
  /** The most times in one window, from 1 up. */
  readonly max: number;
  /** How long a window is; it begins with the first time. */
  readonly window: Duration;
  /**
   * How long a window becomes at most: each that follows an exhausted one is
   * twice as long. The same as `window`, no growth, when absent.
   */
  readonly longest?: Duration;
}

/** A limit that was checked, in milliseconds. */
export interface CheckedLimit {
  /** The most times in one window. */
  readonly max: number;
  /** How long the first window is. */
  readonly window: number;
  /** How long a window becomes at most. */
  readonly longest: number;
}

/** Something is refused because a limit is exhausted. */
export interface Throttled {
  /** Always `throttled`. */
  readonly reason: "throttled";
  /** After how many milliseconds it is worth another try; `Infinity` when waiting does not help. */
  readonly retryAfter: number;
  /** The limit that is exhausted, in milliseconds. */
  readonly limit: { readonly max: number; readonly window: number };
}

/**
 * Checks a limit.
 *
 * @throws {RangeError} when it allows nothing, or never ends
 */
export function checkLimit({ max, window, longest }: Limit, name: string): CheckedLimit {
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new RangeError(`Cannot use this ${name}: max must be a whole number from 1 up`);
  }
  const first = toMilliseconds(window, name);
  const last = longest === undefined ? first : toMilliseconds(longest, name);
  if (first < 1 || last < first) {
    throw new RangeError(`Cannot use this ${name}: expected 1 <= window <= longest`);
  }
  return { max, window: first, longest: last };
}
