import { medianOf, quantileOf } from "../bench/rounds.ts";

/** How two series of measurements differ. */
export interface Difference {
  /** The first median divided by the second. */
  readonly ratio: number;
  /** Welch's t of the trimmed series: the difference of their means in standard errors. */
  readonly t: number;
  /** How likely a t as far from 0 is when nothing differs, by the normal distribution. */
  readonly chance: number;
}

/** The share of the slowest measurements that is left out of means: they tell of other work. */
const SLOWEST = 0.05;

/** Compares two series, of at least two values each. */
export function compareSeries(left: readonly number[], right: readonly number[]): Difference {
  // One bound for both, so that cutting the slow end off cannot make a difference of its own.
  const bound = quantileOf([...left, ...right], 1 - SLOWEST);
  const keep = (values: readonly number[]) => values.filter((value) => value <= bound);
  const t = welchT(keep(left), keep(right));
  return { ratio: medianOf(left) / medianOf(right), t, chance: chanceOf(t) };
}

/**
 * Welch's t: the difference of two means in standard errors, for unequal variances.
 *
 * 0 for series that are equal and without any variance, an infinity for others without.
 *
 * @throws {RangeError} for fewer than two values on a side
 */
export function welchT(left: readonly number[], right: readonly number[]): number {
  const [one, other] = [describeSeries(left), describeSeries(right)];
  const difference = one.mean - other.mean;
  if (difference === 0) return 0;
  return difference / Math.sqrt(one.variance / left.length + other.variance / right.length);
}

/** The mean of a series, and its variance as a sample. */
export function describeSeries(
  values: readonly number[],
): { readonly mean: number; readonly variance: number } {
  if (values.length < 2) throw new RangeError("Cannot compare a series: it has no two values");
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) };
}

/** How likely a normally distributed value is as far from 0 as `t`, to about seven decimals. */
export function chanceOf(t: number): number {
  // Abramowitz and Stegun, 26.2.17.
  const x = Math.abs(t);
  const k = 1 / (1 + 0.2316419 * x);
  const tail = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 +
            k * (-1.821255978 + k * 1.330274429))));
  return 2 * tail * Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** The same items in an order that `draw`, which gives a number below its limit, decides. */
export function shuffle<Item>(
  items: readonly Item[],
  draw: (limit: number) => number,
): readonly Item[] {
  const left = [...items];
  const shuffled: Item[] = [];
  while (left.length > 0) shuffled.push(...left.splice(draw(left.length), 1));
  return shuffled;
}
