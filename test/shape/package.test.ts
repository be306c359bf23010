import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import ts from "typescript";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import npm from "../../package.json" with { type: "json" };
import { commonConsumer, consumers } from "./consumers.ts";
import {
  INSTALL_TIMEOUT,
  installTools,
  PROJECT,
  readProjectFile,
  succeed,
  toolWords,
} from "./project.ts";

const names = Object.keys(npm.exports).filter((key) => key !== "./package.json")
  .map((key) => `latchkey${key.slice(1)}`);
/** The entries that cannot be loaded without a package that the application chooses. */
const peerOf: Readonly<Record<string, string>> = {
  "latchkey/argon2id": "oslo",
  "latchkey/libsql": "drizzle-orm",
  "latchkey/libsql-sync": "libsql",
  "latchkey/openapi": "@valibot/to-json-schema",
};

const folder = mkdtempSync(join(tmpdir(), "latchkey-package-"));
const packed = join(folder, "packed");
const tarball = join(packed, `latchkey-${npm.version}.tgz`);
/** An application with the library and nothing but what that brings. */
const bare = join(folder, "bare");
/** The same with every optional peer and the declarations of a Node application. */
const full = join(folder, "full");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  await installTools("deno", "bun");
  await pack();
  await installBare();
  addPeers();
}, INSTALL_TIMEOUT);

/** Builds and packs a copy, as a release does: `prepack` runs the build. */
async function pack(): Promise<void> {
  const copy = join(folder, "copy");
  const parts = [
    "src",
    "adapters",
    "package.json",
    "deno.json",
    "tsconfig.json",
    "tsup.config.ts",
    "README.md",
    "LICENSE",
  ];
  mkdirSync(packed);
  for (const part of parts) cpSync(join(PROJECT, part), join(copy, part), { recursive: true });
  symlinkSync(join(PROJECT, "node_modules"), join(copy, "node_modules"), "dir");
  await succeed("npm", ["pack", "--pack-destination", packed], copy);
}

