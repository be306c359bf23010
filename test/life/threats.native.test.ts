import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import ids from "../fixtures/threat-ids.json" with { type: "json" };
import { elsewhere } from "./elsewhere.ts";

const project = fileURLToPath(new URL("../../", import.meta.url));

/** The ids in the titles of all tests: `"A1, A2: …"`, `"A1 …"`, `"… (A1, A2)"`, and the data of `threats.ts`. */
function listTested(): ReadonlySet<string> {
  const folder = join(project, "test");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
    .filter((file) => !/^life.elsewhere/.test(file) && !/^life.threats/.test(file));
  const titles = files.flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return [
      ...text.matchAll(/["'`]((?:[A-Z]\d{1,2}(?:, )?)+)(?::| [a-z])/g),
      ...text.matchAll(/\(((?:[A-Z]\d{1,2}(?:, )?)+)\)["'`]/g),
      ...(file.endsWith("threats.ts") ? text.matchAll(/, "((?:[A-Z]\d{1,2}(?:, )?)+)"\]/g) : []),
    ].flatMap(([, list = ""]) => list.split(", "));
  });
  return new Set(titles);
}

const tested = listTested();

it("every threat is in a test's title, or it is said where it is answered", () => {
  expect(ids).toHaveLength(146);
  expect(ids.filter((id) => !tested.has(id) && !(id in elsewhere))).toEqual([]);
});

it("no title names a threat that there is not", () => {
  expect([...tested].filter((id) => !ids.includes(id))).toEqual([]);
});

it("every place that is named for a threat exists", () => {
  expect(Object.keys(elsewhere).filter((id) => !ids.includes(id))).toEqual([]);
  for (const { file, reason } of Object.values(elsewhere)) {
    expect(reason).toMatch(/\.$/);
    if (file !== undefined) expect(existsSync(join(project, file)), file).toBe(true);
  }
});
