import { sha256 } from "@oslojs/crypto/sha2";
import { encodeHexLowerCase } from "@oslojs/encoding";
import { encodeUtf8 } from "./encoding.ts";
import { readGlobal, readProperty } from "./platform.ts";

/** Writes the SHA-256 digest of a text's UTF-8 bytes as 64 lower-case hex characters. */
export type TextHash = (text: string) => string;

/** SHA-256 wherever JavaScript runs. */
export const portableHash: TextHash = (text) => encodeHexLowerCase(sha256(encodeUtf8(text)));

let fastest: TextHash | null = null;

/** SHA-256 by the fastest means there is, which is looked for once. */
export const hashText: TextHash = (text) => {
  fastest ??= findNativeHash() ?? portableHash;
  return fastest(text);
};

/**
 * Finds the platform's own synchronous SHA-256; `null` where it has none.
 *
 * That is `node:crypto` on Node, Deno, Bun and Workers with `nodejs_compat`, found
 * without importing it, and taken only when it gets a known digest right.
 */
export function findNativeHash(): TextHash | null {
  const process = readGlobal("process");
  const getModule = readProperty(process, "getBuiltinModule");
  if (!isFunction(getModule)) return null;
  const hash = readProperty(Reflect.apply(getModule, process, ["node:crypto"]), "hash");
  if (!isFunction(hash)) return null;
  const native: TextHash = (text) => `${hash("sha256", text, "hex")}`;
  const sample = "latchkey";
  return native(sample) === portableHash(sample) ? native : null;
}

function isFunction(value: unknown): value is (...rest: string[]) => unknown {
  return typeof value === "function";
}
