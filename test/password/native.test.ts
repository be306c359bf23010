import { scrypt as deriveScrypt } from "node:crypto";
import { argon2id } from "latchkey/argon2id";
import { djangoLegacy } from "latchkey/django";
import { pbkdf2 } from "latchkey/pbkdf2";
import { scrypt } from "latchkey/scrypt";
import { Argon2id } from "oslo/password";
import { describe, expect, test } from "vitest";
import { type RandomSource, systemRandom } from "../../src/data/random.ts";
import type { Hasher, PasswordVerifier } from "../../src/ports/hasher.ts";
import stored from "../fixtures/password-hashes.json" with { type: "json" };

const counting: RandomSource = (size) => Uint8Array.from({ length: size }, (_, index) => index);
const salt = "ABCDEFGHIJKLMNOPQRSTUV";
const password = "naïve 密码 🔑";
const smallScrypt = scrypt({ N: 2, r: 1, p: 1 });
const smallArgon2id = argon2id({ memorySize: 8, iterations: 1 });
const verifiers: readonly PasswordVerifier[] = [
  argon2id(),
  pbkdf2(),
  scrypt(),
  djangoLegacy(),
];

/** What a login does with the list: the first that recognizes the text decides. */
function verify(text: string, encoded: string): Promise<boolean> {
  const verifier = verifiers.find((candidate) => candidate.recognizes(encoded));
  return verifier === undefined ? Promise.resolve(false) : verifier.verify(text, encoded);
}

/** Makes scrypt's text without the hasher, within its bounds or not. */
function makeScryptText(N: number, r: number, p: number, textSalt = salt): Promise<string> {
  return new Promise((resolve, reject) => {
    deriveScrypt(password, textSalt, 64, { N, r, p, maxmem: 2 ** 30 }, (error, key) => {
      if (error) reject(error);
      else resolve(`scrypt$${N}$${textSalt}$${r}$${p}$${key.toString("base64")}`);
    });
  });
}

describe("the list of all hashers", () => {
  // No adapter reads bcrypt yet, so that these texts are refused although the passwords are right.
  const isBcrypt = (encoded: string): boolean => encoded.startsWith("bcrypt");

  test.each(stored.filter((row) => !isBcrypt(row.encoded)))(
    "P10 answers as Django does: $note ($encoded)",
    async (row) => {
      expect(await verify(row.password, row.encoded)).toBe(row.verifies_true);
    },
  );

  test.each(stored.filter((row) => isBcrypt(row.encoded)))(
    "does not recognize bcrypt: $note ($encoded)",
    async (row) => {
      expect(verifiers.some((verifier) => verifier.recognizes(row.encoded))).toBe(false);
      expect(await verify(row.password, row.encoded)).toBe(false);
    },
  );

  test("covers every stored row, five of them bcrypt", () => {
    expect(stored.length).toBe(47);
    expect(stored.filter((row) => isBcrypt(row.encoded)).length).toBe(5);
  });

  test.each(stored.filter((row) => row.encoded !== ""))(
    "is unambiguous: at most one hasher recognizes $encoded",
    ({ encoded }) => {
      expect(verifiers.filter((verifier) => verifier.recognizes(encoded)).length)
        .toBeLessThanOrEqual(1);
    },
  );
});

