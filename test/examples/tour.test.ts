import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { expect, it } from "vitest";
import { makeFolder, PROJECT, readScript } from "./example.ts";

const steps = [
  "Without a token",
  "Log in with JSON",
  "Log in with a form, and get the same token",
  "Log in with multipart",
  "Log in with a wrong password",
  "Log in through the custom login",
  "The custom login has answers of its own",
  "With the token",
  "With a token that was tampered with",
  "Ctrl-C ends the server cleanly",
  "With the token",
  "The second start shows no password",
  "The database holds neither token nor password",
];

it("npm run tour shows every step, leaves nothing behind and succeeds", () => {
  const folder = makeFolder();
  const { code, output } = runTour(readScript("tour"), folder, PROJECT);
  expect(output.match(/(?<=^ok: ).*$/gm)).toEqual(steps);
  expect(output).not.toContain("NOT OK");
  expect(output).toMatch(/\n\nEvery step answered as it must\.\n$/);
  expect(code).toBe(0);
  expect(fs.readdirSync(folder).filter((name) => name.includes("latchkey"))).toEqual([]);
});

it.each([
  ["hono.ts", 'hello: "World"', 'hello: "Mars"', "With the token; With the token"],
  [
    "setup.ts",
    'onLogin: "reuse"',
    'onLogin: "new"',
    "Log in with a form, and get the same token; Log in with multipart; " +
    "Log in with a wrong password; Log in through the custom login; " +
    "The custom login has answers of its own",
  ],
  ["host.ts", "process.exit(0)", "process.exit(3)", "Ctrl-C ends the server cleanly"],
  [
    "setup.ts",
    "const created =",
    'await client.execute(`CREATE TABLE "${password}" (id)`);\nconst created =',
    "The database holds neither token nor password",
  ],
])("the tour fails when %s says %s no more", (file, right, wrong, failures) => {
  const folder = makeFolder();
  const copy = copyProject(folder);
  const path = join(copy, "examples", file);
  const source = fs.readFileSync(path, "utf8");
  expect(source).toContain(right);
  fs.writeFileSync(path, source.replace(right, wrong));

  const [program, ...words] = readScript("tour");
  const command = words.map((word) =>
    word.replace(join(PROJECT, "examples"), join(copy, "examples"))
  );
  const { code, output } = runTour([program, ...command], folder, copy);
  expect(output).toMatch(/\nFailed: .*\n$/);
  expect(output.slice(output.lastIndexOf("\nFailed: "))).toBe(`\nFailed: ${failures}\n`);
  expect(code).toBe(1);
});

/** The examples themselves, and the rest of the project as it is. */
function copyProject(folder: string): string {
  const copy = join(folder, "copy");
  fs.mkdirSync(copy);
  for (const name of ["examples", "package.json", "tsconfig.json"]) {
    fs.cpSync(join(PROJECT, name), join(copy, name), { recursive: true });
  }
  for (const name of ["adapters", "node_modules", "src"]) {
    fs.symlinkSync(join(PROJECT, name), join(copy, name), "junction");
  }
  return copy;
}

function runTour(
  [program, ...words]: readonly [string, ...string[]],
  cwd: string,
  project: string,
): { readonly code: number | null; readonly output: string } {
  const TSX_TSCONFIG_PATH = join(project, "tsconfig.json");
  const env = { ...process.env, TSX_TSCONFIG_PATH, TMPDIR: cwd };
  const { status, stdout, stderr } = spawnSync(program, words, { cwd, env, encoding: "utf8" });
  return { code: status, output: stderr + stdout };
}
