import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import ts from "typescript";
import { beforeAll, describe, expect, it } from "vitest";
import { INSTALL_TIMEOUT, installTools, PROJECT, readProjectFile, succeed } from "./project.ts";
import { listImports } from "./source.ts";

const BUNDLER = join(PROJECT, "test/shape/bundle.mjs");
const EVERYTHING = 'export * from "./src/mod.ts";';
const GUARD = 'export { createGuard, defineAuth } from "./src/mod.ts";';
const VERIFIER = 'export { defineAuth, verifyToken } from "./src/mod.ts";';

async function bundle(text: string): Promise<string> {
  return await succeed(process.execPath, [BUNDLER, text]);
}

/** Minified and compressed, in bytes. */
function measure(code: string): number {
  return brotliCompressSync(code).length;
}

describe("a bundle of the library", () => {
  beforeAll(() => installTools("deno"), INSTALL_TIMEOUT);

  it.each([
    { name: "all of it, dependencies included", text: EVERYTHING, limit: 27_648 },
    { name: "a guard, dependencies included", text: GUARD, limit: 9_728 },
    { name: "the verifier alone", text: VERIFIER, limit: 7_424 },
  ])("has at most $limit bytes for $name (S5)", async ({ text, limit }) => {
    const size = measure(await bundle(text));
    expect(size).toBeGreaterThan(1_000);
    expect(size).toBeLessThanOrEqual(limit);
  });

  it("is as large as the README says", async () => {
    const [, all, guard] = /([\d.]+) kB .* guard needs ([\d.]+) kB/.exec(
      readProjectFile("README.md"),
    ) ?? [];
    const sizes = await Promise.all([EVERYTHING, GUARD].map((text) => bundle(text)));
    expect([all, guard]).toEqual(sizes.map((code) => (measure(code) / 1_000).toFixed(1)));
  });

  it("needs no module of any platform", async () => {
    const code = await bundle(EVERYTHING);
    const source = ts.createSourceFile("bundle.js", code, ts.ScriptTarget.ES2022, true);
    expect(listImports(source, "bundle.js")).toEqual([]);
  });

  it("holds nothing of the HTTP layer where only tokens are verified", async () => {
    const words = /WWW-Authenticate|Content-Type|Cache-Control|Allow|non_field_errors|multipart/i;
    expect(words.test(await bundle(EVERYTHING))).toBe(true);
    expect(words.exec(await bundle(VERIFIER))).toBeNull();
  });
});
