import { isCommon, notCommon } from "latchkey/common-passwords";
import { describe, expect, it } from "vitest";
import { commonPasswordList } from "../../adapters/password/common_password_list.ts";

const entries = commonPasswordList.trim().split(/[|\n]/);
const context = { username: "ada" };

describe("the list of common passwords", () => {
  it("is Django's, whole: lower case, sorted, each once (P4)", () => {
    expect(entries.length).toBe(19_727);
    expect(entries).toEqual([...new Set(entries)].sort());
    expect(entries.filter((entry) => entry !== entry.trim().toLowerCase() || entry === ""))
      .toEqual([]);
  });

  it("holds more than 3,000 that other rules for length let pass (P4)", () => {
    expect(entries.filter((entry) => entry.length >= 8).length).toBeGreaterThan(3_000);
  });

  it("keeps its entries whole, whatever signs they hold (P4)", () => {
    expect(["pa$$word", "z k.lovemom", "!@#$%^", "&#2336;"].filter((each) => !isCommon(each)))
      .toEqual([]);
  });

  it.each([
    ["password", true],
    ["PassWord1", true],
    ["\t password\u00a0\n", true],
    ["pass word", false],
    ["passwordpassword!", false],
    ["", false],
    ["toString", false],
    ["__proto__", false],
    ["password|iloveyou", false],
  ])("is asked for %j: %j (P4)", (password, answer) => {
    expect(isCommon(password)).toBe(answer);
  });
});

describe("notCommon", () => {
  it.each([
    "iloveyou",
    "qwertyuiop[]",
    "sunshinesunshine",
    "Sunshine-Superman1",
    "  dragonfly & basketball!! ",
    "pa$$word-pa$$word",
    "basketball123456",
  ])("refuses %j, one or two of the list (P4)", async (password) => {
    expect(await notCommon()(password, context)).toMatchObject({ code: "password_too_common" });
  });

  it.each([
    "correct horse battery staple",
    "sunshine over quiet hills",
    "sunshine dragon superman",
    "",
    "-----",
    "x".repeat(4_096),
  ])("has nothing against %j (P4)", async (password) => {
    expect(await notCommon()(password, context)).toBeNull();
  });
});
