/** What the process of an example has: where it listens, a database, a server secret and an end. */
import { type Client, createClient } from "@libsql/client";
import { randomBytes } from "node:crypto";
import { existsSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { readPort, refuse, refuseTakenPort } from "./terminal.ts";

const { env } = process;
const SECRET_FILE = ".latchkey-secret";
const clients: Client[] = [];

/** Where to listen: `PORT` (3000; 0 takes a free one) and `HOST` (this machine only). */
export const port: number = readPort();
export const hostname: string = env["HOST"] ?? "127.0.0.1";

process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  if (error.code === "EADDRINUSE") refuseTakenPort(port);
  console.error(error);
  process.exit(1);
});

/** Connects to the database: a file in this folder, or what `DATABASE_URL` says. */
export function connect(): Client {
  const client = createClient({ url: env["DATABASE_URL"] ?? "file:latchkey.db", timeout: 5_000 });
  clients.push(client);
  return client;
}

/** The server secret: `LATCHKEY_SECRET`, or one that is made at the first start. */
export function readSecret(): string {
  return env["LATCHKEY_SECRET"] ?? readSecretFile();
}

/** Runs `stop` at Ctrl-C and at a polite kill, then ends. */
export function onStop(stop: () => unknown): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, async () => {
      await stop();
      for (const client of clients) client.close();
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
