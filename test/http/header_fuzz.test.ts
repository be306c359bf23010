import { expect, it } from "vitest";
import { makeBodyFuzz } from "../fuzz/body.ts";
import { type Fuzz, makeHeaderFuzz } from "../fuzz/header.ts";

/** What the environment says, where there is one: Workers have none. */
function readVariable(name: string): string | undefined {
  return typeof process === "undefined" ? undefined : process.env[name];
}

const seed = Number(readVariable("FUZZ_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const cases = Number(readVariable("FUZZ_CASES") ?? 3_000);

/** Outcomes that are not seen among this many cases are not drawn any more. */
const ENOUGH = 2_000;

async function run(fuzz: Fuzz, count: number, expected: readonly string[]): Promise<void> {
  for (let index = 0; index < count; index++) {
    try {
      await fuzz.check();
    } catch (error) {
      throw new Error(`seed ${seed}, case ${index}: ${error}`, { cause: error });
    }
  }
  if (count >= ENOUGH) expect([...fuzz.outcomes.keys()].sort(), `seed ${seed}`).toEqual(expected);
}

it("lets nothing but the exact token pass, whatever keeps the header (H10, H16, H17)", async () => {
  await run(await makeHeaderFuzz(seed), cases, ["400", "401", "ada"]);
});

it("answers every body, and never with an echo or a 5xx (J1, J2, J3, J4, J5)", async () => {
  await run(makeBodyFuzz(seed), cases, ["200", "400", "413", "415"]);
});
