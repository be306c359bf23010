import { Buffer } from "node:buffer";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import npm from "../../package.json" with { type: "json" };
import { listFiles, PROJECT, readProjectFile, runProgram, succeed } from "./project.ts";
import { readSources, sourceOf } from "./source.ts";

const Entry = v.object({
  version: v.optional(v.string(), ""),
  license: v.optional(v.string(), ""),
  integrity: v.optional(v.string(), ""),
  resolved: v.optional(v.string()),
  link: v.optional(v.boolean(), false),
  dev: v.optional(v.boolean(), false),
  devOptional: v.optional(v.boolean(), false),
  optional: v.optional(v.boolean(), false),
  hasInstallScript: v.optional(v.boolean(), false),
});
const Lock = v.object({ lockfileVersion: v.number(), packages: v.record(v.string(), Entry) });

/** One package of a lockfile. */
interface Locked extends v.InferOutput<typeof Entry> {
  readonly path: string;
  readonly name: string;
}

/** Every package of a lockfile, without the project itself. */
function readLock(file: string): readonly Locked[] {
  const { lockfileVersion, packages } = v.parse(Lock, JSON.parse(readProjectFile(file)));
  expect(lockfileVersion).toBe(3);
  return Object.entries(packages).filter(([path]) => path !== "").map(([path, entry]) => ({
    ...entry,
    path,
    name: path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length),
  }));
}

const isExact = (text: string) =>
  /^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.test(text);
const isIntegrity = (text: string) => /^sha512-[A-Za-z0-9+/]{86}==$/.test(text);

const production = readLock("package-lock.json").filter(({ dev, devOptional }) =>
  !dev && !devOptional
);

/** Packages of others whose own descriptions name no licence in the form that lockfiles copy. */
const unlicensed: readonly string[] = ["passport-http-bearer", "passport-strategy", "pause"];

