/** The process of one side of a figure about large databases: `scale_worker.ts <question> <size> <file>`. */
import { defineAuth, listTokens, verifyToken } from "latchkey";
import { libsqlStore } from "latchkey/libsql";
import { pbkdf2 } from "latchkey/pbkdf2";
import process from "node:process";
import { profileWhile } from "./profile.ts";
import { medianOf, quantileOf } from "./rounds.ts";
import { countSamples, ENDED_SHARE, PER_USER, sampleText, userId } from "./scale_database.ts";
import { openDatabase } from "./subject.ts";
import { serveTask, type Task } from "./task.ts";

const [question = "", size = "", path = ""] = process.argv.slice(2);
/** How many batches of a prune are one measurement. */
const PORTIONS = 6;
const BATCH = 1_000;
const MILLISECONDS = 500;

await serveTask(async (): Promise<Task> => {
  const store = libsqlStore(await openDatabase(path));
  // Writing uses down is not what is asked about, and every sample would be written once.
  const auth = defineAuth({
    store,
    passwords: [pbkdf2()],
    touchInterval: null,
  });
  const texts = Array.from(
    { length: countSamples(Number(size)) },
    (_, index) => sampleText(index),
  );

  const verify = async () => {
    const result = await verifyToken(auth, texts[draw(texts.length)] ?? "");
    if (!result.ok) {
      throw new Error(
        `Cannot go on: a token was refused: ${result.failure.reason}`,
      );
    }
  };
  const list = async () => {
    const result = await listTokens(
      auth,
      userId(draw(Number(size) / PER_USER)),
    );
    if (!result.ok || result.value.tokens.length < PER_USER / 2) {
      throw new Error("Cannot go on: a list is too short");
    }
  };
  const prune = async () => {
    const batches = Math.ceil(Number(size) * ENDED_SHARE / BATCH / PORTIONS);
    const start = performance.now();
    for (let index = 0; index < batches; index += 1) {
      await store.pruneTokens(Date.now() - 100 * 24 * 60 * 60 * 1_000, BATCH);
    }
    return performance.now() - start;
  };
  const answers: Readonly<Record<string, () => Promise<number>>> = {
    verify: async () => medianOf(await sample(verify)) * 1_000,
    list: async () => medianOf(await sample(list)) * 1_000,
    wait: async () => quantileOf(await sample(verify), 0.99),
    prune,
  };
  const measure = answers[question];
  if (measure === undefined) throw new RangeError(`Cannot measure ${question}`);
  return { measure, profile: () => profileWhile(measure) };
});

/** How long calls take, one after the other, in milliseconds. */
async function sample(call: () => Promise<void>): Promise<readonly number[]> {
  const samples: number[] = [];
  for (const end = performance.now() + MILLISECONDS; performance.now() < end;) {
    const start = performance.now();
    await call();
    samples.push(performance.now() - start);
  }
  return samples;
}

function draw(count: number): number {
  return Math.floor(Math.random() * count);
}
