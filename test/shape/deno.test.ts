import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import config from "../../deno.json" with { type: "json" };
import {
  INSTALL_TIMEOUT,
  installTools,
  PROJECT,
  readProjectFile,
  runProgram,
  succeed,
  toolWords,
} from "./project.ts";

const entries = [...new Set(Object.values(config.exports))].map((file) => join(PROJECT, file));

/** Where the examples in the documentation write their databases. */
const folder = mkdtempSync(join(tmpdir(), "latchkey-deno-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function deno(...words: readonly string[]): Promise<string> {
  return await succeed(process.execPath, toolWords("deno", ...words));
}

/** Types of other packages in the public API, which Deno wants documented with ours. */
const foreignTypes: Readonly<Record<string, string>> = {
  BaseIssue: "valibot's, for whoever parses by hand",
  Client: "of @libsql/client, whose clients the store takes",
  GenericSchema: "valibot's, for endpoints of one's own",
  Handler: "Hono's own type of a handler",
  MetadataAction: "part of valibot's type of a pipe",
  MiddlewareHandler: "Hono's own type of a middleware",
  RawTransformAction: "part of valibot's type of a pipe",
  SchemaWithPipe: "valibot's type of a pipe",
  SQLiteColumn: "drizzle's, for the application's own queries",
  SQLiteTableWithColumns: "drizzle's, for the application's own queries",
  UnknownSchema: "part of valibot's type of a pipe",
};

describe("for Deno, the project", () => {
  beforeAll(() => installTools("deno"), INSTALL_TIMEOUT);

  it("is formatted", async () => {
    const { code, stderr } = await runProgram(
      process.execPath,
      toolWords("deno", "fmt", "--check"),
    );
    expect(stderr.split("\n").filter((line) => line.startsWith("from "))).toEqual([]);
    expect(code).toBe(0);
  });

  it("has no lint", async () => {
    await deno("lint");
  });

  it("compiles", async () => {
    await deno("check", ...entries);
  });

  it("documents everything that it exports", async () => {
    const { code, stderr } = await runProgram(
      process.execPath,
      toolWords("deno", "doc", "--lint", ...entries),
    );
    const complaints = stderr.split(/\n(?=error)/).filter((text) => text.startsWith("error["));
    const named = complaints.map((text) => / references private type '(\w+)'/.exec(text)?.[1]);
    const unexpected = complaints.filter((_, index) => !((named[index] ?? "") in foreignTypes));
    expect(unexpected).toEqual([]);
    expect([...new Set(named)].sort()).toEqual(Object.keys(foreignTypes).sort());
    expect(code).toBe(1);
  });

  it("can be published to JSR, with types that need no inference", async () => {
    const { code, stdout, stderr } = await runProgram(
      process.execPath,
      toolWords("deno", "publish", "--dry-run", "--allow-dirty"),
    );
    const output = stdout + stderr;
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("Success") });
    expect(output).not.toMatch(/warning/i);
    const files = [...output.matchAll(/file:\/\/(\S+) \(/g)].map(([, path = ""]) =>
      path.slice(PROJECT.length)
    );
    const foreign = /^(?!(src|adapters)\/|(README\.md|LICENSE|deno\.json)$)/;
    expect(files.length).toBeGreaterThan(50);
    expect(files.filter((path) => foreign.test(path))).toEqual([]);
  });

  it("has examples in its documentation that run as they stand", async () => {
    const places = ["src", "adapters", "README.md"].map((path) => join(PROJECT, path));
    const words = ["test", "--doc", "--allow-all", "--config", join(PROJECT, "deno.json")];
    const output = await succeed(process.execPath, toolWords("deno", ...words, ...places), folder);
    expect(output).toMatch(/ok \| \d{2,} passed \| 0 failed/);
    expect(readProjectFile("README.md")).toContain("```ts\n");
    expect(output).toContain("README.md#");
  }, 120_000);

  it("runs in memory without a single permission (S4)", async () => {
    const output = await deno("run", "--no-prompt", "test/shape/memory_app.ts");
    expect(output).toBe("ada 401\n");
  });
});
