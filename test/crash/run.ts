/** Kills writers of a libSQL file and looks what is left: `npm run test:crash -- [--rounds 300] [--seed N] [--fault NAME]`. */
import process from "node:process";
import { parseArgs } from "node:util";
import { faults } from "./faults.ts";
import { formatReport } from "./report.ts";
import { runRounds } from "./runner.ts";

const { values } = parseArgs({
  options: { rounds: { type: "string" }, seed: { type: "string" }, fault: { type: "string" } },
});
const rounds = readNumber("rounds", values.rounds ?? "300");
const seed = readNumber("seed", values.seed ?? `${Date.now() % 2 ** 31}`);
const fault = values.fault ?? "none";
if (faults[fault] === undefined) {
  console.error(`Cannot run with --fault=${fault}: choose from ${Object.keys(faults).join(", ")}`);
  process.exit(1);
}

console.log(`seed ${seed}, fault: ${fault}`);
const started = performance.now();
const report = await runRounds({ rounds, seed, fault, onLoss: (loss) => console.log(loss) });
console.log(formatReport(report));
console.log(`${Math.round((performance.now() - started) / 1000)} seconds`);
const failed = report.losses.length > 0 ? 1 : 0;
console.log(`${report.rounds - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`Cannot run with --${name}=${text}: expected a whole number from 1 up`);
  return process.exit(1);
}