/** A real installation without a network: what the library needs comes as tarballs, too. */
async function installBare(): Promise<void> {
  const needed = [
    "@oslojs/asn1",
    "@oslojs/binary",
    "@oslojs/crypto",
    "@oslojs/encoding",
    "valibot",
  ];
  const folders = needed.map((name) => join(PROJECT, "node_modules", name));
  const quiet = ["--ignore-scripts", "--loglevel=error"];
  await succeed("npm", ["pack", ...quiet, "--pack-destination", packed, ...folders]);
  mkdirSync(bare);
  writeFileSync(join(bare, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const tarballs = readdirSync(packed).map((name) => join(packed, name));
  const words = ["install", "--offline", "--no-audit", "--no-fund", ...quiet];
  await succeed("npm", [...words, ...tarballs], bare);
  cpSync(join(PROJECT, "test/shape/memory_app.ts"), join(bare, "app.mjs"));
}

function addPeers(): void {
  cpSync(bare, full, { recursive: true });
  const modules = join(full, "node_modules");
  for (const name of [...Object.keys(npm.peerDependencies), "@types"]) {
    mkdirSync(join(modules, name, ".."), { recursive: true });
    symlinkSync(join(PROJECT, "node_modules", name), join(modules, name), "dir");
  }
  for (const [name, text] of Object.entries(consumers)) writeFileSync(join(full, name), text);
  writeFileSync(join(full, "common.cts"), commonConsumer);
}

/** Compiles applications and returns what the compiler says of them and of the library's own declarations. */
function compile(files: readonly string[], options: ts.CompilerOptions): readonly string[] {
  const paths = files.map((file) => join(full, file));
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => full;
  const program = ts.createProgram(paths, {
    target: ts.ScriptTarget.ES2022,
    strict: true,
    declaration: true,
    types: ["node"],
    outDir: join(full, "out"),
    ...options,
  }, host);
  const modules = join(full, "node_modules", sep);
  const library = join(modules, "latchkey", sep);
  const own = program.getSourceFiles().filter(({ fileName }) =>
    fileName.startsWith(library) || fileName.startsWith(full) && !fileName.startsWith(modules)
  );
  expect(own.length).toBeGreaterThan(files.length);
  return [
    ...program.getOptionsDiagnostics(),
    ...own.flatMap((file) => [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
      ...(file.isDeclarationFile ? [] : program.emit(file).diagnostics),
    ]),
  ].map((diagnostic) => ts.formatDiagnostic(diagnostic, host));
}

/** What the loader of `importer` makes of each entry: the number of its exports, or the failure. */
async function loadEntries(place: string, importer: string): Promise<Record<string, string>> {
  const file = join(place, "load.mjs");
  writeFileSync(
    file,
    `import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const loaded = {};
for (const name of ${JSON.stringify(names)}) {
  try {
    loaded[name] = Object.keys(${importer}(name)).length > 0 ? "loaded" : "empty";
  } catch (error) {
    loaded[name] = String(error.message);
  }
}
console.log(JSON.stringify(loaded));
`,
  );
  const output = await succeed(process.execPath, [file], place);
  return v.parse(v.record(v.string(), v.string()), JSON.parse(output));
}

const everyEntry = Object.fromEntries(names.map((name) => [name, "loaded"]));

describe("the packed library", () => {
  it("holds the build, its description and the licence, and nothing else (S1)", async () => {
    const list = (await succeed("tar", ["-tzf", tarball])).trim().split("\n");
    expect(list.length).toBeGreaterThan(20);
    expect(
      list.filter((path) => !/^package\/dist\/.+\.js$|^package\/dist\/.+\.d\.ts$/.test(path))
        .sort(),
    )
      .toEqual(["package/LICENSE", "package/README.md", "package/package.json"]);
    const version = await succeed("tar", ["-xOzf", tarball, "package/package.json"]);
    expect(version).toBe(readProjectFile("package.json"));
  });

  it("is found well-formed by publint", async () => {
    await succeed(process.execPath, toolWords("publint", "run", tarball, "--strict"));
  });

  it("has types that resolve everywhere but where ES modules do not", () => {
    // An older TypeScript resolution knows no `exports`; a CommonJS file reaches an ES module by
    // `import()`, or by `require` on a Node that can, which is tried below.
    const accepted = ["NoResolution node10", "CJSResolvesToESM node16-cjs"];
    const Problems = v.array(v.object({
      kind: v.string(),
      entrypoint: v.string(),
      resolutionKind: v.optional(v.string(), ""),
    }));
    const Report = v.object({ analysis: v.object({ problems: Problems }) });
    const words = toolWords("attw", tarball, "--format", "json");
    // Into a file: the tool ends before a pipe has taken all of its report.
    const report = join(folder, "attw.json");
    spawnSync(process.execPath, words, { stdio: ["ignore", openSync(report, "w"), "inherit"] });
    const { problems } = v.parse(Report, JSON.parse(readFileSync(report, "utf8"))).analysis;
    const found = problems.map(({ kind, resolutionKind }) => `${kind} ${resolutionKind}`);
    expect([...new Set(found)].sort()).toEqual([...accepted].sort());
    expect(found.length).toBe(accepted.length * names.length);
  });

  it("installs without its optional peers, and then loads all that needs none", async () => {
    const loaded = await loadEntries(bare, "await import");
    const missing = names.filter((name) => loaded[name] !== "loaded");
    expect(missing).toEqual(Object.keys(peerOf));
    for (const name of missing) expect(loaded[name]).toContain(`package '${peerOf[name]}'`);
  });

  it("can be imported, every entry of it (S1)", async () => {
    expect(await loadEntries(full, "await import")).toEqual(everyEntry);
  });

  it("can be required, every entry of it", async () => {
    expect(await loadEntries(full, "require")).toEqual(everyEntry);
  });

  it.each(["node", "deno", "bun"])("works installed, on %s", async (runtime) => {
    const app = join(bare, "app.mjs");
    const words = {
      node: [app],
      deno: toolWords("deno", "run", "--no-prompt", "--node-modules-dir=manual", app),
      bun: toolWords("bun", app),
    }[runtime] ?? [];
    expect(await succeed(process.execPath, words, bare)).toBe("ada 401\n");
  });
});

describe("an application in TypeScript", () => {
  const { ModuleKind, ModuleResolutionKind } = ts;
  const modern = { module: ModuleKind.ESNext, moduleResolution: ModuleResolutionKind.Bundler };

  it.each([
    { name: "node16", options: { module: ModuleKind.Node16 } },
    { name: "nodenext", options: { module: ModuleKind.NodeNext } },
    { name: "bundler", options: modern },
  ])("compiles with declarations of its own under $name", ({ options }) => {
    expect(compile(Object.keys(consumers), options)).toEqual([]);
  });

  it("compiles as CommonJS under nodenext, and runs", async () => {
    expect(compile(["common.cts"], { module: ModuleKind.NodeNext })).toEqual([]);
    const script =
      'require("./out/common.cjs").created.then(({ value }) => console.log(value.username))';
    expect(await succeed(process.execPath, ["-e", script], full)).toBe("ada\n");
  });

  it("is told when it misspells a scope", () => {
    const text = consumers["plain.ts"]?.replace(/^\/\/ @ts-expect-error.*\n/m, "") ?? "";
    writeFileSync(join(full, "misspelt.ts"), text);
    const complaints = compile(["misspelt.ts"], modern);
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toContain('"raed"');
  });
});
