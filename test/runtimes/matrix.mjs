// Runs the suites on every runtime, one after another, and adds up.
//
//   node test/runtimes/matrix.mjs [--quick] [--only=name,name] [path…]
//
// `--quick` leaves out the Node versions other than the one that runs this file. `--only` names
// rows, a path is a part of the files to run: both are for looking closer at a failure.
// With CI=true a runtime that cannot be had is a failure, elsewhere it is skipped.

import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ensureRuntimes } from "./install.mjs";
import { matches, placesOf, rules } from "./suites.mjs";
import { runSuites } from "./workerd/runner.mjs";

const PROJECT = fileURLToPath(new URL("../../", import.meta.url));
const VITEST = join(PROJECT, "node_modules/vitest/vitest.mjs");
/** For all suites on one runtime, in milliseconds. */
const RUN_TIMEOUT = 1_200_000;

/**
 * One line of the table to come. `host` is the Node that runs this file, the other runtimes are
 * installed ones.
 *
 * @typedef {import("./suites.mjs").Place} Place
 * @typedef {{ name: string, runtime: string, place: Place, words: string[], wants: (file: string) => boolean }} Plan
 *
 * What one runtime did. `ran` counts the tests of each file it ran.
 *
 * @typedef {{ passed: number, failed: number, skipped: number, notes: string[], ran: Map<string, number>, output: string }} Outcome
 * @typedef {Outcome & { plan: Plan, version: string }} Row
 */

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean" }, only: { type: "string" } },
});
const isCi = process.env["CI"] === "true";
// Leaving by `exit` ends the runtime that is running as well.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

