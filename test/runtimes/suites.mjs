// Which suite runs where. This file is data: the matrix and the workerd runner read it.

/**
 * A kind of place a suite can run in. `workerd` has no Node built-ins, `workerd-compat` is workerd
 * with the flag `nodejs_compat`.
 *
 * @typedef {"node" | "deno" | "bun" | "workerd" | "workerd-compat"} Place
 *
 * @typedef {{ readonly files: string, readonly places: readonly Place[], readonly reason: string }} Rule
 * `files` is a path below the project in which `*` stands for any text, or a folder when it ends
 * in `/`; `reason` says why the suite does not run in all places.
 */

/** @type {readonly Place[]} */
export const everywhere = ["node", "deno", "bun", "workerd", "workerd-compat"];

/** @type {readonly Place[]} */
const servers = ["node", "deno", "bun"];

/**
 * The folders whose suites run everywhere, unless a rule says otherwise.
 *
 * @type {readonly string[]}
 */
export const portableFolders = [
  "test/adapters/",
  "test/advisories/",
  "test/core/",
  "test/data/",
  "test/http/",
  "test/life/",
  "test/password/",
  "test/pure/",
  "test/runtimes/",
  "test/store/",
  "test/testing/",
];

/**
 * Where a suite outside of those folders, or an exception in them, runs. The first match counts.
 *
 * @type {readonly Rule[]}
 */
export const rules = [
  {
    files: "test/crash/",
    places: ["node"],
    reason: "kills processes, once, on Node",
  },
  {
    files: "test/drf/",
    places: ["node"],
    reason: "replays the recorded Django REST framework cases once, on Node",
  },
  {
    files: "test/examples/",
    places: ["node"],
    reason: "starts the examples on every host by itself",
  },
  { files: "test/shape/", places: ["node"], reason: "reads the source tree, not the runtime" },
  { files: "test/timing/", places: ["node"], reason: "what it tests runs once, on Node" },
  {
    files: "test/adapters/openapi.test.ts",
    places: servers,
    reason: "the validator of the description compiles code at run time",
  },
  { files: "test/store/libsql*.test.ts", places: servers, reason: "libSQL is a native module" },
  { files: "*native.test.ts", places: servers, reason: "needs a native module" },
  { files: "*/express.test.ts", places: servers, reason: "Express listens on a socket" },
  { files: "*socket.test.ts", places: servers, reason: "opens sockets" },
  {
    files: "*compat.test.ts",
    places: [...servers, "workerd-compat"],
    reason: "needs node:crypto",
  },
];

/**
 * Says where a suite runs, and why not elsewhere.
 *
 * @param {string} file its path below the project, with `/`
 * @returns {{ readonly places: readonly Place[], readonly reason: string }}
 * @throws {Error} when nothing in this file speaks of it
 */
export function placesOf(file) {
  const rule = rules.find(({ files }) => matches(files, file));
  if (rule !== undefined) return rule;
  if (portableFolders.some((folder) => file.startsWith(folder))) {
    return { places: everywhere, reason: "" };
  }
  throw new Error(`Cannot run ${file}: no rule in test/runtimes/suites.mjs says where`);
}

/**
 * Whether a rule's `files` mean a suite.
 *
 * @param {string} files
 * @param {string} file
 */
export function matches(files, file) {
  if (files.endsWith("/")) return file.startsWith(files);
  const parts = files.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(file);
}
