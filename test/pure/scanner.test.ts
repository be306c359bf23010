import { hexFormat, prefixedFormat, type TokenFormat } from "latchkey";
import { describe, expect, it } from "vitest";
import { crc32 } from "../../src/data/crc32.ts";
import { encodeBase62, encodeSmallBase62 } from "../../src/data/encoding.ts";
import { seededNumbers } from "../fixture.ts";

const COUNT = 100_000;
/** How many stand in one text. */
const BATCH = 1_000;
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** What tokens stand in when they leak. */
const surroundings: readonly ((token: string) => string)[] = [
  (token) => JSON.stringify({ id: 7, token, name: "ci" }),
  (token) => JSON.stringify(JSON.stringify({ token })),
  (token) => `https://api.example.com/v1/items?access_token=${token}&page=2`,
  (token) => `https://${token}:x-oauth-basic@git.example.com/team/repository.git`,
  (token) => `https://example.com/cb#token=${token}`,
  (token) => `LATCHKEY_TOKEN=${token}`,
  (token) => `export API_TOKEN='${token}'`,
  (token) => `  token: ${token} # of the deployment`,
  (token) => `const auth = defineClient({ token: "${token}" });`,
  (token) => `curl -H 'Authorization: Token ${token}' https://api.example.com/`,
  (token) => `<input type=hidden value=${token}>`,
  (token) => `| ada | \`${token}\` |`,
  (token) => `refused (${token}), ${token}.`,
  (token) => `токен:${token};`,
  (token) => token,
];

/** A text with each of some tokens in it, in surroundings of every kind. */
function embed(tokens: readonly string[]): string {
  return tokens.map((token, index) => surroundings[index % surroundings.length]?.(token) ?? token)
    .join("\n");
}

/** What a scanner finds: the pattern's matches, and of those only what the format accepts. */
function scan(format: TokenFormat, text: string): readonly string[] {
  return [...text.matchAll(new RegExp(format.pattern, "g"))].map(([match]) => match)
    .filter((match) => format.accepts(match));
}

function drawBytes(draw: (limit: number) => number): Uint8Array {
  return Uint8Array.from({ length: 32 }, () => draw(256));
}

/** A secret and its checksum for any text of the secret, as the format would write them. */
function complete(body: string): string {
  return body + encodeSmallBase62(crc32(body), 6);
}

/** Near misses: what looks like a token of `lk` and is none. */
const misses: Readonly<
  Record<string, (token: string, draw: (limit: number) => number) => string>
> = {
  "a wrong character in the secret": (token, draw) => replace(token, 3 + draw(43), draw),
  "a wrong character in the checksum": (token, draw) => replace(token, 46 + draw(6), draw),
  "two neighbours swapped": (token, draw) => {
    const at = 3 + draw(48);
    const [left, right] = [token.charAt(at), token.charAt(at + 1)];
    if (left === right) return replace(token, at, draw);
    return token.slice(0, at) + right + left + token.slice(at + 2);
  },
  "a character missing": (token, draw) => remove(token, 3 + draw(49)),
  "a character missing, the checksum mended": (token, draw) =>
    complete(remove(token.slice(0, 46), 3 + draw(43))),
  "a character more": (token, draw) => token + ALPHABET.charAt(draw(62)),
  "a character more, the checksum mended": (token, draw) =>
    complete(token.slice(0, 46) + ALPHABET.charAt(draw(62))),
  "the checksum of another": (token, draw) =>
    token.slice(0, 46) + prefixedFormat().encode(drawBytes(draw)).slice(46),
  "another prefix": (token) => `lj${token.slice(2)}`,
  "another prefix, the checksum mended": (token) => complete(`lj${token.slice(2, 46)}`),
  "a longer prefix": (token) => `mi${token}`,
  "the prefix in capitals": (token) => `LK${token.slice(2)}`,
  "no underscore": (token) => `lk-${token.slice(3)}`,
  "all in capitals": (token) => `lk_${token.slice(3).toUpperCase()}`,
  "a secret above 256 bits, with its checksum": (_token, draw) =>
    complete(
      `lk_${encodeBase62((1n << 256n) + BigInt(draw(2 ** 32)) * BigInt(draw(2 ** 32)), 43)}`,
    ),
  "a digit that is not ASCII": (token, draw) => {
    const at = 3 + draw(49);
    return `${token.slice(0, at)}\u{ff10}${token.slice(at + 1)}`;
  },
};

function remove(text: string, at: number): string {
  return text.slice(0, at) + text.slice(at + 1);
}

function replace(text: string, at: number, draw: (limit: number) => number): string {
  const other = ALPHABET.charAt(draw(62));
  return other === text.charAt(at)
    ? replace(text, at, draw)
    : text.slice(0, at) + other + text.slice(at + 1);
}

describe("the pattern for secret scanners", () => {
  it.each<[string, TokenFormat]>([
    ["prefixedFormat()", prefixedFormat()],
    ["a format with another prefix", prefixedFormat({ prefix: "acme2" })],
    ["hexFormat", hexFormat],
  ])("finds every token of %s inside larger texts (K10)", (_name, format) => {
    const seed = Date.now() >>> 0;
    const draw = seededNumbers(seed);
    const count = format === hexFormat ? COUNT / 10 : COUNT;
    let found = 0;
    for (let batch = 0; batch < count / BATCH; batch++) {
      const tokens = Array.from({ length: BATCH }, () => format.encode(drawBytes(draw)));
      const matches = new Set(scan(format, embed(tokens)));
      const missing = tokens.filter((token) => !matches.has(token));
      expect(missing, `seed ${seed}`).toEqual([]);
      found += matches.size;
    }
    // No two are alike, and nothing else was taken for one.
    expect(found, `seed ${seed}`).toBe(count);
  });

  it("finds no token in what only looks like one (K10)", () => {
    const seed = Date.now() >>> 0;
    const draw = seededNumbers(seed);
    const format = prefixedFormat();
    const kinds = Object.entries(misses);
    for (let batch = 0; batch < COUNT / BATCH; batch++) {
      const texts = Array.from({ length: BATCH }, (_, index) => {
        const [, spoil] = kinds[index % kinds.length] ?? [];
        const token = format.encode(drawBytes(draw));
        return spoil?.(token, draw) ?? token;
      });
      expect(scan(format, embed(texts)), `seed ${seed}`).toEqual([]);
      expect(texts.filter((text) => format.accepts(text)), `seed ${seed}`).toEqual([]);
    }
  });

  it.each(Object.entries(misses))("is not taken in by %s alone (K10)", (_name, spoil) => {
    const draw = seededNumbers(7);
    const format = prefixedFormat();
    const token = format.encode(drawBytes(draw));
    const miss = spoil(token, draw);
    expect(miss).not.toBe(token);
    expect(scan(format, `${token} ${miss} ${token}`)).toEqual([token, token]);
  });

  it("finds nothing in a megabyte that is made to be slow (H10, K10)", () => {
    const format = prefixedFormat();
    const hostile = ["lk_", "lk_a", `lk_${"a".repeat(48)} `, "a", "_", "lk"];
    for (const part of hostile) {
      expect(scan(format, part.repeat(1_000_000 / part.length))).toEqual([]);
    }
  });
});
