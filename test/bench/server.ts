import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { buildPrograms } from "./build.ts";
import { type HotSpot, Missing, NotBuilt } from "./figure.ts";
import { PROJECT } from "./project.ts";

/** A server in a process of its own. */
export interface Server {
  readonly url: string;
  /** The header that the guarded route accepts. */
  readonly authorization: string;
  /** Seconds of CPU time it has used; `null` where the system does not tell. */
  readCpu(): number | null;
  /** Ends it; the profile is empty unless one was asked for. */
  stop(): Promise<readonly HotSpot[]>;
}

/** How to start a server. */
export interface Command {
  readonly program: string;
  readonly words: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const Line = v.variant("kind", [
  v.object({
    kind: v.literal("ready"),
    port: v.number(),
    authorization: v.string(),
  }),
  v.object({ kind: v.literal("not built"), reason: v.string() }),
  v.object({
    kind: v.literal("profile"),
    spots: v.array(v.object({ place: v.string(), share: v.number() })),
  }),
]);

/** Starts one of the programs in `apps/`, compiled, on the runtime of its name. */
export async function startApplication(
  name: "hono" | "express" | "deno" | "bun",
  variant: string,
  { profiled }: { readonly profiled: boolean } = { profiled: false },
): Promise<Server> {
  const path = join(await buildPrograms(), "apps", `${name}.mjs`);
  const commands: Readonly<Record<string, () => Command>> = {
    deno: () => ({
      program: findRuntime("deno"),
      words: ["run", "--allow-all", path, variant],
    }),
    bun: () => ({ program: findRuntime("bun"), words: [path, variant] }),
  };
  const command = commands[name]?.() ??
    { program: process.execPath, words: [path, variant] };
  return await startServer(
    profiled ? { ...command, env: { LATCHKEY_PROFILE: "1" } } : command,
  );
}

/** Starts a program that says in one line of JSON where it listens. */
export async function startServer(
  { program, words, env = {} }: Command,
): Promise<Server> {
  const child = spawn(program, [...words], {
    cwd: PROJECT,
    env: {
      ...process.env,
      DENO_NO_UPDATE_CHECK: "1",
      NODE_ENV: "production",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stopNow = () => child.kill("SIGTERM");
  process.once("exit", stopNow);
  const lines = createInterface({ input: child.stdout });
  const exit = once(child, "exit");
  let spots: readonly HotSpot[] = [];
  const ready = new Promise<
    { readonly port: number; readonly authorization: string }
  >(
    (resolve, reject) => {
      lines.on("line", (text) => {
        const line = v.parse(Line, JSON.parse(text));
        if (line.kind === "ready") resolve(line);
        else if (line.kind === "profile") spots = line.spots;
        else reject(new NotBuilt(line.reason));
      });
      exit.then(
        ([code]) => reject(new Error(`Cannot go on: ${program} ended with ${code}`)),
        (error) => reject(error),
      );
    },
  );
  const stop = async () => {
    stopNow();
    await exit;
    process.off("exit", stopNow);
    return spots;
  };
  try {
    const { port, authorization } = await ready;
    const url = `http://127.0.0.1:${port}`;
    return { url, authorization, readCpu: () => readCpu(child.pid), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The path of an installed runtime. */
function findRuntime(name: string): string {
  try {
    const words = [join(PROJECT, "test/runtimes/install.mjs"), name];
    const line = execFileSync(process.execPath, words, { encoding: "utf8" })
      .trim();
    return line.split(" ").slice(2).join(" ");
  } catch {
    throw new Missing(`${name} cannot be installed here`);
  }
}

/** Linux counts it in hundredths of a second. */
function readCpu(id: number | undefined): number | null {
  try {
    const fields = readFileSync(`/proc/${id}/stat`, "utf8").replace(
      /^.*\) /,
      "",
    ).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return null;
  }
}
