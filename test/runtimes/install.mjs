// Brings the runtimes and packaging tools that the tests need. Plain JavaScript on purpose: the
// oldest supported Node runs it as it is, before anything is built.
//
//   node test/runtimes/install.mjs [name…]     install, then print each name, version and path

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";

const FOLDER = dirname(fileURLToPath(import.meta.url));
const MODULES = join(FOLDER, "node_modules");
const STAMP = join(MODULES, ".latchkey.json");
const LOCK = join(FOLDER, "install.lock");
const EXE = process.platform === "win32" ? ".exe" : "";

/**
 * Where each package keeps the program, relative to `node_modules`.
 *
 * @type {Readonly<Record<string, string>>}
 */
const PROGRAMS = {
  deno: `deno/deno${EXE}`,
  bun: "bun/bin/bun.exe",
  workerd: `workerd/bin/workerd${EXE}`,
  node20: `node20/bin/node${EXE}`,
  node22: `node22/bin/node${EXE}`,
  node24: `node24/bin/node${EXE}`,
  node26: `node26/bin/node${EXE}`,
};

/** The names of all runtimes, those of Node last because each of them is a large download. */
export const runtimeNames = Object.keys(PROGRAMS);

/**
 * A runtime that answered `--version`, or the reason why there is none.
 *
 * @typedef {{ readonly name: string, readonly path: string, readonly version: string }} Runtime
 * @typedef {{ readonly name: string, readonly problem: string }} MissingRuntime
 */

/**
 * What was installed: `inputs` is a digest of everything the install depends on.
 *
 * @typedef {{ inputs: string, versions: Record<string, string> }} Stamp
 */

/**
 * Makes the named runtimes ready and says where they are.
 *
 * Does nothing, and prints nothing, when they are. Otherwise prints one line to standard error.
 * Any number of processes may call it at once: one installs, the others wait for it.
 * A runtime that cannot be had is an answer and not an exception, for the caller to judge.
 *
 * @param {readonly string[]} names
 * @returns {Promise<Record<string, Runtime | MissingRuntime>>}
 */
export async function ensureRuntimes(names = runtimeNames) {
  for (const name of names) {
    if (!Object.hasOwn(PROGRAMS, name)) {
      throw new RangeError(`Cannot install ${name}: choose from ${runtimeNames.join(", ")}`);
    }
  }
  /** @type {Record<string, string>} */
  const problems = {};
  if (!isReady(names)) await withLock(() => install(names, problems));
  const versions = readStamp()?.versions ?? {};
  return Object.fromEntries(names.map((name) => [name, describeRuntime(name)]));

  /**
   * @param {string} name
   * @returns {Runtime | MissingRuntime}
   */
  function describeRuntime(name) {
    const version = versions[name];
    if (problems[name] === undefined && version !== undefined) {
      return { name, path: programOf(name), version };
    }
    return { name, problem: problems[name] ?? "not installed" };
  }
}

/**
 * Makes the packaging tools and esbuild ready, without any runtime.
 *
 * @throws {Error} when the packages cannot be installed
 */
export async function ensurePackages() {
  /** @type {Record<string, string>} */
  const problems = {};
  if (!isReady([])) await withLock(() => install([], problems));
  if (!isReady([])) throw new Error(problems[""] ?? "Cannot install the test packages");
}

/**
 * The folder that holds the installed packages, for `createRequire` and the like.
 */
export const packagesFolder = MODULES;

/** @param {string} name */
function programOf(name) {
  return join(MODULES, PROGRAMS[name] ?? "");
}

/** @param {readonly string[]} names */
function isReady(names) {
  const stamp = readStamp();
  return stamp !== null && stamp.inputs === digestInputs() &&
    names.every((name) => stamp.versions[name] !== undefined && fs.existsSync(programOf(name)));
}

/** @returns {Stamp | null} */
function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(STAMP, "utf8"));
  } catch {
    return null;
  }
}

/** @param {Stamp} stamp */
function writeStamp(stamp) {
  const draft = `${STAMP}.${process.pid}`;
  fs.writeFileSync(draft, JSON.stringify(stamp));
  fs.renameSync(draft, STAMP);
}

function digestInputs() {
  const digest = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of ["package.json", "package-lock.json"]) {
    digest.update(fs.readFileSync(join(FOLDER, file)));
  }
  return digest.digest("hex");
}

/**
 * @param {readonly string[]} names
 * @param {Record<string, string>} problems filled with one entry per runtime that cannot be had
 */
function install(names, problems) {
  if (isReady(names)) return; // another process did it while this one waited
  const missing = names.filter((name) => !isReady([name]));
  console.error(`Installing ${["test packages", ...missing].join(", ")} into test/runtimes`);
  const inputs = digestInputs();
  if (readStamp()?.inputs !== inputs) {
    const failure = installPackages();
    if (failure !== null) {
      for (const name of ["", ...names]) problems[name] = failure;
      return;
    }
    writeStamp({ inputs, versions: {} });
  }
  for (const name of missing) {
    const answer = setUp(name);
    if ("problem" in answer) {
      problems[name] = answer.problem;
    } else {
      writeStamp({ inputs, versions: { ...readStamp()?.versions, [name]: answer.version } });
    }
  }
}

