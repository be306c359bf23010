import { type Credentials, readAuthorization } from "latchkey";
import { describe, expect, it } from "vitest";
import { seededNumbers } from "../fixture.ts";

const KEY = "29225688f479d6711604533c957ddba52c302b92";

function outcome(header: string | null, schemes: readonly string[] = ["Token"]): string {
  const credentials: Credentials = readAuthorization(header, schemes);
  if (credentials.kind === "present") return credentials.text;
  return credentials.kind === "absent" ? "absent" : credentials.reason;
}

/** A text as a server hands it over: one character per byte of its UTF-8. */
function bytes(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

describe("readAuthorization()", () => {
  it.each<[string, string | null, string]>([
    ["H1: no header", null, "absent"],
    ["H1: an empty header", "", "absent"],
    ["H1: only spaces", "   ", "absent"],
    ["H2: a scheme alone", "Token", "empty_credentials"],
    ["H2: a scheme and spaces", "Token  ", "empty_credentials"],
    ["one space", `Token ${KEY}`, KEY],
    ["H3: lower case", `token ${KEY}`, KEY],
    ["H3: mixed case", `tOkEn ${KEY}`, KEY],
    ["many spaces and tabs", `\t Token \t  ${KEY} \t`, KEY],
    ["VT, FF, CR and LF", `Token\v\f\r\n${KEY}`, KEY],
    ["H4: Basic", "Basic dXNlcg==", "absent"],
    ["H4: Digest", 'Digest a="b", c', "absent"],
    ["H5: a longer word", `Tokens ${KEY}`, "absent"],
    ["H5: no space", `Token${KEY}`, "absent"],
    ["H5: a comma after the scheme", `Token,${KEY}`, "absent"],
    ["H5: an equals sign after the scheme", `Token=${KEY}`, "absent"],
    ["H6: two words", "Token a b", "credentials_contain_spaces"],
    ["H6: two joined headers", `Token ${KEY}, Token ${KEY}`, "credentials_contain_spaces"],
    ["H6: a joined empty header", `Token ${KEY}, `, `${KEY},`],
    ["H7: percent signs are not decoded", "Token %E0%A4%A", "%E0%A4%A"],
    ["H8: a byte that is not UTF-8", "Token \xe9", "credentials_not_utf8"],
    ["H8: an overlong NUL", "Token \xc0\x80", "credentials_not_utf8"],
    ["H8: a surrogate in UTF-8", "Token \xed\xa0\x80", "credentials_not_utf8"],
    ["H8: a cut sequence", `Token ${KEY}\xe2\x82`, "credentials_not_utf8"],
    ["H8: UTF-8 beyond ASCII", `Token ${bytes("ключ🔑")}`, "ключ🔑"],
    ["H8: a byte order mark", `Token ${bytes("\ufeff")}${KEY}`, `\ufeff${KEY}`],
    ["H8: NUL and control characters", "Token a\0b\x7f", "a\0b\x7f"],
    ["H8: a no-break space does not split", `Token${bytes("\xa0")}${KEY}`, "absent"],
    ["H8: 0x85 and 0x1C do not split", "Token\x85a\x1cb", "absent"],
    ["H8: the Kelvin sign is no K", `To\u212aen ${KEY}`, "absent"],
    ["H8: a scheme beyond ASCII", `T\xf6ken ${KEY}`, "absent"],
    ["H9: a token of 8,100 characters", `Token ${"f".repeat(8_100)}`, "f".repeat(8_100)],
    ["H9: a token of a megabyte", `Token ${"f".repeat(1 << 20)}`, "credentials_too_long"],
    ["H9: another scheme of a megabyte", `Bearer ${"f".repeat(1 << 20)}`, "absent"],
  ])("%s", (_name, header, expected) => {
    expect(outcome(header)).toBe(expected);
  });

  it("H8: characters beyond bytes are never cut down to a token", () => {
    const forged = Array.from(
      KEY,
      (character) => String.fromCharCode(character.charCodeAt(0) + 0x100),
    );
    expect(outcome(`Token ${forged.join("")}`)).not.toBe(KEY);
  });

  it("accepts each of several schemes, and none when there are none", () => {
    expect(outcome(`Bearer ${KEY}`, ["Token", "Bearer"])).toBe(KEY);
    expect(outcome(`Token ${KEY}`, ["Token", "Bearer"])).toBe(KEY);
    expect(outcome(`Token ${KEY}`, [])).toBe("absent");
    expect(outcome(`api-key ${KEY}`, ["Api-Key"])).toBe(KEY);
  });

  it("H10, H17: never throws, and finds a token in nothing but a scheme and one word", () => {
    const seed = Date.now() >>> 0;
    const draw = seededNumbers(seed);
    const parts = [
      "Token",
      "token",
      " ",
      "\t",
      ",",
      "=",
      KEY,
      "\xff",
      "\xc3",
      "\0",
      "é",
      "\ud800",
      '"',
      "a",
    ];
    for (let round = 0; round < 20_000; round++) {
      const header = Array.from({ length: draw(7) }, () => parts[draw(parts.length)]).join("");
      const present = outcome(header) === KEY;
      const wellFormed = /^[ \t]*token[ \t]+29225688f479d6711604533c957ddba52c302b92[ \t]*$/i.test(
        header,
      );
      expect(present, `seed ${seed}: ${JSON.stringify(header)}`).toBe(wellFormed);
    }
    for (const unit of ["a,", "=", " ", "\t;,", "Token "]) outcome(`Token ${unit.repeat(50_000)}`);
  });
});
