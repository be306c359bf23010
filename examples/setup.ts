/**
 * What every example needs before it can serve: a database, a server secret, a
 * user, and the commands of the tutorial to paste. Runs on Node, Deno and Bun.
 */
import { createClient } from "@libsql/client";
import { type Auth, createSuperuser, defineAuth, systemRandom } from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { libsqlStore, migrate } from "latchkey/libsql";
import { randomBytes } from "node:crypto";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";

const { env } = process;
const SECRET_FILE = ".latchkey-secret";

/** Where to listen: `PORT` (3000; 0 takes a free one) and `HOST` (this machine only). */
export const port: number = readPort(env["PORT"] ?? "3000");
export const hostname: string = env["HOST"] ?? "127.0.0.1";

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
const generated = env["LATCHKEY_PASSWORD"] === undefined ? generatePassword() : null;
const created = await createSuperuser(auth, {
  username,
  password: env["LATCHKEY_PASSWORD"] ?? generated ?? "",
});
if (!created.ok && created.failure.reason !== "username_taken") {
  throw new Error(`Cannot make the user ${username}: ${created.failure.reason}`);
}

/** Prints where the server listens, the password if it is new, and the tutorial. */
export function announce(address: { readonly port?: number } | string | null): void {
  const url = `http://${hostname}:${typeof address === "object" ? address?.port : port}`;
  const isNew = created.ok && generated !== null;
  const password = isNew ? generated : "YOUR-PASSWORD";
  const form = `-d username=${username} -d password=${password}`;
  console.log(`Latchkey is listening on ${url}\n`);
  if (isNew) {
    console.log(`  user:     ${username}\n  password: ${generated}   (shown this once)\n`);
  }
  console.log(`Paste these one by one:

  curl -i ${url}/api/secret-info/
  curl -i ${url}/api/get-token/ ${form}
  TOKEN=$(curl -s ${url}/api/get-token/ ${form} | cut -d '"' -f 4)
  curl -i ${url}/api/secret-info/ -H "Authorization: Token $TOKEN"
  curl -i ${url}/api/login/ -d username=${username} -d password=wrong

Ctrl-C stops the server; the token works again after the next start.`);
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

process.on("uncaughtException", (error: NodeJS.ErrnoException) => {
  const taken = error.code === "EADDRINUSE";
  console.error(
    taken ? `Port ${port} is taken: set PORT to another one, such as PORT=3001` : error,
  );
  process.exit(1);
});

function readPort(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new RangeError(`Cannot listen on PORT=${text}: expected a number from 0 to 65535`);
}

/** 20 characters of 5 random bits and more: short enough for the tutorial's own login. */
function generatePassword(): string {
  return Array.from(systemRandom(20), (byte) => "abcdefghijkmnpqrstuvwxyz23456789"[byte % 32]).join(
    "",
  );
}

/** The secret is made once, in a file that only its owner can read. */
function readSecretFile(): string {
  try {
    writeFileSync(SECRET_FILE, randomBytes(32).toString("hex"), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  if (process.platform !== "win32" && (statSync(SECRET_FILE).mode & 0o077) !== 0) {
    throw new Error(`Others can read ${SECRET_FILE}: run chmod 600 ${SECRET_FILE}`);
  }
  return readFileSync(SECRET_FILE, "utf8").trim();
}
