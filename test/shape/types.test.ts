import { createRequire } from "node:module";
import { expect, it } from "vitest";
import { PROJECT, runProgram } from "./project.ts";

it("compiles as a whole, with what test/types says about inference", async () => {
  const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");
  const { code, stdout } = await runProgram(process.execPath, [compiler, "-p", PROJECT]);
  expect(stdout).toBe("");
  expect(code).toBe(0);
});
