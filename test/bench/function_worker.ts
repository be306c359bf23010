/** The process of one side of a figure about functions: `function_worker.ts <call> <unit> <milliseconds>`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import * as v from "valibot";
import { type Call, calls, repeat } from "./calls.ts";
import { callable, importPeer } from "./peers.ts";
import { profileWhile } from "./profile.ts";
import { serveTask, type Task } from "./task.ts";

const [name = "", unit = "", milliseconds = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const time = Number(milliseconds);

/** What is used of tinybench. Its methods live on its class, so a schema of an object would lose them. */
interface TinyBench {
  add(name: string, call: () => Promise<void>): unknown;
  run(): Promise<unknown>;
}

const Results = v.tuple([
  v.object({ result: v.object({ latency: v.object({ p50: v.number() }) }) }),
]);

await serveTask(async (): Promise<Task> => {
  const make = calls[name];
  if (make === undefined) {
    throw new RangeError(`Cannot measure ${name}: there is no such call`);
  }
  const call = await make(folder);
  const { Bench } = await importPeer(
    "tinybench",
    v.object({ Bench: callable }),
  );
  const batch = await chooseBatch(call);
  return {
    async measure() {
      const bench: unknown = Reflect.construct(Bench, [
        { time, iterations: 3, warmupTime: time / 5 },
      ]);
      if (!isTinyBench(bench)) {
        throw new TypeError("Cannot measure: tinybench has changed");
      }
      bench.add("call", () => repeat(call, batch));
      const [{ result }] = v.parse(Results, await bench.run());
      const microseconds = result.latency.p50 * 1_000 / batch;
      return unit === "µs" ? microseconds : 1e6 / microseconds;
    },
    async profile() {
      await repeat(call, 2_000);
      return await profileWhile(async () => {
        const end = performance.now() + 1_500;
        while (performance.now() < end) await repeat(call, 500);
      });
    },
  };
});

function isTinyBench(value: unknown): value is TinyBench {
  return typeof value === "object" && value !== null && "add" in value &&
    "run" in value &&
    typeof value.add === "function" && typeof value.run === "function";
}

/** A clock read around every call would be a good part of a call of a microsecond: batches take one millisecond. */
async function chooseBatch(call: Call): Promise<number> {
  await repeat(call, 200);
  const start = performance.now();
  await repeat(call, 200);
  const each = (performance.now() - start) / 200;
  return Math.max(1, Math.min(5_000, Math.round(1 / each)));
}
