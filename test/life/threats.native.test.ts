import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { elsewhere } from "./elsewhere.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));

const numbered = (letter: string, first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => `${letter}${first + index}`);

/** The threats to the life of a token. */
const ids = [
  ...numbered("A", 1, 17),
  ...numbered("K", 1, 11),
  ...numbered("R", 1, 14),
  ...numbered("C", 1, 4),
  ...numbered("C", 10, 12),
  ...numbered("D", 1, 9),
  ...numbered("L", 1, 10),
];

/** The ids in the titles of all tests: `"A1, A2: …"`, `"… (A1, A2)"`, and the data of `threats.ts`. */
function listTested(): ReadonlySet<string> {
  const folder = join(project, "test");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .filter((file) => !/^life.elsewhere/.test(file) && !/^life.threats/.test(file));
  const titles = files.flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return [
      ...text.matchAll(/["'`]((?:[A-Z]\d{1,2}(?:, )?)+):/g),
      ...text.matchAll(/\(((?:[A-Z]\d{1,2}(?:, )?)+)\)["'`]/g),
      ...(file.endsWith("threats.ts") ? text.matchAll(/, "((?:[A-Z]\d{1,2}(?:, )?)+)"\]/g) : []),
    ].flatMap(([, list = ""]) => list.split(", "));
  });
  return new Set(titles);
}

it("every threat to the life of a token is in a test's title, or it is said where it is answered", () => {
  const tested = listTested();
  expect(ids.filter((id) => !tested.has(id) && !(id in elsewhere))).toEqual([]);
});

it("every place that is named for a threat exists", () => {
  expect(Object.keys(elsewhere).filter((id) => !ids.includes(id))).toEqual([]);
  for (const { file, reason } of Object.values(elsewhere)) {
    expect(reason).toMatch(/\.$/);
    if (file !== undefined) expect(existsSync(join(project, file)), file).toBe(true);
  }
});
