import { hexFormat, prefixedFormat, systemRandom, type TokenFormat } from "latchkey";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/data/crc32.ts";
import { seededNumbers } from "../fixture.ts";

const counting = Uint8Array.from({ length: 32 }, (_, index) => index);
const largest = new Uint8Array(32).fill(255);

describe("crc32()", () => {
  it("gives the check value of CRC-32/ISO-HDLC", () => {
    expect(crc32("123456789")).toBe(0xcbf43926);
    expect(crc32("")).toBe(0);
  });
});

describe("a token format", () => {
  it.each([
    ["prefixedFormat()", prefixedFormat(), "lk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3TQtQq"],
    ["hexFormat", hexFormat, "000102030405060708090a0b0c0d0e0f10111213"],
  ])("K9: %s writes the text it has always written", (_name, format, golden) => {
    expect(format.encode(counting)).toBe(golden);
    expect(format.accepts(golden)).toBe(true);
  });

  it.each([["a", true], ["lk", true], ["k2", true], ["a".repeat(16), true]])(
    "K4: takes the prefix %j",
    (prefix) => {
      const text = prefixedFormat({ prefix }).encode(counting);
      expect(text.startsWith(`${prefix}_`)).toBe(true);
      expect(prefixedFormat({ prefix }).accepts(text)).toBe(true);
    },
  );

  it.each(["", "LK", "l_k", "l k", "2k", "ключ", "a".repeat(50), "lk_", "l.k"])(
    "K4: refuses the prefix %j at construction",
    (prefix) => {
      expect(() => prefixedFormat({ prefix })).toThrow(/Cannot use this token prefix: expected/);
    },
  );

  it("H15: accepts exactly one text per token", () => {
    const format = prefixedFormat();
    const text = format.encode(systemRandom(32));
    const seed = Date.now() >>> 0;
    const draw = seededNumbers(seed);
    expect(format.accepts(text)).toBe(true);
    for (let round = 0; round < 2_000; round++) {
      const at = draw(text.length);
      const character = String.fromCharCode(33 + draw(94));
      const mutant = text.slice(0, at) + character + text.slice(at + 1);
      if (mutant !== text) expect(format.accepts(mutant), `seed ${seed}: ${at}`).toBe(false);
    }
  });

  it("H15: refuses the checksum of another token, another prefix and a number above 256 bits", () => {
    const format = prefixedFormat();
    const one = format.encode(counting);
    const other = format.encode(largest);
    expect(format.accepts(one.slice(0, -6) + other.slice(-6))).toBe(false);
    expect(format.accepts(prefixedFormat({ prefix: "ak" }).encode(counting))).toBe(false);
    expect(format.accepts(overflow(other))).toBe(false);
  });

  it.each<[string, TokenFormat]>([["prefixedFormat()", prefixedFormat()], [
    "hexFormat",
    hexFormat,
  ]])(
    "H11: %s refuses what clients send by mistake",
    (_name, format) => {
      const text = format.encode(counting);
      const mistakes = ["", " ", "null", "undefined", "NaN", "[object Object]", "true", "0", "-1|x"]
        .concat([
          `${text} `,
          ` ${text}`,
          `${text}\n`,
          text.slice(1),
          text.slice(0, -1),
          text + text,
        ])
        .concat([text.toUpperCase(), text.replace("0", "０"), "a".repeat(1 << 20)]);
      for (const mistake of mistakes) {
        expect(format.accepts(mistake), mistake.slice(0, 60)).toBe(false);
      }
    },
  );

  it("K10: the published pattern finds tokens in a text", () => {
    const text = prefixedFormat().encode(systemRandom(32));
    expect(prefixedFormat().pattern.exec(`const key = "${text}";`)?.[0]).toBe(text);
    expect(hexFormat.pattern.exec(`Token ${hexFormat.encode(counting)}`)?.[0]).toHaveLength(40);
  });

  it("K2: 20,000 tokens differ and keep their length", () => {
    const texts = Array.from({ length: 20_000 }, () => prefixedFormat().encode(systemRandom(32)));
    expect(new Set(texts).size).toBe(texts.length);
    expect(new Set(texts.map((text) => text.length))).toEqual(new Set([52]));
  });
});

/** The next number above the largest secret, with the checksum that fits it. */
function overflow(text: string): string {
  const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const body = text.slice(0, -6);
  const last = alphabet.indexOf(body.slice(-1));
  const larger = body.slice(0, -1) + alphabet.charAt(last + 1);
  let checksum = "";
  for (let rest = crc32(larger); rest > 0; rest = Math.floor(rest / 62)) {
    checksum = alphabet.charAt(rest % 62) + checksum;
  }
  return larger + checksum.padStart(6, "0");
}
