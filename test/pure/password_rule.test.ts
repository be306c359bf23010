import { describe, expect, it } from "vitest";
import { findProblems } from "../../src/core/password_rules.ts";
import {
  defaultPasswordRules,
  minLength,
  noContext,
  notRepetitive,
  type PasswordContext,
  type PasswordRule,
} from "../../src/pure/password_rule.ts";

const ada: PasswordContext = { username: "ada" };
const shivam: PasswordContext = {
  username: "shivam.kumar",
  email: "s.k@example-mail.com",
  firstName: "Élodie",
  lastName: "Smith-Jones",
};

async function codesOf(
  password: string,
  context: PasswordContext = ada,
  rules: readonly PasswordRule[] = defaultPasswordRules,
): Promise<readonly string[]> {
  return (await findProblems(rules, password, context)).map(({ code }) => code);
}

describe("the default rules", () => {
  it.each([
    "correct horse battery staple",
    "open sesame, open",
    "тихий вечер над рекой",
    "🔑🐴🔋📎🏠🚗🌊🎸🍎🌵🎲🐙🚀🌙🔥",
    "               and spaces count",
    "kZ7)pq!aa0-Lm#tt",
    "student flower desert tree",
    "correct horse battery staple 123456",
  ])("have nothing against %j, whatever it is composed of (P4)", async (password) => {
    expect(await codesOf(password)).toEqual([]);
  });

  it("tell everything that is wrong at once, in the order of the rules (P4)", async () => {
    expect(await codesOf("shivamshivam", shivam)).toEqual([
      "password_too_short",
      "password_too_similar",
      "password_too_repetitive",
    ]);
    expect(await codesOf("")).toEqual(["password_too_short"]);
  });

  it("give a sentence for the person that does not quote the password (P4)", async () => {
    const problems = await findProblems(defaultPasswordRules, "shivamshivam", shivam);
    expect(problems.map(({ message }) => message)).toEqual([
      "This password is too short: use at least 15 characters.",
      "This password is little more than your name, your e-mail address or our name.",
      "This password repeats itself or follows a simple sequence.",
    ]);
  });
});

describe("minLength", () => {
  it.each([
    [15, "a".repeat(14), true],
    [15, "a".repeat(15), false],
    [8, "a".repeat(7), true],
    [8, "a".repeat(8), false],
    [15, "🔑".repeat(14), true],
    [15, "🔑".repeat(15), false],
    [15, "e\u0301".repeat(7), true],
    [4096, "a".repeat(4096), false],
  ])("of %i counts the code points of %j (P4)", async (length, password, isShort) => {
    expect(await codesOf(password, ada, [minLength(length)]))
      .toEqual(isShort ? ["password_too_short"] : []);
  });

  it.each([7, 0, -15, 8.5, 4097, NaN, Infinity])("cannot be %d (P4)", (length) => {
    expect(() => minLength(length)).toThrow(RangeError);
    expect(() => minLength(length)).toThrow("choose a whole number from 8");
  });
});

describe("noContext", () => {
  const rules = [noContext(["Acme Cloud"])];

  it.each([
    "shivam.kumar",
    "SHIVAM.KUMAR-2026",
    "shivamkumar1234567890",
    "kumar/shivam/!!!!!!",
    "shivam shivam shivam",
    "s.k@example-mail.com!!",
    "my example-mail 1",
    "elodie-elodie-1",
    "E\u0301LODIE smith 2026",
    "smithjones+smith",
    "Acme Cloud 2026!",
    "acmecloudacmecloud",
    "acme-acme-acme!",
    "shivam@acmecloud 12345678",
  ])("refuses %j, which is little more than known words (P4)", async (password) => {
    expect(await codesOf(password, shivam, rules)).toEqual(["password_too_similar"]);
  });

  it.each([
    "seven herons above acme",
    "a smith and a cloud of bees",
    "s.k s.k s.k s.k",
    "correct horse battery staple",
    "sacmxshixam",
  ])("has nothing against %j, which holds enough besides (P4)", async (password) => {
    expect(await codesOf(password, shivam, rules)).toEqual([]);
  });

  it("knows a username of short parts by its letters in a row (P4)", async () => {
    expect(await codesOf("jdoe jdoe 2026", { username: "j.d.o.e" }, rules))
      .toEqual(["password_too_similar"]);
  });

  it("asks for 8 characters besides the known words, no less and no more (P4)", async () => {
    expect(await codesOf("shivamq7zk2wx", shivam, rules)).toEqual(["password_too_similar"]);
    expect(await codesOf("shivamq7zk2wx9", shivam, rules)).toEqual([]);
  });

  it("ignores case where a letter has two lower-case forms (P4)", async () => {
    const context = { username: "οδυσσέας" };
    expect(await codesOf("ΟΔΥΣΣΕΑΣ2026", context, rules)).toEqual(["password_too_similar"]);
  });

  it("has nothing to compare when nothing is known of the user (P4)", async () => {
    expect(await codesOf("", { username: "" }, rules)).toEqual([]);
    expect(await codesOf("anything", { username: "", email: "", firstName: "" }, rules))
      .toEqual([]);
  });

  it.each(["", "IBM", "R&D", "???"])("cannot watch for %j (P4)", (word) => {
    expect(() => noContext(["Acme", word])).toThrow(RangeError);
    expect(() => noContext(["Acme", word])).toThrow("at least 4 characters");
  });
});

describe("notRepetitive", () => {
  const rules = [notRepetitive()];

  it.each([
    "aaaaaaaaaaaaaaa",
    "🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑🔑",
    "ééééééééééééééé",
    "abcabcabcabcabc",
    "passwordpassword",
    "Sunshine sunshine",
    "badger badger badger badg",
    "aabaaabaaabaaaba",
    "abcdefghijklmnop",
    "ZYXWVUTSRQPONMLK",
    "123456789012345",
    "098765432109876",
    "qwertyuiopasdfgh",
    "lkjhgfdsa0987654",
    "1234abcd",
    "aaaabbbbccccdddd",
    "qwertzuiop12345",
  ])("refuses %j (P4)", async (password) => {
    expect(await codesOf(password, ada, rules)).toEqual(["password_too_repetitive"]);
  });

  it.each([
    "",
    "mississippi river",
    "abc abd abe abf!",
    "xkcdabc1",
    "31415926535897932",
    "stuff the poet did not defend",
    "aaaaaaab7#kQpzR!w2",
  ])("has nothing against %j (P4)", async (password) => {
    expect(await codesOf(password, ada, rules)).toEqual([]);
  });
});

describe("findProblems", () => {
  it("waits for rules that take their time, one after the other (P4)", async () => {
    const seen: string[] = [];
    const slow = (code: string, turns: number): PasswordRule => async () => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      seen.push(code);
      return { code, message: code };
    };
    expect(await codesOf("x", ada, [slow("one", 9), () => null, slow("two", 1)]))
      .toEqual(["one", "two"]);
    expect(seen).toEqual(["one", "two"]);
  });

  it("has nothing to say without rules, and throws what a rule throws (P4)", async () => {
    expect(await codesOf("x", ada, [])).toEqual([]);
    const broken: PasswordRule = () => {
      throw new TypeError("broken rule");
    };
    await expect(codesOf("x", ada, [broken])).rejects.toThrow("broken rule");
  });
});
