import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const STAMP = join(FOLDER, "node_modules", ".latchkey");

/** A function of a package whose types are not there when this is checked. */
export const callable: v.GenericSchema<
  unknown,
  (...rest: unknown[]) => unknown
> = v.function();

/**
 * Installs the rivals and the load generator beside this file, unless they are there.
 *
 * They are not dependencies of the project: `npm ci` brings none of them. No
 * script of theirs is run.
 *
 * @throws {Error} when npm fails, with what it said
 */
export function ensurePeers(): void {
  const inputs = digestInputs();
  if (readStamp() === inputs) return;
  console.error("Installing the rivals into test/bench");
  const cli = process.env["npm_execpath"];
  const [command, first] = cli?.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []];
  const words = [...first, "ci", "--ignore-scripts", "--loglevel=error"];
  const child = spawnSync(command, words, {
    cwd: FOLDER,
    encoding: "utf8",
    env: environment(),
  });
  if (child.status !== 0) {
    throw new Error(
      `Cannot install the rivals: npm ci failed\n${child.stderr}`,
    );
  }
  writeFileSync(STAMP, inputs);
}

/**
 * Loads one of them.
 *
 * The compiler must not need what only a benchmark installs, so the name is
 * computed as far as it can tell, and what comes is checked by `schema`.
 */
export async function importPeer<Value>(
  name: string,
  schema: v.GenericSchema<unknown, Value>,
): Promise<Value> {
  return v.parse(schema, { ...await import(name) });
}

function digestInputs(): string {
  const digest = createHash("sha256");
  for (const file of ["package.json", "package-lock.json"]) {
    digest.update(readFileSync(join(FOLDER, file)));
  }
  return digest.digest("hex");
}

function readStamp(): string | null {
  try {
    return readFileSync(STAMP, "utf8");
  } catch {
    return null;
  }
}

/** The environment without what an outer `npm run` says about the outer package. */
function environment(): NodeJS.ProcessEnv {
  const outer = /^npm_(package|lifecycle|config_(local_prefix|prefix|global|omit|include))/;
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !outer.test(name)),
  );
}
