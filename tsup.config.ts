import type { Options } from "tsup";
import deno from "./deno.json" with { type: "json" };

// One file in, one file out, in the same folders; shared code stays in shared chunks.
const config: Options = {
  entry: [...new Set(Object.values(deno.exports))],
  outDir: "dist",
  format: "esm",
  target: "es2022",
  dts: true,
  clean: true,
  splitting: true,
  treeshake: true,
};
export default config;
