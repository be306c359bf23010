import ts from "typescript";
import { describe, expect, it } from "vitest";
import { allowedGlobals, layerRules, namesFile, singleUses } from "./layers.ts";
import { listFiles } from "./project.ts";
import { type Import, listGlobals, listImports, readSources, sourceOf } from "./source.ts";

const files = ["src", "adapters", "examples"].flatMap(listFiles);
const sources = files.filter((file) => file.startsWith("src/"));
const program = readSources(files);
const imports = files.flatMap((file) => listImports(sourceOf(program, file), file));

function ruleOf(file: string) {
  return layerRules.find((rule) => namesFile(rule.files, file));
}

function isAllowed({ file, target, kind, isValue }: Import): boolean {
  const rule = ruleOf(file);
  const allowed = (kind === "module" ? rule?.modules : rule?.packages) ?? [];
  return allowed.some((pattern) =>
    pattern.startsWith("type ")
      ? !isValue && namesFile(pattern.slice("type ".length), target)
      : namesFile(pattern, target)
  );
}

function describeImport({ file, target, isValue }: Import): string {
  return `${file} imports ${isValue ? "" : "types of "}${target}`;
}

describe("the layers", () => {
  it("have a rule for every file", () => {
    expect(files.filter((file) => ruleOf(file) === undefined)).toEqual([]);
  });

  it("have no rule without a file", () => {
    const used = new Set(files.map(ruleOf));
    expect(layerRules.filter((rule) => !used.has(rule)).map((rule) => rule.files)).toEqual([]);
  });

  it("import only what their rule names", () => {
    expect(imports.length).toBeGreaterThan(100);
    expect(imports.filter((each) => !isAllowed(each)).map(describeImport)).toEqual([]);
  });

  it("import only files that exist, by their full names", () => {
    const modules = imports.filter(({ kind }) => kind === "module");
    expect(modules.filter(({ target }) => !files.includes(target)).map(describeImport)).toEqual([]);
  });

  it("need everything that their rule names", () => {
    const idle = layerRules.flatMap((rule) => {
      const own = imports.filter(({ file }) => ruleOf(file) === rule);
      return [...rule.modules, ...rule.packages ?? []]
        .filter((pattern) => {
          const name = pattern.replace(/^type /, "");
          const isOwnFolder = name === rule.files || name === "examples/";
          return !isOwnFolder && !own.some(({ target }) => namesFile(name, target));
        })
        .map((pattern) => `${rule.files} does not import ${pattern}`);
    });
    expect(idle).toEqual([]);
  });

  it("form no circle of imports, not even of types", () => {
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) throw new Error([...path, file].join(" → "));
      if (done.has(file)) return;
      for (const { target } of imports.filter((each) => each.file === file)) {
        if (files.includes(target)) visit(target, [...path, file]);
      }
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });
});

describe("the library itself", () => {
  it("imports no platform module and no package but @oslojs and valibot (S3)", () => {
    const foreign = imports.filter(({ file, kind, target }) =>
      file.startsWith("src/") && kind === "package" && !/^(@oslojs\/.+|valibot)$/.test(target)
    );
    expect(foreign.map(describeImport)).toEqual([]);
  });

  it("uses no name of the platform but those of the language and of the Web", () => {
    const unknown = sources.flatMap((file) =>
      listGlobals(program, sourceOf(program, file))
        .filter((name) => !(name in singleUses))
        .filter((name) => !allowedGlobals.includes(name))
        .filter((name) => !allowedGlobals.includes(name.replace(/\..*/, "")))
        .map((name) => `${file} uses ${name}`)
    );
    expect(unknown).toEqual([]);
  });

  it.each(Object.entries(singleUses))("uses %s in one place only", (name, places) => {
    const uses = sources.flatMap((file) =>
      listGlobals(program, sourceOf(program, file)).filter((used) => used === name).map(() => file)
    );
    expect(uses).toEqual(places);
  });

  it("adds nothing to a type or module of others", () => {
    const augmenting = files.filter((file) =>
      !file.startsWith("examples/") &&
      sourceOf(program, file).statements.some(ts.isModuleDeclaration)
    );
    expect(augmenting).toEqual([]);
  });
});

describe("the check", () => {
  /** A file of its own, read with the same functions. */
  function read(text: string): readonly Import[] {
    const source = ts.createSourceFile("/src/pure/a.ts", text, ts.ScriptTarget.ES2022, true);
    return listImports(source, "src/pure/a.ts");
  }

  it.each<[string, string, boolean]>([
    ['import { a } from "../core/b.ts";', "src/core/b.ts", true],
    ['import { type A } from "../core/b.ts";', "src/core/b.ts", true],
    ['import type { A } from "../core/b.ts";', "src/core/b.ts", false],
    ['export * from "../core/b.ts";', "src/core/b.ts", true],
    ['export type { A } from "../core/b.ts";', "src/core/b.ts", false],
    ['import "node:fs";', "node:fs", true],
    ['const a = await import("node:fs");', "node:fs", true],
    ['type A = import("hono").Context;', "hono", false],
    ['const a = require("hono");', "hono", true],
    ['import a = require("hono");', "hono", true],
    ['/// <reference types="node" />', "node", true],
  ])("sees the import in %s", (text, target, isValue) => {
    const found = read(text);
    expect(found).toMatchObject([{ target, isValue }]);
    expect(found.some(isAllowed)).toBe(false);
  });

  it("refuses an import that is computed", () => {
    expect(() => read("await import(name);")).toThrow("computed");
  });
});
