import * as v from "valibot";
import { describe, expect, it } from "vitest";
import npm from "../../package.json" with { type: "json" };
import { readProjectFile, runProgram, succeed } from "./project.ts";

const Names = v.optional(v.record(v.string(), v.string()), {});
const Lock = v.object({
  packages: v.record(
    v.string(),
    v.object({
      dependencies: Names,
      optionalDependencies: Names,
      peerDependencies: Names,
      peerDependenciesMeta: v.optional(
        v.record(v.string(), v.object({ optional: v.boolean() })),
        {},
      ),
      hasInstallScript: v.optional(v.boolean(), false),
      os: v.optional(v.array(v.string())),
      cpu: v.optional(v.array(v.string())),
      dev: v.optional(v.boolean(), false),
    }),
  ),
});
const { packages } = v.parse(Lock, JSON.parse(readProjectFile("package-lock.json")));

/** Every package that an application gets with this one: what they need, and what those need. */
function listInstalled(names: readonly string[], found: Set<string> = new Set()): Set<string> {
  for (const name of names) {
    if (found.has(name)) continue;
    found.add(name);
    const entry = packages[`node_modules/${name}`];
    if (entry === undefined) {
      throw new Error(`Cannot check ${name}: the lockfile has no such entry`);
    }
    const peers = Object.keys(entry.peerDependencies)
      .filter((peer) => entry.peerDependenciesMeta[peer]?.optional !== true);
    const others = { ...entry.dependencies, ...entry.optionalDependencies };
    listInstalled([...Object.keys(others), ...peers], found);
  }
  return found;
}

const installed = [...listInstalled(Object.keys(npm.dependencies))].sort();

describe("the dependencies", () => {
  it("are few, and all of them are pure JavaScript (S2)", () => {
    expect(installed).toEqual([
      "@oslojs/asn1",
      "@oslojs/binary",
      "@oslojs/crypto",
      "@oslojs/encoding",
      "valibot",
    ]);
    for (const name of installed) {
      const entry = packages[`node_modules/${name}`];
      const { hasInstallScript, os, cpu } = entry ?? {};
      expect({ name, hasInstallScript, os, cpu }).toEqual({ name, hasInstallScript: false });
    }
  });

  it("are each installed once", () => {
    const copies = Object.keys(packages).filter((path) =>
      installed.some((name) => path.endsWith(`/node_modules/${name}`)) &&
      packages[path]?.dev === false
    );
    expect(copies).toEqual([]);
  });

  it("name every framework and database as an optional peer", () => {
    const peers = Object.keys(npm.peerDependencies);
    expect(Object.keys(npm.peerDependenciesMeta).sort()).toEqual([...peers].sort());
    expect(Object.values(npm.peerDependenciesMeta).every(({ optional }) => optional)).toBe(true);
    expect(peers.filter((name) => name in npm.dependencies)).toEqual([]);
    expect(peers.filter((name) => !(name in npm.devDependencies))).toEqual([]);
  });

  it("run no script of ours on the machine of whoever installs the package", () => {
    const hooks = ["preinstall", "install", "postinstall", "prepare", "prepublish"];
    expect(hooks.filter((hook) => hook in npm.scripts)).toEqual([]);
  });
});

describe("the files of the repository", () => {
  it.each(["package-lock.json", "test/bench/package-lock.json", "test/runtimes/package-lock.json"])(
    "say nothing in %s about where a package came from",
    (path) => {
      expect(
        readProjectFile(path).split("\n").filter((line) => /"resolved"|:\/\/[^"]*\.tgz/.test(line)),
      )
        .toEqual([]);
    },
  );

  it("name no registry, no folder of a machine and no unfinished work", async () => {
    const registry = await succeed("npm", ["config", "get", "registry"]);
    // Written so that this file does not find itself.
    const patterns = [
      "registry[.]npmj[s]",
      "npm[.]js[r]",
      "/wor[k]/",
      "/bash_job[s]",
      "/roo[t]/",
      "\\bTOD[O]\\b",
      "\\bFIXM[E]\\b",
      new URL(registry.trim()).host,
    ];
    const words = patterns.flatMap((pattern) => ["-e", pattern]);
    const { code, stdout, stderr } = await runProgram(
      "git",
      ["grep", "-InP", "--untracked", ...words],
    );
    expect(stdout).toBe("");
    expect(stderr).toBe("");
    // 1 is "nothing found"; anything above is a failure of git.
    expect(code).toBe(1);
  });
});
