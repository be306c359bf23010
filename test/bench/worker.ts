import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { buildPrograms } from "./build.ts";
import { type HotSpot, Missing, NotBuilt } from "./figure.ts";
import { type Answer, readAnswer } from "./task.ts";

/*
 * Each side of a comparison is a process of its own: a library that switches
 * on async hooks, or that makes the compiler give up on a shared function, would
 * slow its rival down as well.
 */

/** One side of a comparison in a process of its own. */
export interface Worker {
  /** Measures once, in the unit of the figure. */
  measure(): Promise<number>;
  /** Runs under the profiler for a while. */
  profile(): Promise<readonly HotSpot[]>;
  stop(): Promise<void>;
}

/** Starts a program of this folder that calls `serveTask`, on the Node that runs this. */
export async function startWorker(
  module: string,
  words: readonly string[],
): Promise<Worker> {
  const child = fork(join(await buildPrograms(), `${module}.mjs`), [...words], {
    execArgv: [],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const stopNow = () => child.kill();
  process.once("exit", stopNow);
  const stop = async () => {
    process.off("exit", stopNow);
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.disconnect();
    await once(child, "exit");
  };
  try {
    await waitFor(child, "ready");
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async measure() {
      child.send("measure");
      return (await waitFor(child, "value")).value;
    },
    async profile() {
      child.send("profile");
      return (await waitFor(child, "profile")).spots;
    },
    stop,
  };
}

async function waitFor<Kind extends Answer["kind"]>(
  child: ChildProcess,
  kind: Kind,
): Promise<Extract<Answer, { kind: Kind }>> {
  const ended = new AbortController();
  const [message]: unknown[] = await Promise.race([
    once(child, "message", { signal: ended.signal }),
    once(child, "exit", { signal: ended.signal }).then(([code]) => [{
      kind: "failure",
      name: "Error",
      message: `the process of one side ended with ${code}`,
    }]),
  ]).finally(() => ended.abort());
  const answer = readAnswer(message);
  if (isKind(answer, kind)) return answer;
  if (answer.kind !== "failure") {
    throw new Error(`Cannot go on: expected ${kind}`);
  }
  if (answer.name === "NotBuilt") throw new NotBuilt(answer.message);
  if (answer.name === "Missing") throw new Missing(answer.message);
  throw new Error(answer.message);
}

function isKind<Kind extends Answer["kind"]>(
  answer: Answer,
  kind: Kind,
): answer is Extract<Answer, { kind: Kind }> {
  return answer.kind === kind;
}