describe.each<[string, Hasher]>([
  ["argon2id", smallArgon2id],
  ["scrypt", smallScrypt],
])("%s", (_name, hasher) => {
  test.each([
    ["71 and 72 bytes", "a".repeat(71), "a".repeat(72)],
    ["72 and 73 bytes", "a".repeat(72), "a".repeat(73)],
    ["another tail after 72 bytes", "a".repeat(72) + "b", "a".repeat(72) + "c"],
    ["a tail after NUL", "a\0b", "a\0c"],
    ["a NUL at the end", "a", "a\0"],
    ["empty and NUL", "", "\0"],
    ["4,096 and 4,097 bytes", "a".repeat(4_096), "a".repeat(4_097)],
  ])("P2 tells passwords apart: %s", async (_case, one, other) => {
    const encoded = await hasher.hash(one, counting);
    expect(await hasher.verify(one, encoded)).toBe(true);
    expect(await hasher.verify(other, encoded)).toBe(false);
  });

  test.each([
    ["a trailing space", "word", "word "],
    ["a leading space", "word", " word"],
    ["case", "Word", "word"],
    ["emoji with another skin tone", "👍🏻", "👍🏿"],
    ["empty and space", "", " "],
  ])("P3 uses the password as it was typed: %s", async (_case, one, other) => {
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

  test("P5 refuses every text one edit away from a good one", async () => {
    const good = await hasher.hash(password, systemRandom);
    const seed = Math.floor(Math.random() * 2 ** 32);
    let state = seed;
    const below = (limit: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
    const letters = "$=+,/ \n09AZaz\0é\ud800";
    for (let round = 0; round < 1_000; round++) {
      const at = below(good.length);
      const text = below(3) === 0 ? "" : letters.charAt(below(letters.length));
      const edited = good.slice(0, at) + text + good.slice(at + below(2));
      if (edited === good) continue;
      expect(
        await hasher.verify(password, edited),
        `seed ${seed}: ${JSON.stringify(edited)} from ${good}`,
      ).toBe(false);
    }
  });
});

describe("argon2id", () => {
  const tiny = "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHRzYWx0$CNDKIqHX4RzJKm2e/z5Rjw";
  const older = "argon2$argon2i$v=19$m=512,t=2,p=2$c29tZXNhbHQxMjM0NTY3OA$FO2SuA0+HO4CjAq+rVbo/g";

  test("writes Django's form with OWASP's minimum, and keeps it", async () => {
    const encoded = await argon2id().hash(password, systemRandom);
    expect(encoded).toMatch(
      /^argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    expect(await argon2id().verify(password, encoded)).toBe(true);
    expect(argon2id().isCurrent(encoded)).toBe(true);
  });

  test("draws the salt itself, not from the given source", async () => {
    const unused: RandomSource = () => {
      throw new Error("drawn");
    };
    const first = await smallArgon2id.hash(password, unused);
    expect(await smallArgon2id.hash(password, unused)).not.toBe(first);
  });

  test("P10 reads Django's form and a bare PHC string, of Argon2id and the older Argon2i", async () => {
    for (const encoded of [tiny, tiny.slice(6), older, older.slice(6)]) {
      expect(smallArgon2id.recognizes(encoded)).toBe(true);
      expect(await smallArgon2id.verify("testing123", encoded)).toBe(true);
      expect(await smallArgon2id.verify("testing124", encoded)).toBe(false);
    }
    expect(smallArgon2id.isCurrent(older)).toBe(false);
  });

  test("P3 takes all spellings of a text that are equal under NFKC for one password", async () => {
    const encoded = await smallArgon2id.hash("caf\u00e9 \ufb01ne", systemRandom);
    expect(await smallArgon2id.verify("cafe\u0301 fine", encoded)).toBe(true);
    expect(await smallArgon2id.verify("cafe fine", encoded)).toBe(false);
  });

  test.each([
    ["4 TiB of memory", "m=8,", "m=4294967295,"],
    ["more memory than any number", "m=8,", `m=${"9".repeat(300)},`],
    ["4 GiB of memory", "m=8,", "m=4194304,"],
    ["2 ** 32 - 1 iterations", "t=1,", "t=4294967295,"],
    ["all the bounds reached at once", "m=8,t=1,", "m=262144,t=1000,"],
    ["2 ** 24 lanes", "p=1$", "p=16777216$"],
    ["no memory", "m=8,", "m=0,"],
    ["no iterations", "t=1,", "t=0,"],
    ["no lanes", "p=1$", "p=0$"],
    ["less memory than eight blocks a lane", "p=1$", "p=2$"],
    ["negative memory", "m=8,", "m=-8,"],
    ["leading zero", "m=8,", "m=08,"],
    ["exponent", "m=8,", "m=8e0,"],
    ["another version", "v=19", "v=16"],
    ["no version", "v=19$", ""],
    ["another order", "m=8,t=1", "t=1,m=8"],
    ["more parameters", "p=1$", "p=1,data=YWFh$"],
    ["empty salt", "c2FsdHNhbHRzYWx0", ""],
    ["short salt", "c2FsdHNhbHRzYWx0", "YWFh"],
    // Native code throws on the next five.
    ["49 bytes of salt", "c2FsdHNhbHRzYWx0", "YWFh".repeat(16) + "YQ"],
    ["a megabyte of salt", "c2FsdHNhbHRzYWx0", "YWFh".repeat(1 << 18)],
    ["4 bytes of hash", "CNDKIqHX4RzJKm2e/z5Rjw", "YWFhYQ"],
    ["65 bytes of hash", "CNDKIqHX4RzJKm2e/z5Rjw", "YWFh".repeat(21) + "YWE"],
    ["other trailing bits", "z5Rjw", "z5Rjx"],
    ["padding", "z5Rjw", "z5Rjw=="],
    ["trailing newline", "z5Rjw", "z5Rjw\n"],
    ["no hash", "$CNDKIqHX4RzJKm2e/z5Rjw", ""],
    ["many commas", "p=1$", ",".repeat(100_000)],
    ["the word twice", "argon2$", "argon2$argon2$"],
    ["Argon2d", "argon2id", "argon2d"],
  ])("P5 answers false to a hostile text: %s", async (_name, part, replacement) => {
    const encoded = tiny.replace(part, () => replacement);
    expect(encoded).not.toBe(tiny);
    expect(await smallArgon2id.verify("testing123", encoded)).toBe(false);
    expect(smallArgon2id.isCurrent(encoded)).toBe(false);
  });

  test("P5 does not reach native code out of bounds, even for the right password", async () => {
    const make = (memorySize: number, iterations: number, parallelism: number) =>
      new Argon2id({ memorySize, iterations, parallelism }).hash(password);
    expect(await smallArgon2id.verify(password, await make(8, 1_000, 1))).toBe(true);
    expect(await smallArgon2id.verify(password, await make(8, 1_001, 1))).toBe(false);
    expect(await smallArgon2id.verify(password, await make(520, 1, 64))).toBe(true);
    expect(await smallArgon2id.verify(password, await make(520, 1, 65))).toBe(false);
    expect(await smallArgon2id.verify(password, await make(262_144, 1, 1))).toBe(true);
    expect(await smallArgon2id.verify(password, await make(262_145, 1, 1))).toBe(false);
  });

  const hash = "uVmpsKSwAnW914swjW/IAiaKdyIRNOV2TuN+9fcxOnM";
  const phc = (parameters: string): string =>
    `argon2$argon2id$v=19$${parameters}$1vtf17FK3r+XTOEiPK6MVw$${hash}`;
  test.each([
    ["what it writes", phc("m=19456,t=2,p=1"), true],
    ["the bare PHC string", phc("m=19456,t=2,p=1").slice(6), true],
    ["Django's own choice", phc("m=102400,t=2,p=8"), true],
    ["OWASP's choice of one pass", phc("m=47104,t=1,p=1"), true],
    ["less memory, however many passes", phc("m=19455,t=50,p=1"), false],
    ["fewer passes over the same memory", phc("m=19456,t=1,p=1"), false],
    ["a short salt", phc("m=19456,t=2,p=1").replace("TOEiPK6MVw", "TOEi"), false],
    ["Argon2i", phc("m=19456,t=2,p=1").replace("argon2id", "argon2i"), false],
    ["another algorithm", `pbkdf2_sha256$600000$${salt}$${hash}=`, false],
  ])("calls current: %s", (_name, encoded, current) => {
    expect(argon2id().isCurrent(encoded)).toBe(current);
  });

  test.each([
    [{ memorySize: 7 }, "memorySize must be an integer from 8 to 262144, not 7"],
    [{ memorySize: Number.NaN }, "memorySize must be an integer from 8 to 262144, not NaN"],
    [{ memorySize: 262_145 }, "memorySize must be an integer from 8 to 262144, not 262145"],
    [{ memorySize: 1_000.5 }, "memorySize must be an integer from 8 to 262144, not 1000.5"],
    [{ iterations: 0 }, "iterations must be an integer from 1 to 1000, not 0"],
    [{ iterations: Infinity }, "iterations must be an integer from 1 to 1000, not Infinity"],
    [{ parallelism: 1.5 }, "parallelism must be an integer from 1 to 64, not 1.5"],
    [
      { memorySize: 8, parallelism: 2 },
      "memorySize must be at least 8 * parallelism, and memorySize * iterations at most 1048576",
    ],
    [
      { memorySize: 262_144, iterations: 5 },
      "memorySize must be at least 8 * parallelism, and memorySize * iterations at most 1048576",
    ],
  ])("refuses %o at construction", (options, message) => {
    expect(() => argon2id(options)).toThrow(
      new RangeError(`Cannot configure argon2id: ${message}`),
    );
  });
});

describe("scrypt", () => {
  const key =
    "/PsU3KFa5khZxYVYfv+0y4nr+Nq49FjXRL22z/VvaI0+xsge5Ffj7wfkCaxQ7PzVxICngDaFqjUEpw6wEVDCnw==";
  const good = `scrypt$2$${salt}$1$1$${key}`;

  test("writes the same text from the same random bytes, equal to another implementation's", async () => {
    // The keys are those of Python's hashlib.
    expect(await smallScrypt.hash(password, counting)).toBe(good);
    expect(await scrypt().hash(password, counting)).toBe(
      `scrypt$16384$${salt}$8$5$x83ldd7E+qjWj+UG1XMNjjIVaGwc0CX3gdzMG6qaUIyw` +
        "IgVftyE9O8BVGoMim9BFlL8+9m6gRR8Ptv3kn/6FWg==",
    );
  });

  test.each([
    ["caf\u00e9", "cafe\u0301"],
    ["\ufb01ne", "fine"],
  ])("P3 does not normalise: %j is not %j", async (one, other) => {
    expect(await smallScrypt.verify(other, await smallScrypt.hash(one, counting))).toBe(false);
  });

  test.each([
    { N: 32_768, r: 8, p: 1 },
    { N: 131_072, r: 8, p: 1 },
    { N: 262_144, r: 8, p: 1 },
    { N: 2, r: 64, p: 64 },
    { N: 32_768, r: 1, p: 1 },
  ])("P7 gives the runtime the memory that %o needs", async (cost) => {
    const hasher = scrypt(cost);
    const encoded = await hasher.hash(password, counting);
    expect(await hasher.verify(password, encoded)).toBe(true);
  });

  test.each([
    ["4 TiB of memory", "$2$", "$4294967296$"],
    ["1 GiB of memory", `$2$${salt}$1$`, `$1048576$${salt}$8$`],
    ["N beyond every number", "$2$", `$${"9".repeat(400)}$`],
    ["log N in place of N", "$2$", "$ln=30$"],
    ["N of 2 ** 32 + 2, whose low bits are 2", "$2$", "$4294967298$"],
    ["N of one", "$2$", "$1$"],
    ["N of zero", "$2$", "$0$"],
    ["negative N", "$2$", "$-2$"],
    ["N not a power of two", "$2$", "$3$"],
    ["leading zero", "$2$", "$02$"],
    ["N of 2 ** 16 with r of one", "$2$", "$65536$"],
    ["huge r", `${salt}$1$`, `${salt}$1073741824$`],
    ["huge p", "$1$1$", "$1$1073741824$"],
    ["all the bounds reached at once", `$2$${salt}$1$1$`, `$262144$${salt}$8$64$`],
    ["zero r", "$1$1$", "$0$1$"],
    ["zero p", "$1$1$", "$1$0$"],
    ["empty salt", salt, ""],
    ["a megabyte of salt", salt, "x".repeat(1 << 20)],
    ["another field", salt, `${salt}$x`],
    ["a truncated key", key, key.slice(0, 44)],
    ["a longer key", key, `AAAA${key}`],
    ["other trailing bits", "Cnw==", "Cnx=="],
    ["no padding", "==", ""],
    ["trailing newline", "==", "==\n"],
    ["many dollars", salt, "$".repeat(100_000)],
  ])("P5 answers false to a hostile text: %s", async (_name, part, replacement) => {
    const encoded = good.replace(part, () => replacement);
    expect(encoded).not.toBe(good);
    expect(await smallScrypt.verify(password, encoded)).toBe(false);
    expect(smallScrypt.isCurrent(encoded)).toBe(false);
  });

  test("P5 does not reach the key derivation out of bounds, even for the right password", async () => {
    expect(await smallScrypt.verify(password, await makeScryptText(2, 1, 64))).toBe(true);
    expect(await smallScrypt.verify(password, await makeScryptText(2, 1, 65))).toBe(false);
    expect(await smallScrypt.verify(password, await makeScryptText(2, 64, 1))).toBe(true);
    expect(await smallScrypt.verify(password, await makeScryptText(2, 65, 1))).toBe(false);
    expect(await smallScrypt.verify(password, await makeScryptText(32_768, 16, 8))).toBe(true);
    expect(await smallScrypt.verify(password, await makeScryptText(32_768, 16, 9))).toBe(false);
    expect(await smallScrypt.verify(password, await makeScryptText(2, 1, 1, "s".repeat(128))))
      .toBe(true);
    expect(await smallScrypt.verify(password, await makeScryptText(2, 1, 1, "s".repeat(129))))
      .toBe(false);
  });

  test.each([
    ["what it writes", `scrypt$16384$${salt}$8$5$${key}`, true],
    ["OWASP's choice with more memory", `scrypt$131072$${salt}$8$1$${key}`, true],
    ["what Django wrote before 5.1", `scrypt$16384$${salt}$8$1$${key}`, false],
    ["256 MiB of memory", `scrypt$262144$${salt}$8$2$${key}`, true],
    ["more memory than that, which never verifies", `scrypt$524288$${salt}$8$1$${key}`, false],
    ["less memory, however often filled", `scrypt$8192$${salt}$8$64$${key}`, false],
    ["a longer salt", `scrypt$16384$${salt}x$8$5$${key}`, true],
    ["a short salt", `scrypt$16384$seasalt$8$5$${key}`, false],
    ["another algorithm", `pbkdf2_sha256$16384$${salt}$8$5$${key}`, false],
  ])("calls current: %s", (_name, encoded, current) => {
    expect(scrypt().isCurrent(encoded)).toBe(current);
  });

  const limits = "128 * N * r must be at most 256 MiB, N * r * p at most 4194304, and N below " +
    "65536 when r is 1";
  test.each([
    [{ N: Number.NaN }, "N must be an integer from 2 to 1048576, not NaN"],
    [{ N: 1 }, "N must be an integer from 2 to 1048576, not 1"],
    [{ N: 2_097_152 }, "N must be an integer from 2 to 1048576, not 2097152"],
    [{ N: Infinity }, "N must be an integer from 2 to 1048576, not Infinity"],
    [{ N: 16_385 }, "N must be a power of two, not 16385"],
    [{ N: 24_576 }, "N must be a power of two, not 24576"],
    [{ r: 0 }, "r must be an integer from 1 to 64, not 0"],
    [{ r: 1.5 }, "r must be an integer from 1 to 64, not 1.5"],
    [{ p: 65 }, "p must be an integer from 1 to 64, not 65"],
    [{ N: 524_288 }, limits],
    [{ N: 131_072, r: 8, p: 5 }, limits],
    [{ N: 65_536, r: 1 }, limits],
  ])("refuses %o at construction", (options, message) => {
    expect(() => scrypt(options)).toThrow(new RangeError(`Cannot configure scrypt: ${message}`));
  });
});

describe("djangoLegacy", () => {
  const verifier = djangoLegacy();
  const sha1 = "sha1$legacysalt$2174629e3900e50709ef266ecb01e49af15cecb2";
  const md5 = "md5$legacysalt$a816acc598dd81ebed7b6e5e0d0477f2";

  test("P10 reads what a first hasher then rewrites, and writes nothing itself", async () => {
    for (const encoded of [sha1, md5]) {
      expect(verifier.recognizes(encoded)).toBe(true);
      expect(await verifier.verify("testing123", encoded)).toBe(true);
      for (const wrong of ["Testing123", "testing123 ", "", "salttesting123"]) {
        expect(await verifier.verify(wrong, encoded)).toBe(false);
      }
      expect(argon2id().isCurrent(encoded)).toBe(false);
    }
    expect("hash" in verifier).toBe(false);
  });

  test("reads a salt and a password beyond ASCII as UTF-8", async () => {
    // Made by Python's hashlib.
    expect(await verifier.verify("密码🔑", "sha1$соль$3008ce3a793d0c245caa869651ea96d763252fd0"))
      .toBe(true);
    expect(await verifier.verify("密码🔑", "md5$соль$8220e90dadcadd70359fb41edf359b6c")).toBe(true);
  });

  test.each([
    ["empty", ""],
    ["only the name", "sha1$"],
    ["the other algorithm's name", sha1.replace("sha1", "md5")],
    ["the other algorithm's length", md5.replace("md5", "sha1")],
    ["upper-case hexadecimal", sha1.replace("2174629e", "2174629E")],
    ["a truncated digest", sha1.slice(0, -2)],
    ["a longer digest", `${sha1}00`],
    ["trailing newline", `${sha1}\n`],
    ["leading space", ` ${sha1}`],
    // The digest of the password alone is right here.
    ["an empty salt", "sha1$$4c0d2b951ffabd6f9a10489dc40fc356ec1d26d5"],
    ["another field", sha1.replace("legacysalt", "legacysalt$")],
    ["a megabyte of salt", sha1.replace("legacysalt", "x".repeat(1 << 20))],
    ["half of a surrogate pair in the salt", sha1.replace("legacysalt", "\ud800")],
  ])("P5 answers false to a hostile text: %s", async (_name, encoded) => {
    expect(await verifier.verify("testing123", encoded)).toBe(false);
  });

  test("P2 refuses half of a surrogate pair, which would equal U+FFFD as bytes", async () => {
    const encoded = "sha1$s$75a23f4aea4601ccccf26d02bfe138aa1eb0e13c";
    expect(await verifier.verify("\ufffd", encoded)).toBe(true);
    expect(await verifier.verify("\ud800", encoded)).toBe(false);
  });
});
