import type { Outcome } from "./checker.ts";
import type { CrashReport } from "./runner.ts";

const OUTCOMES: readonly Outcome[] = ["done", "not done", "no difference", "made room"];

/** Formats a report as a table: a line for each kind of operation, and the sums. */
export function formatReport(report: CrashReport): string {
  const { acknowledged, interrupted, rounds, kills, tokens, losses } = report;
  const kinds = [...new Set([...acknowledged.keys(), ...interrupted.keys()])].sort();
  const numbersOf = (kind: (typeof kinds)[number]) => [
    acknowledged.get(kind) ?? 0,
    ...OUTCOMES.map((outcome) => interrupted.get(kind)?.get(outcome) ?? 0),
  ];
  const rows = kinds.map((kind) => ({ name: `${kind}`, numbers: numbersOf(kind) }));
  const sums = ["", ...OUTCOMES].map((_, column) =>
    rows.reduce((sum, { numbers }) => sum + (numbers[column] ?? 0), 0)
  );
  return [
    formatRow("operation", ["acknowledged", ...OUTCOMES]),
    ...rows.map(({ name, numbers }) => formatRow(name, numbers)),
    formatRow("all", sums),
    "",
    `${rounds} rounds, ${kills} kills, ${sums[0]} operations acknowledged`,
    `${sums.slice(1).reduce((sum, number) => sum + number, 0)} operations under way at a kill`,
    `${tokens.holding} times a token had to hold, ${tokens.ended} tokens had to have ended`,
    `${losses.length} losses`,
  ].join("\n");
}

function formatRow(name: string, cells: readonly (string | number)[]): string {
  return name.padEnd(16) + cells.map((cell) => `${cell}`.padStart(14)).join("");
}
