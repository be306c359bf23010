// Runs vitest suites, unchanged, in the real workerd: every suite becomes a worker of its own,
// bundled by esbuild, and `workerd test` runs them.

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { createRequire, SourceMap } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative, resolve as resolvePath } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { packagesFolder } from "../install.mjs";

const PROJECT = fileURLToPath(new URL("../../../", import.meta.url));
const SHIM = fileURLToPath(new URL("./vitest_shim.mjs", import.meta.url));
const COMPATIBILITY_DATE = "2026-01-01";
const MARK = "latchkey-suite-result ";
/** For one test or hook, as in vitest.config.ts; and for the whole run. In milliseconds. */
const TEST_TIMEOUT = 60_000;
const RUN_TIMEOUT = 600_000;

/**
 * What became of one suite. `errors` are those that belong to no test.
 *
 * @typedef {{ name: string, state: "passed" | "failed" | "skipped", errors: string[] }} TestResult
 * @typedef {{ file: string, tests: TestResult[], errors: string[] }} SuiteResult
 */

/**
 * Runs the suites and returns one result for each, in the same order, with the raw output.
 *
 * Without `nodejsCompat` a suite that reaches a Node built-in does not even bundle.
 *
 * @param {object} options
 * @param {string} options.workerd the program
 * @param {readonly string[]} options.files paths below the project
 * @param {boolean} options.nodejsCompat
 * @returns {Promise<{ suites: SuiteResult[], output: string }>}
 */
