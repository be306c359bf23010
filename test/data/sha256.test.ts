import { describe, expect, it } from "vitest";
import { findNativeHash, hashText, portableHash } from "../../src/data/sha256.ts";
import { seededNumbers } from "../fixture.ts";

const native = findNativeHash();

/** The vectors of FIPS 180-4 and its neighbours, and texts that are not ASCII. */
const samples: readonly (readonly [string, string])[] = [
  ["", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"],
  [
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
  ],
];

describe("SHA-256", () => {
  it.each(samples)("gives the published digest of %o by every means", (text, digest) => {
    expect([portableHash(text), hashText(text)]).toEqual([digest, digest]);
  });

  it("gives the same by the platform's means as by the portable ones, on random texts", (context) => {
    if (native === null) return context.skip("the platform has no synchronous SHA-256");
    const seed = Date.now() % 2 ** 32;
    const next = seededNumbers(seed);
    for (let round = 0; round < 2_000; round++) {
      // Any UTF-16 unit, so that lone surrogates are among them.
      const text = String.fromCharCode(...Array.from({ length: next(200) }, () => next(0x10000)));
      expect(native(text), `seed ${seed}, round ${round}`).toBe(portableHash(text));
    }
  });

  it("uses the platform's means where there is a way to them", (context) => {
    const hasWay = globalThis.process !== undefined && "getBuiltinModule" in globalThis.process;
    if (!hasWay) return context.skip("there is no way to a module of the platform");
    expect(native).not.toBeNull();
  });
});
