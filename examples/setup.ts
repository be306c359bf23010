/**
 * What every example needs before it can serve: a database, a server secret, a
 * user, and the commands of the tutorial to paste. Runs on Node, Deno and Bun.
 */
import { createClient } from "@libsql/client";
import { type Auth, createSuperuser, defineAuth } from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { libsqlStore, migrate } from "latchkey/libsql";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { generatePassword, printTutorial, readPort, refuse, refuseTakenPort } from "./terminal.ts";

const { env } = process;
const SECRET_FILE = ".latchkey-secret";

/** Where to listen: `PORT` (3000; 0 takes a free one) and `HOST` (this machine only). */
export const port: number = readPort();
export const hostname: string = env["HOST"] ?? "127.0.0.1";

process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.code === "EADDRINUSE") refuseTakenPort(port);
  console.error(error);
  process.exit(1);
});

const client = createClient({ url: env["DATABASE_URL"] ?? "file:latchkey.db", timeout: 5_000 });
await migrate(client);

/** Tokens as Django REST framework gives them: the same one at every login. */
export const auth: Auth = defineAuth({
  store: libsqlStore(client),
  passwords: [argon2id()],
  onLogin: "reuse",
  secret: env["LATCHKEY_SECRET"] ?? readSecretFile(),
});

const username = env["LATCHKEY_USERNAME"] ?? "admin";
const chosen = env["LATCHKEY_PASSWORD"];
const password = chosen ?? generatePassword();
const created = await createSuperuser(auth, { username, password });
if (!created.ok && created.failure.reason !== "username_taken") {
  refuse(`Cannot make the user ${username}: ${created.failure.reason}`);
}

/** Prints where the server listens, the password if it is new, and the tutorial. */
export function announce(address: { readonly port?: number } | string | null): void {
  const origin = created.ok ? "the one in LATCHKEY_PASSWORD" : "the one from the first start";
  printTutorial({
    hostname,
    port: typeof address === "object" ? address?.port : port,
    username,
    password: created.ok && chosen === undefined ? { shown: password } : { origin },
    ending: "the token works again after the next start",
  });
}

/** Runs `stop` at Ctrl-C and at a polite kill, then ends. */
export function onStop(stop: () => unknown): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, async () => {
      await stop();
      client.close();
      process.exit(0);
    });
  }
}

/** The secret is made once, in a file that only its owner can read. */
function readSecretFile(): string {
  if (!existsSync(SECRET_FILE)) makeSecretFile();
  if (process.platform !== "win32" && (statSync(SECRET_FILE).mode & 0o077) !== 0) {
    refuse(`Cannot use ${SECRET_FILE}: others can read it, run chmod 600 ${SECRET_FILE}`);
  }
  return readFileSync(SECRET_FILE, "utf8").trim();
}

/** Of several servers that start at once, one makes the file, and none sees it half written. */
function makeSecretFile(): void {
  const draft = `${SECRET_FILE}.${process.pid}`;
  writeFileSync(draft, randomBytes(32).toString("hex"), { mode: 0o600 });
  try {
    linkSync(draft, SECRET_FILE);
  } catch (error) {
    if (!existsSync(SECRET_FILE)) throw error;
  } finally {
    rmSync(draft);
  }
}
