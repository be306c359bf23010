/**
 * What a client can learn by a clock, and what a storm of logins does to others:
 * `npm run test:timing -- [--only logins|tokens|storm] [--rounds N] [--seed N]`.
 *
 * A statistic: the tests that count hashes gate a release, this prints figures.
 * Ends with 1 when two things that are promised to be equal differ by more than 10 %.
 */
import { createClient } from "@libsql/client";
import { argon2id } from "latchkey/argon2id";
import { libsqlStore, migrate } from "latchkey/libsql";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { withFolder } from "../bench/project.ts";
import { seededNumbers } from "../fixture.ts";
import { prepareLogins } from "./logins.ts";
import { type Case, formatReport, judgeCases, measureCases } from "./measurement.ts";
import { measureStorm } from "./storm.ts";
import { prepareTokens } from "./tokens.ts";

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    seed: { type: "string" },
  },
});
const PARTS = ["logins", "tokens", "storm"];
if (values.only !== undefined && !PARTS.includes(values.only)) {
  console.error(`Cannot run --only=${values.only}: expected one of ${PARTS.join(", ")}`);
  process.exit(1);
}
const seed = readNumber("seed", values.seed) ?? Date.now() % 2 ** 31;
const rounds = readNumber("rounds", values.rounds);
const draw = seededNumbers(seed);
const isWanted = (part: string) => values.only === undefined || values.only === part;
console.log(`seed ${seed}`);

if (isWanted("logins")) {
  const argon = { hasher: argon2id(), weaker: argon2id({ memorySize: 8_192, iterations: 1 }) };
  await compare("login, argon2id", await prepareLogins(argon), 100);
  // Fewer rounds than the default: what is compared is how many derivations there are.
  const derived = {
    hasher: pbkdf2({ iterations: 40_000 }),
    weaker: pbkdf2({ iterations: 20_000 }),
  };
  await compare("login, pbkdf2 of 40,000 rounds", await prepareLogins(derived), 100);
}
if (isWanted("tokens")) {
  await compare("token, in memory", await prepareTokens(memoryStore()), 20_000);
  await withFolder(async (folder) => {
    const client = createClient({ url: `file:${join(folder, "timing.db")}` });
    await migrate(client);
    await compare("token, libSQL file", await prepareTokens(libsqlStore(client)), 20_000);
    client.close();
  });
}
if (isWanted("storm")) {
  const { lines, problems } = await measureStorm();
  console.log(`\nlogin storm: Hono on Node, libSQL file, argon2id\n${lines.join("\n")}`);
  for (const problem of problems) console.log(`BROKEN: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
}

async function compare(title: string, cases: readonly Case[], usual: number): Promise<void> {
  const count = rounds ?? usual;
  const report = judgeCases(cases, await measureCases(cases, { rounds: count, draw }));
  console.log(`\n${title}, ${count} rounds\n${formatReport(report)}`);
  if (report.findings.some(({ isBroken }) => isBroken)) process.exitCode = 1;
}

function readNumber(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 1) return value;
  console.error(`Cannot run with --${name}=${text}: expected a whole number from 2 up`);
  return process.exit(1);
}
