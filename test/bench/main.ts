/**
 * Measures the library against named rivals:
 * `npm run bench -- [--quick] [--only NAME] [--profile] [--json FILE]`.
 *
 * Every figure is a ratio of two things measured in turns in this very run, so
 * it says little about the machine. `--only` takes a part of a figure's name,
 * `--quick` leaves out what takes long. A missed target comes with a profile,
 * with `--quick` only where `--profile` asks for it.
 */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { type Figure, type HotSpot, Missing, NotBuilt, type Outcome } from "./figure.ts";
import { functionFigures } from "./functions.ts";
import { loginFigures } from "./login_storm.ts";
import { describeMachine, formatMachine } from "./machine.ts";
import { ensurePeers } from "./peers.ts";
import { summarize } from "./rounds.ts";
import { scaleFigures } from "./scale.ts";
import { serverFigures } from "./servers.ts";
import { sizeFigures } from "./size.ts";
import { formatTable, isMet, type Line } from "./table.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    profile: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    json: { type: "string" },
  },
});
// Leaving by `exit` removes the files and ends the servers.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => process.exit(1));
}

const effort = { quick: values.quick };
const figures = [
  ...functionFigures,
  ...serverFigures,
  ...loginFigures,
  ...scaleFigures,
  ...sizeFigures,
].filter(({ name, isLong = false }) => name.includes(values.only) && !(isLong && values.quick));
if (figures.length === 0) {
  console.error(
    `Cannot run with --only=${values.only}: no figure has that in its name`,
  );
  process.exit(1);
}

const machine = describeMachine();
const started = performance.now();
console.log(formatMachine(machine));
ensurePeers();
const lines: Line[] = [];
const profiles: Record<string, readonly HotSpot[]> = {};
for (const figure of figures) {
  console.error(`${figure.name} …`);
  const line = { figure, outcome: await measure(figure) };
  lines.push(line);
  const isExplained = values.profile ||
    (isMet(line) === false && !values.quick);
  if (
    isExplained && line.outcome.kind === "measured" &&
    figure.profile !== undefined
  ) {
    profiles[figure.name] = await figure.profile(effort);
  }
}

console.log(`\n${formatTable(lines)}`);
for (const [name, spots] of Object.entries(profiles)) {
  console.log(`\n${name}: where the subject's time goes`);
  for (const { place, share } of spots) {
    console.log(`${(share * 100).toFixed(1).padStart(6)} %  ${place}`);
  }
}
const file = values.json ??
  join(mkdtempSync(join(tmpdir(), "latchkey-bench-json-")), "bench.json");
writeFileSync(file, `${JSON.stringify(toJson(), null, 2)}\n`);
const seconds = Math.round((performance.now() - started) / 1_000);
const missed = lines.filter((line) => isMet(line) === false).length;
const open = lines.filter(({ outcome }) => outcome.kind !== "measured").length;
console.log(
  `\n${missed} missed, ${open} not measured, ${seconds} seconds, written to ${file}`,
);

/** A failure of one figure is told in its line; the others still count. */
async function measure(figure: Figure): Promise<Outcome> {
  try {
    return await figure.measure(effort);
  } catch (error) {
    if (error instanceof NotBuilt) {
      return { kind: "not built", reason: error.message };
    }
    if (error instanceof Missing) {
      return { kind: "skipped", reason: error.message };
    }
    process.exitCode = 1;
    const reason = error instanceof Error ? error.stack ?? error.message : String(error);
    return { kind: "failed", reason };
  }
}

function toJson(): unknown {
  return {
    machine,
    quick: values.quick,
    figures: lines.map((line) => {
      const { name, subject, rival, unit, relation, target } = line.figure;
      const { outcome } = line;
      const summary = outcome.kind === "measured" ? summarize(outcome.rounds, relation) : null;
      return {
        name,
        subject,
        rival,
        unit,
        relation,
        target,
        met: isMet(line),
        summary,
        ...outcome,
      };
    }),
    profiles,
  };
}
