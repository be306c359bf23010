// Runs one of the installed runtimes or packaging tools as if it were on the PATH.
//
//   node test/runtimes/run.mjs <deno|bun|workerd|node20|node22|node24|node26|attw|publint> args…

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { ensurePackages, ensureRuntimes, packagesFolder, runtimeNames } from "./install.mjs";

/** @type {Readonly<Record<string, string>>} */
const TOOLS = { attw: "@arethetypeswrong/cli", publint: "publint" };

const [name, ...words] = process.argv.slice(2);
try {
  const [program, ...first] = await commandOf(name ?? "");
  runProgram(program ?? "", [...first, ...words]);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

/**
 * @param {string} name
 * @returns {Promise<string[]>} the program and the words that come first
 */
async function commandOf(name) {
  const tool = TOOLS[name];
  if (tool !== undefined) {
    await ensurePackages();
    const folder = join(packagesFolder, tool);
    const { bin } = JSON.parse(fs.readFileSync(join(folder, "package.json"), "utf8"));
    return [process.execPath, join(folder, typeof bin === "string" ? bin : bin[name])];
  }
  if (!runtimeNames.includes(name)) {
    const names = [...runtimeNames, ...Object.keys(TOOLS)].join(", ");
    throw new RangeError(`Cannot run ${name || "nothing"}: choose from ${names}`);
  }
  const runtime = (await ensureRuntimes([name]))[name];
  if (runtime === undefined || "problem" in runtime) {
    throw new Error(runtime?.problem ?? `Cannot run ${name}: it is not installed`);
  }
  return [runtime.path];
}

/**
 * Ends as the program ends, with its exit code or by its signal.
 *
 * @param {string} program
 * @param {readonly string[]} words
 */
function runProgram(program, words) {
  const child = spawn(program, words, {
    stdio: "inherit",
    env: { DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1", ...process.env },
  });
  /** @type {readonly NodeJS.Signals[]} */
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  /** @param {NodeJS.Signals} signal */
  const forward = (signal) => child.kill(signal);
  for (const signal of signals) process.on(signal, forward);
  child.on("error", (error) => {
    console.error(`Cannot run ${program}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    for (const name of signals) process.off(name, forward);
    if (signal === null) process.exitCode = code ?? 1;
    else process.kill(process.pid, signal);
  });
}
