import type { Figure, Outcome, Target } from "./figure.ts";
import { summarize } from "./rounds.ts";

/** A figure with what was measured of it. */
export interface Line {
  readonly figure: Figure;
  readonly outcome: Outcome;
}

/** Whether a target was met; `null` where there is none or nothing was measured. */
export function isMet({ figure, outcome }: Line): boolean | null {
  if (figure.target === null || outcome.kind !== "measured") return null;
  const { median } = summarize(outcome.rounds, figure.relation);
  const { bound, value } = figure.target;
  return bound === "at least" ? median >= value : median <= value;
}

const HEAD = ["figure", "subject", "rival", "result", "spread", "target", ""];

/** Lays lines out as a table, with the notes below. */
export function formatTable(lines: readonly Line[]): string {
  const notes: string[] = [];
  const rows = [HEAD, ...lines.map((line) => formatLine(line, notes))];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const table = rows.map((row) =>
    row.map((cell, at) => at < 3 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))
      .join("  ").trimEnd()
  );
  return [...table, ...(notes.length > 0 ? ["", ...notes] : [])].join("\n");
}

/** One row; a remark goes to `notes`. */
function formatLine(line: Line, notes: string[]): readonly string[] {
  const { figure, outcome } = line;
  const { name, subject, rival, unit, relation, target } = figure;
  const wanted = formatTarget(target, relation, unit);
  if (outcome.kind !== "measured") {
    notes.push(`${name}: ${outcome.kind}: ${outcome.reason}`);
    return [name, subject, rival, outcome.kind, "", wanted, ""];
  }
  if (outcome.note !== undefined) notes.push(`${name}: ${outcome.note}`);
  const summary = summarize(outcome.rounds, relation);
  const format = (value: number) => formatValue(value, relation, unit);
  const met = isMet(line);
  return [
    name,
    `${subject} ${formatNumber(summary.subject)} ${unit}`,
    `${rival} ${formatNumber(summary.rival)} ${unit}`,
    format(summary.median),
    `${format(summary.low)} … ${format(summary.high)}`,
    wanted,
    met === null ? "" : met ? "met" : "MISSED",
  ];
}

function formatTarget(
  target: Target | null,
  relation: Figure["relation"],
  unit: string,
): string {
  if (target === null) return "";
  return `${target.bound === "at least" ? "≥" : "≤"} ${formatValue(target.value, relation, unit)}`;
}

function formatValue(
  value: number,
  relation: Figure["relation"],
  unit: string,
): string {
  return relation === "ratio" ? `${formatNumber(value)} ×` : `${formatNumber(value)} ${unit}`;
}

/** Three significant digits, and no more decimals than that takes. */
export function formatNumber(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