/**
 * npm's policy about install scripts depends on its version and on the user's settings, so npm
 * runs none of them; `setUp` runs those that are needed.
 *
 * @returns {string | null} what went wrong
 */
function installPackages() {
  const cli = process.env["npm_execpath"];
  const words = ["ci", "--ignore-scripts", "--include=optional", "--no-audit", "--no-fund"];
  const [command, first] = cli?.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []];
  const child = spawnSync(command, [...first, ...words, "--loglevel=error"], {
    cwd: FOLDER,
    encoding: "utf8",
    env: environment(),
    shell: command === "npm" && process.platform === "win32",
  });
  if (child.status === 0) return null;
  return `Cannot install the test packages: npm ci failed\n${reasonOf(child)}`;
}

/**
 * Runs the package's own install script, then asks the program for its version.
 *
 * @param {string} name
 * @returns {{ version: string } | { problem: string }}
 */
function setUp(name) {
  const folder = join(MODULES, name);
  const script = installScriptOf(folder);
  // Also when the program answers already: it may be a JavaScript stand-in that is slow to start.
  const child = spawnSync(process.execPath, script, {
    cwd: folder,
    encoding: "utf8",
    env: environment(),
  });
  try {
    const answer = execFileSync(programOf(name), ["--version"], {
      encoding: "utf8",
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const version = /\d+[.-]\d+[.-]\d+/.exec(answer)?.[0];
    if (version !== undefined) return { version };
    return { problem: `Cannot use ${name}: it answered ${JSON.stringify(answer)} to --version` };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      problem: `Cannot use ${name}: ${reason}; its own install script ` +
        `"node ${script.join(" ")}" ended with ${child.status}\n${reasonOf(child)}`,
    };
  }
}

/** @param {string} folder */
function installScriptOf(folder) {
  const { scripts } = JSON.parse(fs.readFileSync(join(folder, "package.json"), "utf8"));
  const script = scripts?.postinstall ?? scripts?.install ?? scripts?.preinstall;
  const [command, ...words] = String(script).split(/\s+/);
  if (command !== "node") throw new Error(`Cannot run the install script of ${folder}: ${script}`);
  return words;
}

/** @param {import("node:child_process").SpawnSyncReturns<string>} child */
function reasonOf(child) {
  const lines = (child.error?.message ?? `${child.stdout}\n${child.stderr}`).trim().split("\n");
  return lines.filter((line) => line.trim() !== "npm error").slice(0, 12).join("\n");
}

/** The environment without what an outer `npm run` says about the outer package. */
function environment() {
  const outer = /^npm_(package|lifecycle|config_(local_prefix|prefix|global|omit|include))/;
  const entries = Object.entries(process.env).filter(([name]) => !outer.test(name));
  return { ...Object.fromEntries(entries), NODE_ENV: "development" };
}

/**
 * Runs `work` while no other process does.
 *
 * The lock is a folder with the holder's process id in it, put in place by one rename: it never
 * exists without the id. A lock whose holder is dead is taken away.
 *
 * @param {() => void} work
 */
async function withLock(work) {
  const own = `${LOCK}.${process.pid}`;
  fs.rmSync(own, { recursive: true, force: true });
  fs.mkdirSync(own);
  fs.writeFileSync(join(own, "pid"), String(process.pid));
  while (!tryRename(own, LOCK)) {
    const holder = readHolder(LOCK);
    if (holder !== null && !isAlive(holder)) removeStaleLock(holder);
    else await new Promise((resolve) => setTimeout(resolve, 200));
  }
  try {
    work();
  } finally {
    fs.rmSync(LOCK, { recursive: true, force: true });
  }
}

/** @param {number} holder */
function removeStaleLock(holder) {
  const aside = `${LOCK}.stale.${process.pid}`;
  if (!tryRename(LOCK, aside)) return;
  // Another process may have replaced the lock in between: then what was moved is a live one.
  if (readHolder(aside) !== holder && tryRename(aside, LOCK)) return;
  fs.rmSync(aside, { recursive: true, force: true });
}

/**
 * @param {string} from
 * @param {string} to
 */
function tryRename(from, to) {
  try {
    fs.renameSync(from, to);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    if (["ENOTEMPTY", "EEXIST", "EPERM", "ENOENT"].includes(String(code))) return false;
    throw error;
  }
}

/** @param {string} lock */
function readHolder(lock) {
  try {
    return Number(fs.readFileSync(join(lock, "pid"), "utf8"));
  } catch {
    return null;
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const names = process.argv.slice(2);
  const runtimes = Object.values(await ensureRuntimes(names.length > 0 ? names : undefined));
  for (const runtime of runtimes) {
    if ("problem" in runtime) console.error(runtime.problem);
    else console.log(`${runtime.name} ${runtime.version} ${runtime.path}`);
  }
  if (runtimes.some((runtime) => "problem" in runtime)) process.exitCode = 1;
}
