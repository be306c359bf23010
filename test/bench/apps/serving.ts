import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type HotSpot, NotBuilt } from "../figure.ts";
import { chooseHash } from "../hash.ts";
import { createSubject, type Kind, type Subject } from "../subject.ts";

/*
 * What every server of the benchmark shares. It says one line of JSON when it
 * listens and, when it was asked for, one more with its profile before it ends.
 */

/** Which server is measured: the library with a store of some kind, or what is compared with it. */
export const variant: string = process.argv[2] ?? "";

/** What every guarded route answers. */
export const ANSWER = { hello: "World" };

const kinds: readonly Kind[] = [
  "memory",
  "libsql",
  "libsql sync",
  "cached",
  "login",
];
const folder = mkdtempSync(join(tmpdir(), "latchkey-bench-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
let profile: (() => Promise<readonly HotSpot[]>) | null = null;
process.once("SIGTERM", async () => {
  if (profile !== null) {
    console.log(JSON.stringify({ kind: "profile", spots: await profile() }));
  }
  process.exit(0);
});

/** The text that the rivals' clients send. */
export const TEXT: string = "lk_".padEnd(52, "x");

/** The library as the variant names it; `null` where a rival is served. */
export async function prepareSubject(): Promise<Subject | null> {
  const kind = kinds.find((each) => each === variant);
  if (kind === undefined) return null;
  try {
    return await createSubject(kind, folder);
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error;
    console.log(JSON.stringify({ kind: "not built", reason: error.message }));
    return process.exit(0);
  }
}

/** What an application would write by hand: a map of hashed tokens. */
export function createMapCheck(): (
  text: string,
) => { readonly username: string } | undefined {
  const { hash } = chooseHash();
  const users = new Map([[hash(TEXT), { username: "ada" }]]);
  return (text) => users.get(hash(text));
}

/** The same behind the header, for servers that hand out its value. */
export function createHeaderCheck(): (
  header: string | null | undefined,
) => { readonly username: string } | undefined {
  const check = createMapCheck();
  return (header) =>
    header?.startsWith("Token ") ? check(header.slice("Token ".length)) : undefined;
}

/** Says where the server listens and what to send to it. */
export async function announce(
  port: number,
  authorization: string,
): Promise<void> {
  if (process.env["LATCHKEY_PROFILE"] !== undefined) {
    const { startProfile } = await import("../profile.ts");
    profile = await startProfile();
  }
  console.log(JSON.stringify({ kind: "ready", port, authorization }));
}
