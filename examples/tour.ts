/** Walks the tutorial unattended, in a temporary folder: `npm run tour`. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { type Server, startServer } from "./server.ts";
import { findToken, type Outcome, takeStep, useToken, walkTutorial } from "./tutorial.ts";

const folder = mkdtempSync(join(tmpdir(), "latchkey-tour-"));
const example = fileURLToPath(new URL("hono.ts", import.meta.url));
const loader = import.meta.resolve("tsx");
const servers: Server[] = [];
const start = async (): Promise<Server> => {
  const server = await startServer([process.execPath, "--import", loader, example], {
    cwd: folder,
    env: { TSX_TSCONFIG_PATH: fileURLToPath(new URL("../tsconfig.json", import.meta.url)) },
  });
  servers.push(server);
  return server;
};

const failures: string[] = [];
try {
  const first = await start();
  const password = /password: (\S+)/.exec(first.output())?.[1] ?? "";
  const outcomes = await walkTutorial(first.url, { username: "admin", password });
  outcomes.forEach(show);
  check("Ctrl-C ends the server cleanly", await first.stop() === 0);

  const token = findToken(outcomes);
  const second = await start();
  show({ ...await takeStep(second.url, useToken(token)) });
  check("The second start shows no password", !second.output().includes(password));
  await second.stop();

  const files = readdirSync(folder).filter((name) => name.startsWith("latchkey.db"));
  const stored = files.map((name) => readFileSync(join(folder, name), "latin1")).join("");
  check(
    "The database holds neither token nor password",
    ![token, password].some((secret) => stored.includes(secret)),
  );
} finally {
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
}
console.log(
  failures.length === 0 ? "\nEvery step answered as it must." : `\nFailed: ${failures.join("; ")}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function show({ step, status, headers, body, passed }: Outcome): void {
  console.log(`\n# ${step.title}\n> ${step.method} ${step.path}`);
  for (const [name, value] of Object.entries(step.headers ?? {})) {
    console.log(`> ${name}: ${value}`);
  }
  if (step.body !== undefined) {
    console.log(`> ${typeof step.body === "string" ? step.body : "(multipart)"}`);
  }
  console.log(`< ${status}`);
  const challenge = headers.get("www-authenticate");
  if (challenge !== null) console.log(`< WWW-Authenticate: ${challenge}`);
  console.log(`< ${body}`);
  check(step.title, passed);
}

function check(title: string, passed: boolean): void {
  console.log(`${passed ? "ok" : "NOT OK"}: ${title}`);
  if (!passed) failures.push(title);
}
