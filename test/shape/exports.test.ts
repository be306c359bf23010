import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import deno from "../../deno.json" with { type: "json" };
import npm from "../../package.json" with { type: "json" };
import tsconfig from "../../tsconfig.json" with { type: "json" };
import tsup from "../../tsup.config.ts";
import { listFiles, PROJECT } from "./project.ts";

/** The entries of the package, as `deno.json` names them: the other lists must say the same. */
const entries = Object.entries(deno.exports);

/** `./memory` of the package is `latchkey/memory` for whoever imports it. */
function nameOf(key: string): string {
  return `latchkey${key.slice(1)}`;
}

describe("the entries", () => {
  it("are files that exist", () => {
    expect(entries.filter(([, file]) => !existsSync(join(PROJECT, file)))).toEqual([]);
  });

  it("have the same names and files in the import map of Deno", () => {
    expect(deno.imports).toEqual(
      Object.fromEntries(entries.map(([key, file]) => [nameOf(key), file])),
    );
  });

  it("have the same names and files in tsconfig.json", () => {
    expect(tsconfig.compilerOptions.paths).toEqual(
      Object.fromEntries(entries.map(([key, file]) => [nameOf(key), [file]])),
    );
  });

  it("have the same names in package.json, and the files that the build makes of them", () => {
    const built = entries.map(([key, file]) => {
      const path = file.replace(/^\.\//, "./dist/").replace(/\.ts$/, "");
      return [key, { types: `${path}.d.ts`, default: `${path}.js` }];
    });
    expect(npm.exports).toEqual({
      ...Object.fromEntries(built),
      "./package.json": "./package.json",
    });
  });

  it("are what the build begins with", () => {
    expect(new Set(Array.isArray(tsup.entry) ? tsup.entry : [])).toEqual(
      new Set(Object.values(deno.exports)),
    );
  });

  it("leave out no adapter that is not part of another", () => {
    const parts =
      /^adapters\/(openapi\/(denial|input|json|reply)|password\/(encoded|common_password_list)|http\/peer_address|store\/libsql_\w+)\.ts$/;
    const named = entries.map(([, file]) => file.slice("./".length));
    const forgotten = listFiles("adapters").filter((file) =>
      !named.includes(file) && !parts.test(file)
    );
    expect(forgotten).toEqual([]);
  });

  it("have the same version and licence for npm and JSR", () => {
    expect([npm.version, npm.license]).toEqual([deno.version, deno.license]);
  });

  it.each(entries)("%s can be imported and exports something", async (key) => {
    const module: unknown = await import(nameOf(key));
    expect(Object.keys(Object(module)).length).toBeGreaterThan(0);
  });
});
