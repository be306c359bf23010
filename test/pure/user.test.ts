import { describe, expect, test } from "vitest";
import { fail, ok } from "../../src/data/result.ts";
import { normalizeUsername, toUser, type UsernameReason } from "../../src/pure/user.ts";
import validators from "../fixtures/validators.json" with { type: "json" };

/** What Django's form says for each of our reasons. */
const DJANGO_MESSAGE: Readonly<Record<UsernameReason, string>> = {
  username_blank: "This field cannot be blank.",
  username_invalid: validators.unicode_username_message,
  username_too_long: "Ensure this value has at most 150 characters (it has 151).",
};

/**
 * Recorded names that Django's rules accept and ours refuse: Django checks the
 * text as typed and stores its normal form, which then breaks the same rules.
 */
const NORMAL_FORM_BREAKS_THE_RULES: Readonly<Record<string, UsernameReason>> = {
  "½": "username_invalid", // "1⁄2": FRACTION SLASH is not a letter or digit
};

function reasonOf(messages: readonly string[]): UsernameReason | undefined {
  for (const reason of ["username_blank", "username_too_long", "username_invalid"] as const) {
    if (messages.includes(DJANGO_MESSAGE[reason])) return reason;
  }
  if (messages.length > 0) throw new Error(`no reason stands for ${JSON.stringify(messages)}`);
  return undefined;
}

const recorded = validators.usernames.map((vector) => {
  const typed = vector.username;
  const reason = NORMAL_FORM_BREAKS_THE_RULES[typed] ?? reasonOf(vector.field_errors);
  const shown = JSON.stringify(typed.length > 20 ? `${typed.slice(0, 20)}…` : typed);
  return { ...vector, typed, reason, shown };
});

describe("normalizeUsername", () => {
  test("is measured against at least the 40 names Django was asked about", () => {
    expect(recorded.length).toBeGreaterThanOrEqual(40);
    for (const typed of Object.keys(NORMAL_FORM_BREAKS_THE_RULES)) {
      expect(recorded.filter((vector) => vector.typed === typed && vector.unicode)).toHaveLength(1);
    }
  });

  test.each(recorded)("answers $shown as Django does", ({ typed, reason, normalized }) => {
    expect(normalizeUsername(typed)).toEqual(reason ? fail(reason) : ok(normalized));
  });

  test.each([
    ["ﬁnn", "finn"],
    ["Ａlice", "Alice"],
    ["e\u0301", "\u00e9"],
    ["Alice", "Alice"],
  ])("turns %s into %s and keeps the case", (typed, normalized) => {
    expect(normalizeUsername(typed)).toEqual(ok(normalized));
  });

  test("gives back a name it normalised as it is", () => {
    for (const { typed } of recorded) {
      const once = normalizeUsername(typed);
      if (once.ok) expect(normalizeUsername(once.value)).toEqual(once);
    }
  });

  test.each([
    ["150 letters", "x".repeat(150), true],
    ["151 letters", "x".repeat(151), false],
    ["150 letters of two code units each", "𝔘".repeat(150), true],
    ["150 letters outside the first plane", "\u{20000}".repeat(150), true],
    ["151 letters outside the first plane", "\u{20000}".repeat(151), false],
    ["75 ligatures that become 150 letters", "ﬁ".repeat(75), true],
    ["76 ligatures that become 152 letters", "ﬁ".repeat(76), false],
    ["151 pairs that become 151 letters", "e\u0301".repeat(151), false],
    ["150 pairs that become 150 letters", "e\u0301".repeat(150), true],
  ])("counts code points of the normal form: %s", (_, typed, fits) => {
    expect(normalizeUsername(typed)).toEqual(
      fits ? ok(typed.normalize("NFKC")) : fail("username_too_long"),
    );
  });

  test.each([
    ["a lone high surrogate", "a\ud800"],
    ["a lone low surrogate", "\udc00a"],
    ["a space that NFKC makes of another", "a\u00a0b"],
    ["a line feed after a good name", "admin\n"],
    ["a right-to-left override", "\u202eadmin"],
  ])("refuses %s", (_, typed) => {
    expect(normalizeUsername(typed)).toEqual(fail("username_invalid"));
  });
});

describe("toUser", () => {
  test("keeps what an application may see and nothing else a store adds", () => {
    const user = {
      id: "u1",
      username: "alice",
      isActive: true,
      isStaff: false,
      isSuperuser: true,
      epoch: 2,
    };
    const stored = { ...user, password: "pbkdf2_sha256$…", createdAt: 5, column: "another" };
    expect(toUser(stored)).toEqual(user);
  });
});
