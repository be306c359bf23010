import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { callable, importPeer } from "./peers.ts";
import { PROJECT } from "./project.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
let building: Promise<string> | null = null;

/**
 * Compiles the programs that are measured, each into one file, and returns their folder.
 *
 * What is measured must be what an application runs. A loader that compiles on
 * the way, such as tsx, wraps every function to keep its name, also those that
 * are made for each request. Packages stay outside, as they do in a release.
 */
export function buildPrograms(): Promise<string> {
  building ??= build();
  return building;
}

async function build(): Promise<string> {
  // Below node_modules, so that the programs find the rivals and the project's own packages.
  const outdir = mkdtempSync(join(FOLDER, "node_modules", ".built-"));
  process.once("exit", () => rmSync(outdir, { recursive: true, force: true }));
  const esbuild = await importPeer("esbuild", v.object({ build: callable }));
  await esbuild.build({
    entryPoints: [join(FOLDER, "*_worker.ts"), join(FOLDER, "apps/*.ts")],
    absWorkingDir: PROJECT,
    outbase: FOLDER,
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    format: "esm",
    target: "es2022",
    platform: "node",
    tsconfig: join(PROJECT, "tsconfig.json"),
    logLevel: "error",
  });
  return outdir;
}
