import type { Relation, Round } from "./figure.ts";

/** One side of a comparison: measures itself once and returns the figure's unit. */
export type Side = () => Promise<number>;

/**
 * Measures both sides in turns, so that whatever else the machine does falls on both.
 *
 * Every second round begins with the rival. The first round, in which code is
 * still being compiled, is thrown away.
 */
export async function alternate(
  count: number,
  sides: { readonly subject: Side; readonly rival: Side },
): Promise<readonly Round[]> {
  const rounds: Round[] = [];
  for (let index = 0; index <= count; index += 1) {
    const first = index % 2 === 0 ? await sides.subject() : null;
    const rival = await sides.rival();
    const subject = first ?? await sides.subject();
    if (index > 0) rounds.push({ subject, rival });
  }
  return rounds;
}

/** What the rounds of a figure come to. */
export interface Summary {
  readonly subject: number;
  readonly rival: number;
  /** The median of the rounds' own ratios or differences. */
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Relates the sides of every round first, and only then takes the median. */
export function summarize(
  rounds: readonly Round[],
  relation: Relation,
): Summary {
  const relations = rounds.map(({ subject, rival }) =>
    relation === "ratio" ? subject / rival : subject - rival
  );
  return {
    subject: medianOf(rounds.map(({ subject }) => subject)),
    rival: medianOf(rounds.map(({ rival }) => rival)),
    median: medianOf(relations),
    low: Math.min(...relations),
    high: Math.max(...relations),
  };
}

/** The middle value, or the mean of the two in the middle. */
export function medianOf(values: readonly number[]): number {
  return (quantileOf(values, 0.5, Math.floor) +
    quantileOf(values, 0.5, Math.ceil)) / 2;
}

/** The value below which a share of all values lies. */
export function quantileOf(
  values: readonly number[],
  share: number,
  round: (position: number) => number = Math.ceil,
): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[round((sorted.length - 1) * share)];
  if (value === undefined) {
    throw new RangeError("Cannot summarise no values at all");
  }
  return value;
}