export async function runSuites({ workerd, files, nodejsCompat }) {
  const folder = fs.mkdtempSync(join(tmpdir(), "latchkey-workerd-"));
  try {
    /** @type {Map<string, SuiteResult>} */
    const results = new Map();
    /** @type {string[]} */
    const workers = [];
    for (const [index, file] of files.entries()) {
      const errors = await bundleSuite({ file, output: join(folder, `${index}.js`), nodejsCompat });
      if (errors.length > 0) results.set(file, { file, tests: [], errors });
      else workers.push(describeWorker({ index, nodejsCompat }));
    }
    const config = join(folder, "config.capnp");
    fs.writeFileSync(config, describeConfig(workers));
    const { stdout, stderr } = await runWorkerd(workerd, config);
    for (const line of stdout.split("\n")) {
      if (!line.startsWith(MARK)) continue;
      /** @type {SuiteResult} */
      const result = JSON.parse(line.slice(MARK.length));
      const locate = createLocator(folder);
      const tests = result.tests.map((test) => ({ ...test, errors: test.errors.map(locate) }));
      results.set(result.file, { ...result, tests, errors: result.errors.map(locate) });
    }
    const silent = "workerd ended before the suite reported anything";
    return {
      suites: files.map((file) => results.get(file) ?? { file, tests: [], errors: [silent] }),
      output: [...stdout.split("\n"), ...stderr.split("\n")].filter(isOutput).join("\n"),
    };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Makes a function that turns places in a bundle into places in the source, and leaves out the
 * steps through packages.
 *
 * @param {string} folder where the bundles and their source maps are
 * @returns {(text: string) => string}
 */
function createLocator(folder) {
  /** @type {Map<string, SourceMap>} */
  const maps = new Map();
  return (text) =>
    stripVTControlCharacters(text).split("\n").map(locateLine).filter((line) =>
      !/^ +at .*node_modules/.test(line)
    ).join("\n");

  /** @param {string} line */
  function locateLine(line) {
    return line.replace(/suite-(\d+)\.js:(\d+):(\d+)/, (place, index, row, column) => {
      const file = join(folder, `${index}.js.map`);
      const map = maps.get(file) ?? new SourceMap(JSON.parse(fs.readFileSync(file, "utf8")));
      maps.set(file, map);
      const entry = map.findEntry(Number(row) - 1, Number(column) - 1);
      if (!("originalSource" in entry)) return place;
      const source = relative(PROJECT, resolvePath(folder, entry.originalSource));
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    });
  }
}

/**
 * Whether a line is neither a result, nor workerd's own account of the workers it starts, nor its
 * advice on header values beyond ASCII, which the suites send on purpose.
 *
 * @param {string} line
 */
function isOutput(line) {
  return line !== "" && !line.startsWith(MARK) &&
    !/: debug: \[ (TEST|PASS|FAIL) \]|contains non-ASCII characters/.test(line);
}

/**
 * @param {{ file: string, output: string, nodejsCompat: boolean }} options
 * @returns {Promise<string[]>} what is wrong with the suite, at most one text
 */
async function bundleSuite({ file, output, nodejsCompat }) {
  const { build, formatMessages } = createRequire(join(packagesFolder, "index.js"))("esbuild");
  // The suite is imported inside the handler, because workerd forbids randomness and timers while
  // a worker starts. esbuild keeps the import lazy although it puts all into one file.
  const entry = `
    import { runSuite } from "vitest";
    export default {
      async test() {
        const load = () => import(${JSON.stringify(`./${file}`)});
        const result = await runSuite(${JSON.stringify(file)}, load, ${TEST_TIMEOUT});
        console.log(${JSON.stringify(MARK)} + JSON.stringify(result));
      },
    };`;
  try {
    await build({
      stdin: { contents: entry, resolveDir: PROJECT, loader: "js" },
      absWorkingDir: PROJECT,
      outfile: output,
      bundle: true,
      format: "esm",
      target: "es2022",
      platform: "neutral",
      conditions: ["workerd", "worker", "browser"],
      mainFields: ["module", "main"],
      external: nodejsCompat ? ["node:*", "cloudflare:*"] : ["cloudflare:*"],
      tsconfig: join(PROJECT, "tsconfig.json"),
      alias: { vitest: SHIM, ...partsOfVitest() },
      define: {
        "process.env.LATCHKEY_PLACE": JSON.stringify(nodejsCompat ? "workerd-compat" : "workerd"),
        "process.env.LATCHKEY_VERSION": "undefined",
      },
      sourcemap: "external",
      sourcesContent: false,
      logLevel: "silent",
    });
    return [];
  } catch (error) {
    if (!(error instanceof Error) || !("errors" in error)) throw error;
    return [(await formatMessages(error.errors, { kind: "error", color: false })).join("\n")];
  }
}

/** The shim's imports, found the way vitest finds them, wherever npm put them. */
function partsOfVitest() {
  const requireFromProject = createRequire(join(PROJECT, "package.json"));
  const vitest = dirname(requireFromProject.resolve("vitest/package.json"));
  const requireFromVitest = createRequire(join(vitest, "package.json"));
  const expect = requireFromVitest.resolve("@vitest/expect");
  return {
    "@vitest/expect": expect,
    "@vitest/runner": requireFromVitest.resolve("@vitest/runner"),
    "@vitest/spy": requireFromVitest.resolve("@vitest/spy"),
    "@vitest/utils/error": requireFromVitest.resolve("@vitest/utils/error"),
    chai: createRequire(expect).resolve("chai"),
    "expect-type": requireFromVitest.resolve("expect-type"),
  };
}

/** @param {{ index: number, nodejsCompat: boolean }} options */
function describeWorker({ index, nodejsCompat }) {
  return `    (name = "suite-${index}", worker = (
      modules = [(name = "suite-${index}.js", esModule = embed "${index}.js")],
      compatibilityDate = "${COMPATIBILITY_DATE}",
      compatibilityFlags = [${nodejsCompat ? '"nodejs_compat"' : ""}],
      globalOutbound = "nowhere",
    )),`;
}

/** @param {readonly string[]} workers */
function describeConfig(workers) {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "nowhere", network = (allow = [])),
${workers.join("\n")}
  ],
);
`;
}

/**
 * @param {string} workerd
 * @param {string} config
 * @returns {Promise<{ stdout: string, stderr: string }>}
 */
function runWorkerd(workerd, config) {
  return new Promise((resolve, reject) => {
    const child = spawn(workerd, ["test", config], { stdio: ["ignore", "pipe", "pipe"] });
    const timer = setTimeout(() => child.kill("SIGKILL"), RUN_TIMEOUT);
    const stop = () => child.kill("SIGKILL");
    process.once("exit", stop);
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text) => stdout += text);
    child.stderr.setEncoding("utf8").on("data", (text) => stderr += text);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      process.off("exit", stop);
      resolve({ stdout, stderr });
    });
  });
}
