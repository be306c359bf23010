import { charField, type CharFieldOptions, toInputErrors } from "latchkey";
import * as v from "valibot";
import { describe, expect, it } from "vitest";

function read(value: unknown, options?: CharFieldOptions): unknown {
  const parsed = v.safeParse(charField(options), value);
  return parsed.success ? parsed.output : parsed.issues.map(({ message }) => message);
}

const NOT_STRING = ["Not a valid string."];
const BLANK = ["This field may not be blank."];

describe("charField()", () => {
  it.each<[unknown, unknown]>([
    ["ada", "ada"],
    ["  ada\t\n", "ada"],
    ["\x1cada\x1f", "ada"],
    ["\x85ada\xa0\u3000\u2028", "ada"],
    ["\ufeffada\u200b", "\ufeffada\u200b"],
    [12345, "12345"],
    [0, "0"],
    [1.5, "1.5"],
    [true, NOT_STRING],
    [false, NOT_STRING],
    [[], NOT_STRING],
    [{ $ne: null }, NOT_STRING],
    [{ toString: () => "ada" }, NOT_STRING],
    [new Blob(["ada"]), NOT_STRING],
    [null, ["This field may not be null."]],
    ["", BLANK],
    [" \t\n\x1c\x85\u3000", BLANK],
    ["a\0b", ["Null characters are not allowed."]],
    ["\ud800", ["Surrogate characters are not allowed: U+D800."]],
    ["a\udfff", ["Surrogate characters are not allowed: U+DFFF."]],
    ["\0\ud800", [
      "Null characters are not allowed.",
      "Surrogate characters are not allowed: U+D800.",
    ]],
    ["🔑", "🔑"],
  ])("J5: reads %j", (value, expected) => {
    expect(read(value)).toEqual(expected);
  });

  it("P3: keeps every character when it does not trim, and lets spaces alone be text", () => {
    expect(read("  spaced \xa0", { trim: false })).toBe("  spaced \xa0");
    expect(read("   ", { trim: false })).toBe("   ");
    expect(read("", { trim: false })).toEqual(BLANK);
  });

  it("counts code points after trimming, and lists every error in order", () => {
    const tooLong = "Ensure this field has no more than 20 characters.";
    expect(read("🔑".repeat(20), { maxLength: 20 })).toBe("🔑".repeat(20));
    expect(read("🔑".repeat(21), { maxLength: 20 })).toEqual([tooLong]);
    expect(read(`${"a".repeat(20)}     `, { maxLength: 20 })).toBe("a".repeat(20));
    expect(read(`${"a".repeat(20)}\0`, { maxLength: 20 }))
      .toEqual([tooLong, "Null characters are not allowed."]);
  });

  it("trims a megabyte of spaces around a letter in linear steps", () => {
    const spaces = " ".repeat(1 << 19);
    expect(read(`${spaces}a${spaces}`)).toBe("a");
    expect(read(`a${spaces}b`)).toHaveLength(2 + (1 << 19));
  });
});

describe("toInputErrors()", () => {
  it("sorts by field, names missing keys, and keeps the schema's own messages", () => {
    const schema = v.object({
      name: v.string(),
      age: v.pipe(v.number(), v.minValue(18, "Too young")),
    });
    const errors = (value: unknown) => toInputErrors(v.safeParse(schema, value).issues ?? []);
    expect(errors({ age: 7 })).toEqual({
      fields: { name: ["This field is required."], age: ["Too young"] },
      form: [],
    });
    expect(errors([])).toEqual({
      fields: { name: ["This field is required."], age: ["This field is required."] },
      form: [],
    });
    expect(errors("text").form).toHaveLength(1);
  });
});
