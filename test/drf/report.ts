/** Writes what became of the recordings. */
import { type DeviationId, deviationTexts } from "./deviations.ts";
import type { Outcome } from "./replay.ts";
import type { AdapterName } from "./target.ts";

/** What became of the recordings with one adapter. */
export interface AdapterReport {
  readonly name: AdapterName;
  readonly outcomes: readonly Outcome[];
  /** Why there are no outcomes; `null` when there are. */
  readonly problem: string | null;
}

/** The recordings that were replayed and did not come out as they must. */
export function listFailures(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ differences }) => differences.length > 0);
}

/** How many went wrong; an adapter that could not be started counts as one. */
export function countFailures(reports: readonly AdapterReport[]): number {
  return reports.reduce(
    (sum, { outcomes, problem }) =>
      sum + listFailures(outcomes).length + (problem === null ? 0 : 1),
    0,
  );
}

/** The whole report; its last line is `N passed, N failed`. */
export function writeReport(reports: readonly AdapterReport[]): string {
  const passed = reports.flatMap(({ outcomes }) => listReplayed(outcomes))
    .filter(({ differences }) => differences.length === 0);
  return [
    "Recordings of Django REST framework, replayed over sockets.",
    "The library stores digests only, so no login can show a key that was recorded elsewhere:",
    "each recorded key stands for the live key of the same user, in requests and in answers.",
    "Vary is not compared.",
    "",
    ...reports.flatMap(writeAdapter),
    "",
    ...writeOutOfScope(reports),
    ...writeDeviations(reports),
    `${passed.length} passed, ${countFailures(reports)} failed`,
  ].join("\n");
}

function writeAdapter({ name, outcomes, problem }: AdapterReport): readonly string[] {
  if (problem !== null) return [`${name}: not replayed: ${problem}`];
  const failures = listFailures(outcomes);
  const replayed = listReplayed(outcomes);
  const deviations = replayed.filter(({ deviation }) => deviation !== null).length;
  return [
    ...failures.flatMap(({ recording: { id, note, request }, differences }) => [
      `${name}: FAILED ${id} (${note})`,
      `  ${request.method} ${request.path} ${JSON.stringify(request.headers).slice(0, 300)}`,
      ...differences.map((difference) => `  ${difference}`),
    ]),
    `${name}: ${replayed.length - failures.length} passed, ${failures.length} failed, ` +
    `${deviations} deviations, ${outcomes.length - replayed.length} out of scope`,
    ...writeUnitLevel(replayed, "refused", "its HTTP parser refuses the bytes"),
    ...writeUnitLevel(replayed, "changed", "its HTTP server changes the request"),
  ];
}

function writeUnitLevel(
  outcomes: readonly Outcome[],
  unit: Outcome["unit"],
  reason: string,
): readonly string[] {
  const ids = outcomes.filter((outcome) => outcome.unit === unit).map(({ recording }) =>
    recording.id
  );
  return ids.length === 0 ? [] : [`  of these at unit level, because ${reason}: ${ids.join(", ")}`];
}

function writeOutOfScope(reports: readonly AdapterReport[]): readonly string[] {
  const outcomes = reports.find(({ problem }) => problem === null)?.outcomes ?? [];
  const counts = new Map<string, number>();
  for (const { outOfScope } of outcomes) {
    if (outOfScope !== null) counts.set(outOfScope, (counts.get(outOfScope) ?? 0) + 1);
  }
  const lines = [...counts].map(([reason, count]) => `  ${count}: ${reason}`);
  return lines.length === 0 ? [] : ["Out of scope, by reason", ...lines, ""];
}

function writeDeviations(reports: readonly AdapterReport[]): readonly string[] {
  const cases = new Map<DeviationId, Set<string>>();
  for (const { deviation, recording } of reports.flatMap(({ outcomes }) => outcomes)) {
    if (deviation === null) continue;
    cases.set(deviation, (cases.get(deviation) ?? new Set()).add(recording.id));
  }
  const lines = [...cases].flatMap(([id, ids]) => {
    const { recorded, instead, reason } = deviationTexts[id];
    return [
      `  ${id}: ${[...ids].join(", ")}`,
      `    recorded  ${recorded}`,
      `    instead   ${instead}`,
      `    reason    ${reason}`,
    ];
  });
  const title = "Deviations on purpose, each asserted to be exactly this";
  return lines.length === 0 ? [] : [title, ...lines, ""];
}

function listReplayed(outcomes: readonly Outcome[]): readonly Outcome[] {
  return outcomes.filter(({ outOfScope }) => outOfScope === null);
}
