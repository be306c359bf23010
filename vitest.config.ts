import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";
import tsconfig from "./tsconfig.json" with { type: "json" };

// The package's own name resolves to its sources, as it does for tsx, Bun and Deno.
const alias = Object.entries(tsconfig.compilerOptions.paths).map(([name, [path]]) => ({
  find: new RegExp(`^${name}$`),
  replacement: fileURLToPath(new URL(path ?? "", import.meta.url)),
}));

const config: ViteUserConfig = {
  resolve: { alias },
  // The one pool that works on Node, Deno and Bun.
  test: {
    include: ["test/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
};
export default config;
