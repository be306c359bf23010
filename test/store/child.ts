import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A process that answers each line with a line. */
export interface Child {
  /** The next line it prints. */
  read(): Promise<string>;
  write(line: string): void;
  /** Says that no more lines come, and waits for its end. */
  close(): Promise<void>;
}

/** Runs a file beside this one in a process of the runtime that runs the tests. */
export function startChild(file: string, args: readonly string[]): Child {
  const flags = "Deno" in globalThis
    ? ["run", "-A"]
    : "Bun" in globalThis
    ? []
    : ["--import", "tsx"];
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(process.execPath, [...flags, path, ...args], {
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    stdio: ["pipe", "pipe", "pipe"],
  });
  let complaint = "";
  child.stderr.on("data", (chunk) => complaint += String(chunk));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async read() {
      const { done, value } = await lines.next();
      if (done === true) throw new Error(`The process ended: ${complaint}`);
      return value;
    },
    write: (line) => child.stdin.write(`${line}\n`),
    close() {
      child.stdin.end();
      return ended;
    },
  };
}
