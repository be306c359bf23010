import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Effort, Figure, Outcome } from "./figure.ts";
import { alternate, medianOf } from "./rounds.ts";
import { ENDED_SHARE, fillDatabase } from "./scale_database.ts";
import { formatNumber } from "./table.ts";
import { startWorker, type Worker } from "./worker.ts";

const SMALL = 10_000;
const QUICK = 100_000;
const SIZES = [1_000_000, 10_000_000];

/** What is asked of a database of some size. */
type Question = "verify" | "list" | "wait" | "prune";

/** Whether it matters how many tokens there are. */
export const scaleFigures: readonly Figure[] = [
  ...[QUICK, ...SIZES].flatMap((size) => [
    describe("verify", size, { bound: "at most", value: 1.5 }),
    describe("list", size, null),
  ]),
  {
    name: "scale prune",
    subject: "verifyToken p99 while a million tokens are pruned",
    rival: "the same, idle",
    unit: "ms",
    relation: "ratio",
    target: null,
    isLong: true,
    measure: measurePrune,
  },
];

function describe(
  question: "verify" | "list",
  size: number,
  target: Figure["target"],
): Figure {
  const words = question === "verify" ? "verifyToken, libSQL file" : "listTokens, libSQL file";
  return {
    name: `scale ${question} ${formatNumber(size)}`,
    subject: `${words}, ${formatNumber(size)} tokens`,
    rival: `${formatNumber(SMALL)} tokens`,
    unit: "µs",
    relation: "ratio",
    target,
    isLong: size > QUICK,
    measure: (effort) => compare(question, size, effort),
  };
}

async function compare(
  question: Question,
  size: number,
  { quick }: Effort,
): Promise<Outcome> {
  const large: WorkerWords = [question, size, await prepareDatabase(size)];
  const small: WorkerWords = [question, SMALL, await prepareDatabase(SMALL)];
  return await withWorkers([large, small], async ([one, other]) => {
    const sides = {
      subject: () => one.measure(),
      rival: () => other.measure(),
    };
    return { kind: "measured", rounds: await alternate(quick ? 3 : 9, sides) };
  });
}

/** Prunes in another process, as a cron job would, a portion in each round. */
async function measurePrune(): Promise<Outcome> {
  const size = SIZES.at(-1) ?? QUICK;
  const path = await prepareDatabase(size);
  return await withWorkers(
    [["wait", size, path], ["prune", size, path]],
    async ([one, other]) => {
      let spent = 0;
      const rounds = await alternate(5, {
        subject: async () => {
          const waits: number[] = [];
          let isOver = false;
          const pruning = other.measure().finally(() => {
            isOver = true;
          });
          while (!isOver) waits.push(await one.measure());
          spent += await pruning;
          return medianOf(waits);
        },
        rival: () => one.measure(),
      });
      const rate = size * ENDED_SHARE / (spent / 1_000);
      return {
        kind: "measured",
        rounds,
        note: `pruned ${formatNumber(rate)} tokens a second`,
      };
    },
  );
}

const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const databases = new Map<number, string>();

/** The file with that many tokens; made once, because several figures ask it. */
async function prepareDatabase(size: number): Promise<string> {
  const known = databases.get(size);
  if (known !== undefined) return known;
  const path = join(folder, `${size}.db`);
  const start = performance.now();
  await fillDatabase(path, size);
  const seconds = Math.round((performance.now() - start) / 1_000);
  const bytes = statSync(path).size;
  console.error(
    `made ${size} tokens in ${seconds} s, ${Math.round(bytes / 1e6)} MB`,
  );
  databases.set(size, path);
  return path;
}

type WorkerWords = readonly [question: Question, size: number, path: string];

async function withWorkers(
  [one, other]: readonly [WorkerWords, WorkerWords],
  work: (workers: readonly [Worker, Worker]) => Promise<Outcome>,
): Promise<Outcome> {
  const workers: Worker[] = [];
  const start = async (words: WorkerWords) => {
    const worker = await startWorker("scale_worker", words.map(String));
    workers.push(worker);
    return worker;
  };
  try {
    return await work([await start(one), await start(other)]);
  } finally {
    for (const worker of workers) await worker.stop();
  }
}
