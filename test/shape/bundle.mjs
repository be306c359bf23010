// Bundles a module that is given as text, as an application's bundler would, and prints the result.
//
//   node test/shape/bundle.mjs <text>

import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ensurePackages, packagesFolder } from "../runtimes/install.mjs";

await ensurePackages();
const esbuild = createRequire(join(packagesFolder, "/"))("esbuild");
const [contents = ""] = process.argv.slice(2);
const { outputFiles } = await esbuild.build({
  stdin: { contents, resolveDir: fileURLToPath(new URL("../../", import.meta.url)), loader: "ts" },
  bundle: true,
  minify: true,
  format: "esm",
  // Neither Node nor a browser: an import of a platform module fails the build.
  platform: "neutral",
  mainFields: ["module", "main"],
  target: "es2022",
  write: false,
});
process.stdout.write(outputFiles[0].text);
