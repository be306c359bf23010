import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PROJECT, readProjectFile } from "./project.ts";

/** The rows of the table of promises: what is promised, and the paths that stand beside it. */
function listPromises(): readonly {
  readonly promise: string;
  readonly paths: readonly string[];
}[] {
  const [, section = ""] = readProjectFile(".github/SECURITY.md").split("## What is promised\n");
  const lines = section.split(/\n## /)[0]?.split("\n").filter((line) => line.startsWith("|")) ?? [];
  return lines.slice(2).map((line) => {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    const paths = [...(cells.at(-1) ?? "").matchAll(/`([^`]+)`/g)].map(([, path = ""]) => path);
    return { promise: (cells[0] ?? "").trim(), paths };
  });
}

/** Whether a path is a suite, or a folder with suites in it. */
function holdsTests(path: string): boolean {
  if (!path.endsWith("/")) return path.endsWith(".test.ts") && existsSync(join(PROJECT, path));
  return existsSync(join(PROJECT, path)) &&
    readdirSync(join(PROJECT, path), { recursive: true, encoding: "utf8" })
      .some((file) => file.endsWith(".test.ts"));
}

describe("the security policy", () => {
  const promises = listPromises();

  it("names for each promise the tests that prove it", () => {
    expect(promises.length).toBeGreaterThan(20);
    expect(promises.filter(({ paths }) => paths.length === 0)).toEqual([]);
    expect(promises.filter(({ promise }) => promise === "")).toEqual([]);
  });

  it("names only tests that exist", () => {
    const missing = promises.flatMap(({ paths }) => paths).filter((path) => !holdsTests(path));
    expect(missing).toEqual([]);
  });

  it("promises nothing twice", () => {
    const texts = promises.map(({ promise }) => promise);
    expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
  });
});
