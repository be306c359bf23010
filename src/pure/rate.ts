import { type CheckedLimit, checkLimit, type Limit } from "./limit.ts";

/** A period as a rate names it. Only its first letter counts, as in Django REST framework. */
export type RatePeriod =
  | "s"
  | "sec"
  | "second"
  | "m"
  | "min"
  | "minute"
  | "h"
  | "hour"
  | "d"
  | "day";

/** How often: a limit, or text such as `100/day`. */
export type Rate = Limit | `${number}/${RatePeriod}`;

/**
 * Reads a rate as a limit.
 *
 * @throws {RangeError} when it allows nothing, or the text is no rate
 */
export function readRate(rate: Rate, name: string): CheckedLimit {
  if (typeof rate !== "string") return checkLimit(rate, name);
  const [, max, period = ""] = /^(\d+)\/([smhd])[a-z]*$/.exec(rate) ?? [];
  const window = PERIODS[period];
  if (window === undefined) {
    throw new RangeError(`Cannot use this ${name}: expected a rate such as "100/day"`);
  }
  return checkLimit({ max: Number(max), window }, name);
}

const PERIODS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
