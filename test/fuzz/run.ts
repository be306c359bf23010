/** A long run of random headers and bodies: `npm run test:fuzz -- [--cases 1000000] [--seed N]`. */
import process from "node:process";
import { parseArgs } from "node:util";
import { makeBodyFuzz } from "./body.ts";
import { type Fuzz, makeHeaderFuzz } from "./header.ts";

const { values } = parseArgs({
  options: { cases: { type: "string" }, seed: { type: "string" } },
});
const cases = readNumber("cases", values.cases ?? "1000000");
const seed = readNumber("seed", values.seed ?? `${1 + Date.now() % 2 ** 31}`);

console.log(`seed ${seed}`);
const failed = await run("headers", await makeHeaderFuzz(seed)) +
  await run("bodies", makeBodyFuzz(seed));
console.log(`${2 * cases - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** Runs all cases, and says how many of them were answered wrongly. */
async function run(name: string, fuzz: Fuzz): Promise<number> {
  const started = performance.now();
  let failed = 0;
  for (let index = 0; index < cases; index++) {
    try {
      await fuzz.check();
    } catch (error) {
      failed++;
      if (failed <= 20) console.log(`case ${index}: ${error}`);
    }
  }
  const seconds = Math.round((performance.now() - started) / 1000);
  const outcomes = [...fuzz.outcomes].sort().map(([outcome, count]) => `${outcome}: ${count}`);
  console.log(`${cases} ${name} in ${seconds} seconds: ${outcomes.join(", ")}`);
  return failed;
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  console.error(`Cannot run with --${name}=${text}: expected a whole number from 1 up`);
  return process.exit(1);
}
