/** Runs an example as a process of its own: on a free port, in a folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A running example. */
export interface Server {
  /** Where it listens. */
  readonly url: string;
  /** Everything it has printed so far. */
  readonly output: () => string;
  /** Stops it as Ctrl-C does, and returns its exit code. */
  readonly stop: () => Promise<number | null>;
}

/** How to start an example. */
export interface ServerOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a command and waits until it says where it listens. */
export async function startServer(
  command: readonly [string, ...string[]],
  { cwd, env = {} }: ServerOptions,
): Promise<Server> {
  const [program, ...args] = command;
  const child = spawn(program, args, { cwd, env: { ...process.env, PORT: "0", ...env } });
  let output = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Uint8Array): void => {
      output += new TextDecoder().decode(chunk);
      const listening = /listening on (http:\S+)[^]*Ctrl-C/.exec(output)?.[1];
      if (listening !== undefined) resolve(listening);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
  return { url, output: () => output, stop: () => stopProcess(child) };
}

async function stopProcess(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  // Not "exit": a child of the child that lives on keeps the output open.
  const ended = once(child, "close");
  child.kill("SIGINT");
  const [code] = await ended;
  return code;
}
