import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, test } from "vitest";
import { drawSalt } from "../../adapters/password/encoded.ts";
import { type RandomSource, systemRandom } from "../../src/data/random.ts";
import stored from "../fixtures/password-hashes.json" with { type: "json" };

// Runs in workerd too: nothing here may need a node: module.

const counting: RandomSource = (size) => Uint8Array.from({ length: size }, (_, index) => index);
const hasher = pbkdf2({ iterations: 1_000 });
const salt = "ABCDEFGHIJKLMNOPQRSTUV";
const password = "naïve 密码 🔑";
const key = "UoR5/C4HKh5XRFJ0vIkN16jOfI2NmkKrhwstWmItleo=";
const good = `pbkdf2_sha256$1000$${salt}$${key}`;

/** Makes a text without the hasher, to hold a right key where the hasher must not look for one. */
async function deriveText(textSalt: string, iterations: number, size = 256): Promise<string> {
  const encoder = new TextEncoder();
  const base = await crypto.subtle.importKey("raw", encoder.encode(password), "PBKDF2", false, [
    "deriveBits",
  ]);
  const bits = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", iterations, salt: encoder.encode(textSalt) },
    base,
    size,
  );
  const base64 = btoa(String.fromCharCode(...new Uint8Array(bits)));
  return `pbkdf2_sha256$${iterations}$${textSalt}$${base64}`;
}

