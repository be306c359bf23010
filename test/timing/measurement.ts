import type { Result } from "latchkey";
import type { seededNumbers } from "../fixture.ts";
import { medianOf } from "../bench/rounds.ts";
import { compareSeries, shuffle } from "./statistics.ts";

/** Something that a client can make a server do, and how long that should take. */
export interface Case {
  /** Unique in its comparison. */
  readonly name: string;
  /** The case it is compared with. Absent for one that others are compared with. */
  readonly like?: string;
  /**
   * Whether the two are promised to take the same time, or are the same thing
   * twice and so tell the noise. Others are only told.
   */
  readonly kind: "base" | "control" | "promised" | "told";
  /** `ok`, or the reason for which it must fail: otherwise something else is measured. */
  readonly outcome: string;
  /** What is measured. */
  run(): Promise<Result<unknown, { readonly reason: string }>>;
  /** Makes all as it was, after each run and beside the clock. */
  restore?(): Promise<unknown>;
}

/** How a case stands to the one it is compared with. */
export interface Finding {
  readonly name: string;
  readonly like: string;
  readonly kind: Case["kind"];
  /** In milliseconds. */
  readonly median: number;
  readonly ratio: number;
  readonly t: number;
  /** Whether it differs by more than the controls do. */
  readonly isBeyondNoise: boolean;
  /** Whether it is promised to be equal, and differs beyond the noise and by more than 10 %. */
  readonly isBroken: boolean;
}

/** What was found, and how much the same thing differs from itself. */
export interface Report {
  readonly findings: readonly Finding[];
  /** The largest |t| of a control, and at least the least noise. */
  readonly noise: number;
}

/** By how much a median may differ from one that it is promised to equal. */
const TOLERANCE = 0.1;

/** A |t| that one comparison in 370 reaches by chance: controls that happen to agree say no less. */
const LEAST_NOISE = 3;

/**
 * Runs all cases once per round, one after the other in an order of its own
 * each time, so that whatever else the machine does falls on all of them alike.
 *
 * The first tenth of the rounds, in which code is still being compiled, is thrown away.
 */
export async function measureCases(
  cases: readonly Case[],
  { rounds, draw }: { readonly rounds: number; readonly draw: ReturnType<typeof seededNumbers> },
): Promise<ReadonlyMap<string, readonly number[]>> {
  const series = new Map<string, number[]>(cases.map(({ name }) => [name, []]));
  const warmUp = Math.ceil(rounds / 10);
  for (let round = -warmUp; round < rounds; round++) {
    for (const { name, outcome, run, restore } of shuffle(cases, draw)) {
      const start = performance.now();
      const result = await run();
      const time = performance.now() - start;
      const found = result.ok ? "ok" : result.failure.reason;
      if (found !== outcome) throw new Error(`Cannot measure "${name}": it ended with ${found}`);
      if (round >= 0) series.get(name)?.push(time);
      await restore?.();
    }
  }
  return series;
}

/** Compares each case with the one it should be like. */
export function judgeCases(
  cases: readonly Case[],
  series: ReadonlyMap<string, readonly number[]>,
): Report {
  const compared = cases.flatMap(({ name, like, kind }) => {
    if (like === undefined) return [];
    const [values, others] = [seriesOf(series, name), seriesOf(series, like)];
    return [{ name, like, kind, median: medianOf(values), ...compareSeries(values, others) }];
  });
  const noise = compared.filter(({ kind }) => kind === "control")
    .reduce((most, { t }) => Math.max(most, Math.abs(t)), LEAST_NOISE);
  const findings = compared.map(({ name, like, kind, median, ratio, t }) => {
    const isBeyondNoise = Math.abs(t) > noise;
    const isBroken = kind === "promised" && isBeyondNoise && Math.abs(ratio - 1) > TOLERANCE;
    return { name, like, kind, median, ratio, t, isBeyondNoise, isBroken };
  });
  return { findings, noise };
}

function seriesOf(
  series: ReadonlyMap<string, readonly number[]>,
  name: string,
): readonly number[] {
  const values = series.get(name);
  if (values === undefined) throw new Error(`Cannot compare "${name}": it was not measured`);
  return values;
}

/** Lays a report out as a table. */
export function formatReport({ findings, noise }: Report): string {
  const head = ["case", "compared with", "median", "ratio", "t", "promised", ""];
  const rows = findings.map((finding) => [
    finding.name,
    finding.like,
    formatTime(finding.median),
    finding.ratio.toFixed(3),
    finding.t.toFixed(1),
    { base: "", control: "A/A", promised: "equal", told: "no" }[finding.kind],
    finding.isBroken ? "BROKEN" : finding.isBeyondNoise ? "differs" : "",
  ]);
  const table = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...table.map((row) => row[at]?.length ?? 0)));
  const lines = table.map((row) =>
    row.map((cell, at) => at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))
      .join("  ").trimEnd()
  );
  return [
    ...lines,
    `noise: |t| up to ${noise.toFixed(1)} (the largest of the controls, 3 at least)`,
  ]
    .join("\n");
}

function formatTime(milliseconds: number): string {
  return milliseconds < 1
    ? `${(milliseconds * 1_000).toFixed(2)} µs`
    : `${milliseconds.toFixed(2)} ms`;
}
