import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("./", import.meta.url));
const ids: readonly string[] = JSON.parse(readFileSync(`${folder}ids.json`, "utf8"));

/** The titles of the tests in this folder. */
function listTitles(): readonly string[] {
  const files = readdirSync(folder).filter((file) =>
    file.endsWith(".test.ts") && file !== "list.native.test.ts"
  );
  return files.flatMap((file) => {
    const text = readFileSync(`${folder}${file}`, "utf8");
    return Array.from(text.matchAll(/\bit\(\s*"([^"]+)"/g), ([, title = ""]) => title);
  });
}

it("every advisory has one test, whose title begins with its id", () => {
  const titles = listTitles();
  const found = ids.map((id) => titles.filter((title) => title.startsWith(`${id}: `)).length);
  expect(ids.filter((_id, index) => found[index] !== 1)).toEqual([]);
  expect(titles).toHaveLength(ids.length);
});