const files = listSuites().filter((file) =>
  positionals.length === 0 || positionals.some((part) => file.includes(part))
);
const plans = preparePlans();
const installed = plans.map(({ runtime }) => runtime).filter((runtime) => runtime !== "host");
const runtimes = await ensureRuntimes([...new Set(installed)]);
/** @type {Row[]} */
const rows = [];
for (const plan of plans) {
  const row = await runPlan(plan);
  if (row === null) continue;
  rows.push(row);
  if (row.failed > 0) console.log(`\n${row.output.trim()}\n`);
  console.log(describeRow(row));
}
explainSkips(rows);
printTable(rows);
const passed = sum(rows, (row) => row.passed);
const failed = sum(rows, (row) => row.failed) + (rows.length === 0 ? 1 : 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

/** @returns {string[]} paths below the project, with `/` */
function listSuites() {
  const found = fs.readdirSync(join(PROJECT, "test"), { recursive: true })
    .map((path) => `test/${String(path).replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".test.ts") && !path.includes("/node_modules/"))
    .sort();
  for (const { files } of rules) {
    const isOneFile = !files.includes("*") && !files.endsWith("/");
    if (isOneFile && !found.some((path) => matches(files, path))) {
      throw new Error(`Cannot use test/runtimes/suites.mjs: ${files} does not exist`);
    }
  }
  return found;
}

/** @returns {Plan[]} */
function preparePlans() {
  /** @param {string} file */
  const isPortable = (file) => placesOf(file).places.length > 1;
  const always = () => true;
  const deno = ["run", "--allow-all", "--no-lock", "--cached-only", VITEST];
  /** @type {Plan[]} */
  const hosts = values.quick
    ? [{ name: "Node", runtime: "host", place: "node", words: [VITEST], wants: always }]
    : [
      {
        name: "Node, its own suites",
        runtime: "host",
        place: "node",
        words: [VITEST],
        wants: (file) => !isPortable(file),
      },
      ...["node20", "node22", "node24", "node26"].map((runtime) => ({
        name: `Node ${runtime.slice(4)}`,
        runtime,
        place: /** @type {const} */ ("node"),
        words: [VITEST],
        wants: isPortable,
      })),
    ];
  /** @type {Plan[]} */
  const plans = [
    ...hosts,
    { name: "Deno", runtime: "deno", place: "deno", words: deno, wants: always },
    { name: "Bun", runtime: "bun", place: "bun", words: ["--bun", VITEST], wants: always },
    { name: "workerd", runtime: "workerd", place: "workerd", words: [], wants: always },
    {
      name: "workerd, nodejs_compat",
      runtime: "workerd",
      place: "workerd-compat",
      words: [],
      wants: always,
    },
  ];
  const only = values.only?.split(",");
  return plans.filter(({ runtime }) => only === undefined || only.includes(runtime));
}

/**
 * @param {Plan} plan
 * @returns {Promise<Row | null>} `null` when nothing was asked of it
 */
async function runPlan(plan) {
  const chosen = files.filter((file) =>
    plan.wants(file) && placesOf(file).places.includes(plan.place)
  );
  if (chosen.length === 0 && (positionals.length > 0 || plan.runtime === "host")) return null;
  const { path, version, problem } = findProgram(plan.runtime);
  const none = { passed: 0, failed: 0, skipped: 0, notes: [], ran: new Map(), output: "" };
  if (problem !== "") {
    const reason = problem.split("\n").slice(0, 2).join(": ");
    const notes = [`${isCi ? "failed" : "skipped"}, not available: ${reason}`];
    return { ...none, plan, version, failed: isCi ? 1 : 0, notes, output: problem };
  }
  const outcome = plan.place.startsWith("workerd")
    ? await runInWorkerd({ path, files: chosen, nodejsCompat: plan.place === "workerd-compat" })
    : await runInVitest({ path, files: chosen, plan, version });
  if (outcome.passed + outcome.failed === 0) {
    outcome.failed = 1;
    outcome.notes.push("ran no test");
  }
  return { ...outcome, plan, version };
}

/** @param {Row} row */
function describeRow({ plan, version, passed, failed, notes }) {
  if (version === "") return `${plan.name}: ${notes[0]}`;
  return `${plan.name} ${version}: ${passed} passed, ${failed} failed`;
}

/** @param {string} runtime */
function findProgram(runtime) {
  if (runtime === "host") {
    return { path: process.execPath, version: process.versions.node, problem: "" };
  }
  const found = runtimes[runtime];
  if (found !== undefined && "path" in found) return { ...found, problem: "" };
  return { path: "", version: "", problem: found?.problem ?? "not installed" };
}

/**
 * @param {{ path: string, files: string[], plan: Plan, version: string }} options
 * @returns {Promise<Outcome>}
 */
async function runInVitest({ path, files, plan, version }) {
  const folder = fs.mkdtempSync(join(tmpdir(), "latchkey-matrix-"));
  const report = join(folder, "report.json");
  try {
    const { code, output } = await runProgram(path, [
      ...plan.words,
      "run",
      "--allowOnly=false",
      "--reporter=dot",
      "--reporter=json",
      `--outputFile.json=${report}`,
      ...files,
    ], { LATCHKEY_PLACE: plan.place, LATCHKEY_VERSION: version });
    if (!fs.existsSync(report)) return failedRun(`ended with ${code} and no report`, output);
    const outcome = readReport(JSON.parse(fs.readFileSync(report, "utf8")));
    for (const file of files) {
      if (outcome.ran.has(file)) continue;
      outcome.failed += 1;
      outcome.notes.push(`${file} did not run`);
    }
    if (outcome.failed === 0 && code !== 0) {
      outcome.failed = 1;
      outcome.notes.push(`vitest ended with ${code}, see above`);
    }
    return { ...outcome, output };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * @typedef {{ status: string }} VitestTest
 * @typedef {{ name: string, status: string, assertionResults: VitestTest[] }} VitestFile
 *
 * @param {{ testResults: VitestFile[] }} report
 * @returns {Outcome}
 */
function readReport(report) {
  /** @type {Outcome} */
  const outcome = { passed: 0, failed: 0, skipped: 0, notes: [], ran: new Map(), output: "" };
  for (const { name, status, assertionResults } of report.testResults) {
    const states = assertionResults.map((test) => test.status);
    const failures = states.filter((state) => state === "failed").length;
    outcome.passed += states.filter((state) => state === "passed").length;
    // A file fails without a failed test when it cannot be loaded or one of its hooks fails.
    outcome.failed += status === "failed" && failures === 0 ? 1 : failures;
    outcome.skipped += states.filter((state) => !["passed", "failed"].includes(state)).length;
    const path = name.replaceAll("\\", "/");
    outcome.ran.set(path.slice(path.lastIndexOf("/test/") + 1), states.length);
  }
  noteOwnSkips(outcome);
  return outcome;
}

/**
 * @param {{ path: string, files: string[], nodejsCompat: boolean }} options
 * @returns {Promise<Outcome>}
 */
async function runInWorkerd({ path, files, nodejsCompat }) {
  const { suites, output } = await runSuites({ workerd: path, files, nodejsCompat });
  /** @type {Outcome} */
  const outcome = { passed: 0, failed: 0, skipped: 0, notes: [], ran: new Map(), output: "" };
  for (const { file, tests, errors } of suites) {
    const failures = tests.filter(({ state }) => state === "failed");
    outcome.passed += tests.filter(({ state }) => state === "passed").length;
    outcome.skipped += tests.filter(({ state }) => state === "skipped").length;
    outcome.failed += failures.length === 0 && errors.length > 0 ? 1 : failures.length;
    outcome.ran.set(file, tests.length);
    for (const { name, errors } of failures) {
      outcome.output += `FAIL ${file} > ${name}\n${errors.join("\n") || "did not run"}\n\n`;
    }
    for (const error of errors) outcome.output += `FAIL ${file}\n${error}\n\n`;
  }
  outcome.output += output;
  noteOwnSkips(outcome);
  return outcome;
}

/** @param {Outcome} outcome */
function noteOwnSkips(outcome) {
  if (outcome.skipped > 0) outcome.notes.push(`${outcome.skipped}: the suite itself skips them`);
}

/**
 * @param {string} note
 * @param {string} output
 * @returns {Outcome}
 */
function failedRun(note, output) {
  return { passed: 0, failed: 1, skipped: 0, notes: [note], ran: new Map(), output };
}

/**
 * @param {string} program
 * @param {readonly string[]} words
 * @param {Record<string, string>} environment
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function runProgram(program, words, environment) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd: PROJECT,
      env: {
        ...process.env,
        DENO_NO_UPDATE_CHECK: "1",
        DO_NOT_TRACK: "1",
        NO_COLOR: "1",
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const stop = () => child.kill("SIGKILL");
    const timer = setTimeout(stop, RUN_TIMEOUT);
    process.once("exit", stop);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => output += text);
    }
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(timer);
      process.off("exit", stop);
      resolve({ code, output });
    });
  });
}

/**
 * Adds the suites that a runtime was not given, with the reason, once it is known how many tests
 * each of them has.
 *
 * @param {Row[]} rows
 */
function explainSkips(rows) {
  const sizes = new Map(rows.flatMap((row) => [...row.ran]));
  for (const row of rows.filter(({ ran }) => ran.size > 0)) {
    /** @type {Map<string, number>} */
    const reasons = new Map();
    for (const file of files) {
      if (row.ran.has(file) || row.plan.runtime === "host") continue;
      const { reason } = placesOf(file);
      reasons.set(reason, (reasons.get(reason) ?? 0) + (sizes.get(file) ?? 0));
    }
    for (const [reason, count] of reasons) {
      row.skipped += count;
      row.notes.push(`${count}: ${reason}`);
    }
  }
}

/** @param {Row[]} rows */
function printTable(rows) {
  const lines = [["runtime", "version", "passed", "failed", "skipped", ""]];
  for (const { plan, version, passed, failed, skipped, notes } of rows) {
    const [first = "", ...others] = notes;
    lines.push([plan.name, version, `${passed}`, `${failed}`, `${skipped}`, first]);
    for (const note of others) lines.push(["", "", "", "", "", note]);
  }
  const widths = [0, 1, 2, 3, 4].map((at) =>
    Math.max(...lines.map((line) => line[at]?.length ?? 0))
  );
  console.log("");
  for (const line of lines) {
    const cells = line.map((cell, at) =>
      at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)
    );
    console.log(cells.join("  ").trimEnd());
  }
  console.log("");
}

/**
 * @template Item
 * @param {readonly Item[]} items
 * @param {(item: Item) => number} measure
 */
function sum(items, measure) {
  return items.reduce((total, item) => total + measure(item), 0);
}
