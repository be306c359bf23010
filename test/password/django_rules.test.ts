import { djangoPasswordRules } from "latchkey/django-rules";
import { describe, expect, it } from "vitest";
import { findProblems } from "../../src/core/password_rules.ts";
import type { PasswordContext } from "../../src/pure/password_rule.ts";
import recorded from "../fixtures/validators.json" with { type: "json" };

const { user, password_validation: cases } = recorded;
const nobody: PasswordContext = { username: "" };
const known: PasswordContext = {
  username: user.username,
  firstName: user.first_name,
  lastName: user.last_name,
  email: user.email,
};

async function codesOf(password: string, context = nobody): Promise<readonly string[]> {
  const problems = await findProblems(djangoPasswordRules(), password, context);
  return problems.map(({ code }) => code);
}

describe("djangoPasswordRules", () => {
  it("have the recorded answers of Django to compare with (P4)", () => {
    expect(cases.length).toBe(38);
    expect(new Set(cases.flatMap(({ codes }) => codes)).size).toBe(4);
  });

  it.each(cases)("answer $password as Django does, user: $user (P4)", async (each) => {
    const context = each.user === null ? nobody : known;
    expect(await findProblems(djangoPasswordRules(), each.password, context))
      .toEqual(each.codes.map((code, index) => ({ code, message: each.messages[index] })));
  });

  // Each row was asked of Django 3.2.25.
  it.each<[string, PasswordContext, readonly string[]]>([
    ["²²²²²²²²", nobody, ["password_entirely_numeric"]],
    ["①②③④⑤⑥⑦⑧", nobody, ["password_entirely_numeric"]],
    ["०१२३४५६७", nobody, ["password_entirely_numeric"]],
    ["½½½½½½½½", nobody, []],
    ["ⅧⅧⅧⅧⅧⅧⅧⅧ", nobody, []],
    ["\x1c\x85password\u3000", nobody, ["password_too_common"]],
    ["\ufeffpassword", nobody, []],
    ["", { username: ".a" }, ["password_too_similar", "password_too_short"]],
    ["ΟΔΟΣΟΔΟΣ", { username: "οδοσοδος" }, ["password_too_similar"]],
    ["under_score", { username: "x-under_score" }, ["password_too_similar"]],
    ["longwordy", { username: "longwordy_and_more_of_it" }, []],
    ["abcdefg-hi", { username: "abcdefgxyz" }, ["password_too_similar"]],
    ["abcdefg-hij", { username: "abcdefgxyz" }, []],
  ])("answer %j for %j with %j (P4)", async (password, context, codes) => {
    expect(await codesOf(password, context)).toEqual(codes);
  });
});
