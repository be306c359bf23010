import { once } from "node:events";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type Server, startServer } from "../../examples/server.ts";
import { findToken, takeStep, walkTutorial } from "../../examples/tutorial.ts";
import manifest from "../../package.json" with { type: "json" };

/** The name of a script in package.json. */
export type Script = keyof typeof manifest.scripts;

/** The folder of package.json. */
export const PROJECT: string = fileURLToPath(new URL("../../", import.meta.url));

// What the examples read must come from the test and not from whoever runs it.
for (const name of ["DATABASE_URL", "HOST", "PORT"]) delete process.env[name];
for (const name of Object.keys(process.env)) {
  if (name.startsWith("LATCHKEY_")) delete process.env[name];
}

/** A new folder, removed after the test. */
export function makeFolder(): string {
  const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "latchkey-examples-")));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The command of a script, such that it can run in any folder. */
export function readScript(name: Script): [string, ...string[]] {
  const [program, ...words] = manifest.scripts[name].split(" ");
  const args = words.map((word) => fs.existsSync(join(PROJECT, word)) ? join(PROJECT, word) : word);
  if (program === "node") return [process.execPath, ...args];
  if (program === "tsx") {
    return [process.execPath, createRequire(import.meta.url).resolve("tsx/cli"), ...args];
  }
  throw new Error(`Cannot run the script ${name}: it starts with ${program}`);
}

/** Starts a script in a folder on a free port, and stops it at the latest after the test. */
export async function startScript(
  name: Script,
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const server = await startServer(readScript(name), {
    cwd: folder,
    // tsx looks for it in the working directory.
    env: { TSX_TSCONFIG_PATH: join(PROJECT, "tsconfig.json"), ...env },
  });
  onTestFinished(async () => void await server.stop());
  return server;
}

/** The password that a first start shows. */
export function readPassword(server: Server): string {
  return /password: (\S+) +\(shown this once\)/.exec(server.output())?.[1] ?? "";
}

/** Walks the tutorial and returns the token, after a look at every step. */
export async function logIn(
  server: Server,
  password: string,
  username = "admin",
): Promise<{ readonly token: string; readonly failed: readonly string[] }> {
  const outcomes = await walkTutorial(server.url, { username, password });
  const failed = outcomes.filter(({ passed }) => !passed);
  return {
    token: findToken(outcomes),
    failed: failed.map(({ step, status, body }) => `${step.title}: ${status} ${body}`),
  };
}

/** Logs out, and returns the status. */
export async function logOut(server: Server, token: string): Promise<number> {
  const outcome = await takeStep(server.url, {
    title: "Log out",
    method: "POST",
    path: "/api/logout/",
    headers: { Authorization: `Token ${token}` },
    expected: { status: 204, body: "" },
  });
  return outcome.status;
}

/** Listens on a port until the test ends, and returns it. */
export async function takePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("Cannot take a port");
  return address.port;
}