describe("pbkdf2", () => {
  const rows = stored.filter((row) => hasher.recognizes(row.encoded));

  test("has all the PBKDF2 texts of Django to read", () => {
    expect(rows.length).toBe(26);
  });

  test.each(rows)("P10 reads what Django stored: $note ($encoded)", async (row) => {
    expect(await hasher.verify(row.password, row.encoded)).toBe(row.verifies_true);
  });

  test("P10 rewrites a text of Django at login and keeps what it wrote", async () => {
    const old = "pbkdf2_sha1$1000$myvxWxgdNAPHJEUDEZRhqv$YNeRrHAwrxC6vALR77lm+3peeBI=";
    expect(await hasher.verify("пароль-密码-🔑", old)).toBe(true);
    expect(hasher.isCurrent(old)).toBe(false);
    const rewritten = await hasher.hash("пароль-密码-🔑", systemRandom);
    expect(await hasher.verify("пароль-密码-🔑", rewritten)).toBe(true);
    expect(hasher.isCurrent(rewritten)).toBe(true);
  });

  test("writes the same text from the same random bytes, equal to another implementation's", async () => {
    // The keys are those of Python's hashlib.
    expect(await hasher.hash(password, counting)).toBe(good);
    expect(await pbkdf2().hash(password, counting)).toBe(
      `pbkdf2_sha256$600000$${salt}$EP2laAN0WkDaPdcdAse27sRBAezq7JA0RakffVQUhGk=`,
    );
  });

  test("writes another salt each time from the system's randomness", async () => {
    const first = await hasher.hash(password, systemRandom);
    const second = await hasher.hash(password, systemRandom);
    expect(first).toMatch(/^pbkdf2_sha256\$1000\$[A-Za-z0-9]{22}\$[A-Za-z0-9+/]{43}=$/);
    expect(second).not.toBe(first);
  });

  test.each([
    ["71 and 72 bytes", "a".repeat(71), "a".repeat(72)],
    ["72 and 73 bytes", "a".repeat(72), "a".repeat(73)],
    ["another tail after 72 bytes", "a".repeat(72) + "b", "a".repeat(72) + "c"],
    ["a tail after NUL", "a\0b", "a\0c"],
    ["a NUL at the end", "a", "a\0"],
    ["empty and NUL", "", "\0"],
    ["4,096 and 4,097 bytes", "a".repeat(4_096), "a".repeat(4_097)],
  ])("P2 tells passwords apart: %s", async (_name, one, other) => {
    const encoded = await hasher.hash(one, counting);
    expect(await hasher.verify(one, encoded)).toBe(true);
    expect(await hasher.verify(other, encoded)).toBe(false);
  });

  test.each([
    ["composed and decomposed", "caf\u00e9", "cafe\u0301"],
    ["a ligature and its letters", "\ufb01ne", "fine"],
    ["a trailing space", "word", "word "],
    ["a leading space", "word", " word"],
    ["case", "Word", "word"],
    ["emoji with another skin tone", "👍🏻", "👍🏿"],
    ["empty and space", "", " "],
  ])("P3 uses the password as it was typed: %s", async (_name, one, other) => {
    const encoded = await hasher.hash(one, counting);
    expect(await hasher.verify(one, encoded)).toBe(true);
    expect(await hasher.verify(other, encoded)).toBe(false);
  });

  test("P2 refuses what it could not tell from another password: a half of a pair, a last NUL", async () => {
    const encoded = await hasher.hash("\ufffd", counting);
    expect(await hasher.verify("\ufffd", encoded)).toBe(true);
    expect(await hasher.verify("\ud800", encoded)).toBe(false);
    for (const refused of ["\ud800", "a\udc00b", "a\0", "\0"]) {
      await expect(hasher.hash(refused, counting)).rejects.toThrow(
        new RangeError("Cannot hash a password: it ends in NUL or holds half of a surrogate pair"),
      );
    }
  });

  test.each([
    ["empty", ""],
    ["only the name", "pbkdf2_sha256$"],
    // WebCrypto would run for minutes on the next three, and throw on the two after them.
    ["2 ** 32 - 1 iterations", good.replace("$1000$", "$4294967295$")],
    ["2 ** 31 iterations", good.replace("$1000$", "$2147483648$")],
    ["10 ** 9 iterations", good.replace("$1000$", "$1000000000$")],
    ["2 ** 32 iterations and more", good.replace("$1000$", "$4294968296$")],
    ["no iterations", good.replace("$1000$", "$0$")],
    ["400 digits of iterations", good.replace("$1000$", `$${"9".repeat(400)}$`)],
    ["exponent", good.replace("$1000$", "$1e3$")],
    ["hexadecimal", good.replace("$1000$", "$0x3e8$")],
    ["fraction", good.replace("$1000$", "$1000.0$")],
    ["sign", good.replace("$1000$", "$+1000$")],
    ["negative", good.replace("$1000$", "$-1000$")],
    ["leading zero", good.replace("$1000$", "$01000$")],
    ["space in the iterations", good.replace("$1000$", "$ 1000$")],
    ["digits of another script", good.replace("$1000$", "$١٠٠٠$")],
    ["empty salt", good.replace(salt, "")],
    ["a megabyte of salt", good.replace(salt, "x".repeat(1 << 20))],
    ["half of a surrogate pair in the salt", good.replace(salt, "\ud800")],
    ["another field", good.replace(salt, `${salt}$x`)],
    ["no key", good.slice(0, -key.length)],
    ["a megabyte of key", good.replace(key, "A".repeat(1 << 20))],
    ["a truncated key", good.replace(key, "AAAA")],
    ["no padding", good.slice(0, -1)],
    ["more padding", `${good}=`],
    ["other trailing bits", good.replace(/o=$/, "p=")],
    ["URL alphabet", good.replaceAll("+", "-").replaceAll("/", "_")],
    ["trailing newline", `${good}\n`],
    ["leading space", ` ${good}`],
    ["many dollars", `pbkdf2_sha256${"$".repeat(100_000)}`],
    ["a name of Object.prototype", "pbkdf2_sha256$constructor$__proto__$toString"],
  ])("P5 answers false to a hostile text: %s", async (_name, encoded) => {
    expect(encoded).not.toBe(good);
    expect(await hasher.verify(password, encoded)).toBe(false);
    expect(hasher.isCurrent(encoded)).toBe(false);
  });

  test("P5 does not derive a key for a text out of bounds, even with the right key", async () => {
    expect(await hasher.verify(password, await deriveText("s".repeat(128), 1))).toBe(true);
    expect(await hasher.verify(password, await deriveText("s".repeat(129), 1))).toBe(false);
    expect(await hasher.verify(password, await deriveText("s", 1, 248))).toBe(false);
    expect(await hasher.verify(password, await deriveText("s", 1, 264))).toBe(false);
  });

  test("P5 refuses every text one edit away from a good one", async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const letters = "$=+/ \n09AZaz\0é\ud800";
    for (let round = 0; round < 300; round++) {
      const at = below(good.length);
      const text = below(3) === 0 ? "" : letters.charAt(below(letters.length));
      const edited = good.slice(0, at) + text + good.slice(at + below(2));
      if (edited === good) continue;
      expect(await hasher.verify(password, edited), `seed ${seed}: ${JSON.stringify(edited)}`)
        .toBe(false);
    }
  });

  test.each([
    ["what it writes", `pbkdf2_sha256$2000$${salt}$${key}`, true],
    ["more iterations", `pbkdf2_sha256$2001$${salt}$${key}`, true],
    ["as many iterations as verify", `pbkdf2_sha256$10000000$${salt}$${key}`, true],
    ["too many iterations to verify", `pbkdf2_sha256$10000001$${salt}$${key}`, false],
    ["fewer iterations", `pbkdf2_sha256$1999$${salt}$${key}`, false],
    ["a longer salt", `pbkdf2_sha256$2000$${salt}x$${key}`, true],
    ["a salt of 21 letters", `pbkdf2_sha256$2000$${salt.slice(1)}$${key}`, false],
    ["a salt of 11 characters in 22 units", `pbkdf2_sha256$2000$${"🧂".repeat(11)}$${key}`, false],
    ["SHA-1", `pbkdf2_sha1$9000$${salt}$YNeRrHAwrxC6vALR77lm+3peeBI=`, false],
    ["a key of SHA-1's length", `pbkdf2_sha256$2000$${salt}$YNeRrHAwrxC6vALR77lm+3peeBI=`, false],
    ["another algorithm", `scrypt$2000$${salt}$${key}`, false],
  ])("calls current: %s", (_name, encoded, current) => {
    expect(pbkdf2({ iterations: 2_000 }).isCurrent(encoded)).toBe(current);
  });

  test.each([
    ["pbkdf2_sha256$", true],
    ["pbkdf2_sha1$", true],
    ["pbkdf2_sha256", false],
    ["pbkdf2_sha512$1$a$b", false],
    ["PBKDF2_SHA256$1$a$b", false],
    [" pbkdf2_sha256$1$a$b", false],
    ["!pbkdf2_sha256$1$a$b", false],
    ["", false],
  ])("recognizes %j: %j", (encoded, recognized) => {
    expect(hasher.recognizes(encoded)).toBe(recognized);
  });

  test.each([Number.NaN, 0, -1, 999, 1_000.5, 10_000_001, Number.POSITIVE_INFINITY, 2 ** 53])(
    "refuses %d iterations at construction",
    (iterations) => {
      expect(() => pbkdf2({ iterations })).toThrow(
        new RangeError(
          "Cannot configure pbkdf2: iterations must be an integer from 1000 to 10000000, " +
            `not ${iterations}`,
        ),
      );
    },
  );
});

describe("a salt", () => {
  test("skips the bytes that would favour some letters", () => {
    const source: RandomSource = (size) =>
      Uint8Array.from({ length: size }, (_, index) => (index + 248) % 256);
    expect(drawSalt(source)).toBe(salt);
  });

  test("takes the last letter from byte 247 and draws again when one block is not enough", () => {
    let draws = 0;
    const source: RandomSource = (size) => {
      draws++;
      return Uint8Array.from({ length: size }, (_, index) => index < 11 ? 247 - index : 255);
    };
    expect(drawSalt(source)).toBe("9876543210z9876543210z");
    expect(draws).toBe(2);
  });

  test.each<[string, RandomSource]>([
    ["one byte", (size) => new Uint8Array(size)],
    ["too few bytes", (size) => new Uint8Array(size - 1)],
    [
      "bytes outside the alphabet",
      (size) => Uint8Array.from({ length: size }, (_, index) => 254 + index % 2),
    ],
  ])("is refused from a source of %s", async (_name, source) => {
    await expect(hasher.hash(password, source)).rejects.toThrow(RangeError);
  });
});
