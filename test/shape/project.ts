import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the project, with a slash at its end. */
export const PROJECT: string = fileURLToPath(new URL("../../", import.meta.url));

/** Reads a file of the project. */
export function readProjectFile(path: string): string {
  return readFileSync(join(PROJECT, path), "utf8");
}

/** Every file below a folder of the project, as paths below the project, with `/`. */
export function listFiles(folder: string): readonly string[] {
  return readdirSync(join(PROJECT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(PROJECT.length).replaceAll("\\", "/"))
    .sort();
}

/** What a program did. */
export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end, with nothing to read. `npm run` tells a child too much: that is left out. */
export async function runProgram(
  program: string,
  words: readonly string[],
  folder: string = PROJECT,
): Promise<Outcome> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_(?!config_)/.test(name));
  const child = spawn(program, [...words], {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text);
  child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text);
  const [code] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, stdout, stderr };
}

/** Runs a program that must succeed, and returns what it wrote to its output. */
export async function succeed(
  program: string,
  words: readonly string[],
  folder?: string,
): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, words, folder);
  if (code === 0) return stdout;
  const name = [program, ...words].join(" ").slice(0, 200);
  throw new Error(`Cannot go on: ${name} ended with ${code}\n${stdout}\n${stderr}`);
}

/** The words that make Node run one of the installed runtimes or packaging tools. */
export function toolWords(name: string, ...words: readonly string[]): readonly string[] {
  return [join(PROJECT, "test/runtimes/run.mjs"), name, ...words];
}

/** How long the first use of the tools may take, in milliseconds: they are installed then. */
export const INSTALL_TIMEOUT = 600_000;

/** Brings the packaging tools and the named runtimes, so that no test has to wait for them. */
export async function installTools(...runtimes: readonly [string, ...string[]]): Promise<void> {
  await succeed(process.execPath, [join(PROJECT, "test/runtimes/install.mjs"), ...runtimes]);
}