describe.each([
  "package-lock.json",
  "test/bench/package-lock.json",
  "test/runtimes/package-lock.json",
])("%s", (file) => {
  const entries = readLock(file);

  it("pins every package to one version with a known licence (S6)", () => {
    expect(entries.length).toBeGreaterThan(10);
    expect(entries.filter(({ version }) => !isExact(version)).map(({ path }) => path)).toEqual([]);
    expect(
      entries.filter(({ license, name }) => license === "" && !unlicensed.includes(name))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  it("takes nothing from a repository, a folder or an address of its own (S6)", () => {
    expect(entries.filter(({ resolved, link }) => resolved !== undefined || link)).toEqual([]);
    const sources = listTexts(JSON.parse(readProjectFile(file)));
    expect(sources.filter((text) => /^(?:git|file|link|https?|github)\b.*:/.test(text))).toEqual(
      [],
    );
  });

  it("knows the digest of every package that this machine can install (S6)", () => {
    // npm writes none for a native package of another platform that it has not seen.
    const foreign = (entry: Locked) => entry.optional && entry.integrity === "";
    const native = entries.filter(foreign);
    expect(native.filter(({ path }) => isInstalled(file, path)).map(({ path }) => path)).toEqual(
      [],
    );
    expect(
      entries.filter((entry) => !foreign(entry) && !isIntegrity(entry.integrity))
        .map(({ path }) => path),
    ).toEqual([]);
  });
});

/** Every text in a value, except where a package asks for money. */
function listTexts(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).filter(([name]) => name !== "funding")
    .flatMap(([, part]) => listTexts(part));
}

function isInstalled(file: string, path: string): boolean {
  try {
    return readdirSync(join(PROJECT, file, "..", path)).length > 0;
  } catch {
    return false;
  }
}

const Component = v.object({
  name: v.string(),
  version: v.string(),
  purl: v.string(),
  hashes: v.array(v.object({ alg: v.literal("SHA-512"), content: v.string() })),
  licenses: v.array(v.object({ license: v.object({ id: v.string() }) })),
});

describe("what an application gets with the library", () => {
  it("can be listed with name, version, digest and licence, as npm's own CycloneDX listing does (S6)", async () => {
    const words = ["sbom", "--omit=dev", "--sbom-format=cyclonedx", "--package-lock-only"];
    const output = await succeed("npm", words);
    const Listing = v.object({
      bomFormat: v.literal("CycloneDX"),
      components: v.array(Component),
    });
    const { components } = v.parse(Listing, JSON.parse(output));
    const listed = components.map(({ name, version, purl, hashes, licenses }) => ({
      name,
      version,
      purl,
      integrity: `sha512-${Buffer.from(hashes[0]?.content ?? "", "hex").toString("base64")}`,
      license: licenses.map(({ license }) => license.id).join(),
    }));
    const locked = production.map(({ name, version, integrity, license }) => {
      const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
      return { name, version, purl, integrity, license };
    });
    const byName = (left: { readonly name: string }, right: { readonly name: string }) =>
      left.name < right.name ? -1 : 1;
    // npm leaves out what a package for development wants as a peer, too: here, that is valibot.
    const peers = ["valibot"];
    expect(listed.sort(byName)).toEqual(
      locked.sort(byName).filter(({ name }) =>
        !peers.includes(name) || listed.some((one) => one.name === name)
      ),
    );
    expect(locked.length).toBeGreaterThan(3);
    for (const { integrity, license } of locked) {
      expect(isIntegrity(integrity)).toBe(true);
      expect(["MIT", "ISC", "BSD-3-Clause", "Apache-2.0"]).toContain(license);
    }
  });

  it("is what is installed here, with no script of its own and no native code (S2)", () => {
    const Description = v.object({
      version: v.string(),
      license: v.string(),
      scripts: v.optional(v.record(v.string(), v.string()), {}),
      gypfile: v.optional(v.boolean(), false),
    });
    const hooks = ["preinstall", "install", "postinstall"];
    expect(production.map(({ name }) => name)).toEqual(
      expect.arrayContaining(Object.keys(npm.dependencies)),
    );
    for (const { path, version, license, hasInstallScript } of production) {
      const folder = join(PROJECT, path);
      const text = readFileSync(join(folder, "package.json"), "utf8");
      const found = v.parse(Description, JSON.parse(text));
      expect({ path, version: found.version, license: found.license })
        .toEqual({ path, version, license });
      expect({ path, hasInstallScript, gypfile: found.gypfile })
        .toEqual({ path, hasInstallScript: false, gypfile: false });
      expect(hooks.filter((hook) => hook in found.scripts), path).toEqual([]);
      const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
      expect(files.length, path).toBeGreaterThan(2);
      expect(files.filter((file) => /\.(?:node|wasm|gyp|so|dll|dylib|exe|sh)$/.test(file)), path)
        .toEqual([]);
    }
  });

  it("has no known vulnerability, where a registry can be asked (S6)", async (context) => {
    const Audit = v.object({
      metadata: v.object({ vulnerabilities: v.object({ total: v.number() }) }),
      vulnerabilities: v.record(v.string(), v.unknown()),
    });
    const { stdout } = await runProgram("npm", [
      "audit",
      "--omit=dev",
      "--json",
      "--fetch-retries=0",
      "--fetch-timeout=20000",
    ]);
    const answer = v.safeParse(Audit, JSON.parse(stdout || "null"));
    if (!answer.success) context.skip("the registry here answers no audit");
    expect(answer.output).toMatchObject({
      metadata: { vulnerabilities: { total: 0 } },
      vulnerabilities: {},
    });
  });
});

/**
 * Comparisons that stop at the first difference although they name something of that kind, and why
 * nobody can learn from their time. By file; the text is that of the comparison.
 */
const accepted: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "adapters/password/encoded.ts": {
    "encodeBase64(bytes) === text": "A text that encodes itself: it is compared with its own form.",
    "encodeBase64NoPadding(bytes) === text": "As above.",
  },
  "adapters/store/memory.ts": {
    "user.password === expected": "Both are what the database holds; no client gives either.",
  },
  "src/core/attempt.ts": {
    "one.key === key": "The digest of a name and an address, which whoever asks knows.",
  },
  "src/core/store_answer.ts": {
    "token.digest === digest": "What a store was given with what it says it has added.",
    "window?.key === key": "What a store was asked for with what it answered.",
  },
  "src/data/sha256.ts": {
    "native(sample) === portableHash(sample)": "Both are digests of a word in the source.",
  },
  "src/http/body.ts": {
    "key.trim().toLowerCase() === name": "The name of a parameter of a header.",
  },
  "src/http/cookie.ts": {
    "inHeaders.text === text": "Both come from one client.",
    "new URL(text).origin === text": "A text with its own form.",
  },
  "src/pure/digest.ts": {
    "pepper === stored.pepper": "The name of a key, which is no secret.",
  },
  "src/pure/format.ts": {
    "text.slice(body) === checksum(text.slice(0, body))":
      "A checksum is made of the text itself, without a key.",
  },
  "src/pure/password_rule.ts": {
    "text.charAt(index) !== text.charAt(border)": "A text with itself.",
    "text.charAt(index) === text.charAt(border)": "As above.",
    "left !== text": "A new password with what is left of it, both from one client.",
  },
};

/** What is secret, or stands for it. */
const sensitive =
  /digest|secret|hash|hmac|\bmac\b|pepper|checksum|password|encoded|signature|^text$|^key$|token$/i;

/** Every comparison with `==` and the like in which both sides are values, and one is secret by its name. */
function listComparisons(source: ts.SourceFile): readonly string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isEquality(node.operatorToken.kind)) {
      const sides = [node.left, node.right];
      if (!sides.some(isPlain) && sides.some(namesSecret)) {
        found.push(node.getText(source).replace(/\s+/g, " "));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isEquality(kind: ts.SyntaxKind): boolean {
  return kind === ts.SyntaxKind.EqualsEqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsEqualsToken ||
    kind === ts.SyntaxKind.EqualsEqualsToken ||
    kind === ts.SyntaxKind.ExclamationEqualsToken;
}

/** Whether one side says nothing of a secret: a literal, `null`, `undefined`, a type or a length. */
function isPlain(node: ts.Expression): boolean {
  if (ts.isLiteralExpression(node) || ts.isTypeOfExpression(node)) return true;
  if (ts.isIdentifier(node)) return node.text === "undefined";
  if (ts.isPropertyAccessExpression(node)) return /^(?:length|size|kind)$/.test(node.name.text);
  const words = [ts.SyntaxKind.NullKeyword, ts.SyntaxKind.TrueKeyword, ts.SyntaxKind.FalseKeyword];
  return words.includes(node.kind);
}

/** Whether what an expression gives is secret by a name: of a member the last name counts. */
function namesSecret(node: ts.Node): boolean {
  if (ts.isIdentifier(node)) return sensitive.test(node.text);
  if (ts.isPropertyAccessExpression(node)) return sensitive.test(node.name.text);
  if (ts.isElementAccessExpression(node)) {
    const { argumentExpression: name } = node;
    return ts.isStringLiteralLike(name) ? sensitive.test(name.text) : namesSecret(name);
  }
  // What is found by a key is not the key.
  if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
    if (node.expression.name.text === "get") return namesSecret(node.expression.expression);
    return [node.expression, node.expression.expression, ...node.arguments].some(namesSecret);
  }
  return ts.forEachChild(node, (child) => namesSecret(child) || undefined) ?? false;
}

describe("the sources", () => {
  const files = ["src", "adapters"].flatMap(listFiles).filter((file) =>
    !file.startsWith("src/testing/")
  );
  const program = readSources(files);

  it("compare nothing secret with ===, except where it is said why (S6, T1)", () => {
    const found = files.flatMap((file) =>
      listComparisons(sourceOf(program, file)).map((text) => ({ file, text }))
    );
    expect(found.filter(({ file, text }) => accepted[file]?.[text] === undefined)).toEqual([]);
    const excuses = Object.entries(accepted).flatMap(([file, texts]) =>
      Object.entries(texts).map(([text, reason]) => ({ file, text, reason }))
    );
    const idle = excuses.filter(({ file, text }) =>
      !found.some((one) => one.file === file && one.text === text)
    );
    expect(idle).toEqual([]);
    for (const { reason } of excuses) expect(reason).toMatch(/\.$/);
  });

  it.each<[string, boolean]>([
    ["digest === stored.digest", true],
    ["token.digest !== digest", true],
    ["hash(a) == b", true],
    ["text.slice(3) === checksum(text)", true],
    ["encode(secret) === given", true],
    ["user.password === given", true],
    ["hmac === other", true],
    ['row["digest"] === other', true],
    ["digests.get(id) === other", true],
    ["records.get(digest) === other", false],
    ["token[name] === id", false],
    ["digest === null", false],
    ["secret === undefined", false],
    ['pepper === "none"', false],
    ["typeof password !== other", false],
    ["password.length !== size", false],
    ["token.id === id", false],
    ["constantTimeEqual(digest, other)", false],
  ])("are read so that %s is judged %j", (text, isFound) => {
    const source = ts.createSourceFile("/a.ts", text, ts.ScriptTarget.ES2022, true);
    expect(listComparisons(source).length > 0).toBe(isFound);
  });
});
