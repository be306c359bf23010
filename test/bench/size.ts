import { execFileSync } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { brotliCompressSync } from "node:zlib";
import type { Effort, Figure, Outcome } from "./figure.ts";
import { PROJECT, withFolder } from "./project.ts";
import { alternate } from "./rounds.ts";

/** How large the library is and how long it takes to load. */
export const sizeFigures: readonly Figure[] = [
  {
    name: "size",
    subject: "a bundle of a guard, Brotli",
    rival: "what the README says",
    unit: "kB",
    relation: "ratio",
    // The README rounds to a tenth.
    target: { bound: "at most", value: 1.01 },
    measure: measureSize,
  },
  {
    name: "size limit",
    subject: "a bundle of a guard, Brotli",
    rival: "nothing",
    unit: "kB",
    relation: "difference",
    target: { bound: "at most", value: 8 },
    measure: async () => ({
      kind: "measured",
      rounds: [{ subject: bundleGuard(), rival: 0 }],
    }),
  },
  {
    name: "import",
    subject: 'import "latchkey"',
    rival: "an empty module",
    unit: "ms",
    relation: "difference",
    target: { bound: "at most", value: 10 },
    measure: measureImport,
  },
];

async function measureSize(): Promise<Outcome> {
  const readme = readFileSync(join(PROJECT, "README.md"), "utf8");
  const told = Number(/guard needs ([\d.]+) kB/.exec(readme)?.[1]);
  return {
    kind: "measured",
    rounds: [{ subject: bundleGuard(), rival: told }],
  };
}

/** As an application's bundler makes it: minified, with the dependencies, in thousands of bytes. */
function bundleGuard(): number {
  const text = 'export { createGuard, defineAuth } from "./src/mod.ts";';
  const words = [join(PROJECT, "test/shape/bundle.mjs"), text];
  return brotliCompressSync(execFileSync(process.execPath, words)).length /
    1_000;
}

/** Loads the build, each time in a fresh process, and an empty module in another. */
async function measureImport({ quick }: Effort): Promise<Outcome> {
  return await withFolder(async (folder) => {
    const words = ["--out-dir", join(folder, "dist"), "--no-dts", "--silent"];
    const tsup = join(PROJECT, "node_modules/tsup/dist/cli-default.js");
    execFileSync(process.execPath, [tsup, ...words], {
      cwd: PROJECT,
      stdio: "ignore",
    });
    symlinkSync(
      join(PROJECT, "node_modules"),
      join(folder, "node_modules"),
      "dir",
    );
    writeFileSync(
      join(folder, "package.json"),
      JSON.stringify({ type: "module" }),
    );
    writeFileSync(join(folder, "empty.js"), "export {};\n");
    const load = async (path: string) => {
      const text = `const start = performance.now();
await import(${JSON.stringify(join(folder, path))});
console.log(performance.now() - start);`;
      const args = ["--input-type=module", "--eval", text];
      return Number(execFileSync(process.execPath, args, { encoding: "utf8" }));
    };
    const sides = {
      subject: () => load("dist/src/mod.js"),
      rival: () => load("empty.js"),
    };
    return { kind: "measured", rounds: await alternate(quick ? 7 : 25, sides) };
  });
}
