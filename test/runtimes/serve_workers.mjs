// Serves examples/workers.ts in the real workerd: `npm run example:workers`.
//
// A Worker has no files, no terminal and no socket of its own. This is the host around it.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ensureRuntimes, packagesFolder } from "./install.mjs";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));

/** The environment variables become bindings of the same name, so no secret is in the file. */
const CONFIG = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "example", worker = (
    modules = [(name = "workers.mjs", esModule = embed "workers.mjs")],
    compatibilityDate = "2026-01-01",
    compatibilityFlags = ["nodejs_compat"],
    bindings = [
      (name = "LATCHKEY_SECRET", fromEnvironment = "LATCHKEY_SECRET"),
      (name = "LATCHKEY_USERNAME", fromEnvironment = "LATCHKEY_USERNAME"),
      (name = "LATCHKEY_PASSWORD", fromEnvironment = "LATCHKEY_PASSWORD"),
    ],
  ))],
  sockets = [(name = "http", http = (), service = "example")],
);
`;

/** The folder that holds the bundles while this runs. */
const folder = fs.mkdtempSync(join(tmpdir(), "latchkey-workers-"));
process.once("exit", () => fs.rmSync(folder, { recursive: true, force: true }));
const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => stopped.abort());

const { workerd } = await ensureRuntimes(["workerd"]);
if (workerd === undefined || "problem" in workerd) {
  console.error(workerd?.problem);
  process.exit(1);
}
await bundleExamples(["terminal", "workers"]);
/** @type {typeof import("../../examples/terminal.ts")} */
const terminal = await import(pathToFileURL(join(folder, "terminal.mjs")).href);
const hostname = process.env["HOST"] ?? "127.0.0.1";
const port = terminal.readPort();
const chosen = process.env["LATCHKEY_PASSWORD"];
const account = {
  LATCHKEY_SECRET: process.env["LATCHKEY_SECRET"] ?? randomBytes(32).toString("hex"),
  LATCHKEY_USERNAME: process.env["LATCHKEY_USERNAME"] ?? "admin",
  LATCHKEY_PASSWORD: chosen ?? terminal.generatePassword(),
};
process.exit(await serve(workerd.path));

/**
 * Puts each example and what it imports into one file.
 *
 * @param {readonly string[]} names
 */
async function bundleExamples(names) {
  const { build, stop } = createRequire(join(packagesFolder, "index.js"))("esbuild");
  await build({
    entryPoints: names.map((name) => join(PROJECT, "examples", `${name}.ts`)),
    absWorkingDir: PROJECT,
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    target: "es2022",
    platform: "neutral",
    conditions: ["workerd", "worker", "browser"],
    mainFields: ["module", "main"],
    external: ["node:*"],
    tsconfig: join(PROJECT, "tsconfig.json"),
  });
  await stop();
}

/**
 * Runs workerd until it ends or is stopped.
 *
 * @param {string} program
 * @returns {Promise<number>} the exit code: 0 when it was stopped
 */
function serve(program) {
  const config = join(folder, "config.capnp");
  fs.writeFileSync(config, CONFIG);
  const address = `http=${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  const child = spawn(program, ["serve", config, "--socket-addr", address, "--control-fd", "3"], {
    stdio: ["ignore", "inherit", "pipe", "pipe"],
    env: { ...process.env, ...account },
  });
  const stop = () => child.kill("SIGTERM");
  if (stopped.signal.aborted) stop();
  else stopped.signal.addEventListener("abort", stop);

  let errors = "";
  let isListening = false;
  child.stderr?.setEncoding("utf8").on("data", (text) => {
    errors += text;
    if (isListening) process.stderr.write(text);
  });
  // One line of JSON, `{"event":"listen","socket":"http","port":3000}`, once it accepts requests.
  child.stdio[3]?.on("data", (line) => {
    isListening = true;
    terminal.printTutorial({
      hostname,
      port: JSON.parse(String(line)).port,
      username: account.LATCHKEY_USERNAME,
      password: chosen === undefined
        ? { shown: account.LATCHKEY_PASSWORD }
        : { origin: "the one in LATCHKEY_PASSWORD" },
      ending: "its users and tokens end with it",
    });
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => {
      if (stopped.signal.aborted) return resolve(0);
      if (errors.includes("Address already in use")) return terminal.refuseTakenPort(port);
      if (!isListening) console.error(errors);
      resolve(code || 1);
    });
  });
}
