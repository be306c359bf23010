import { describe, expect, it } from "vitest";
import {
  deriveSecret,
  digestCandidates,
  digestToken,
  matchesDigest,
  type Pepper,
} from "../../src/pure/digest.ts";

const old: Pepper = { id: "2026", key: new Uint8Array(32).fill(7) };
const young: Pepper = { id: "2027", key: new Uint8Array(32).fill(8) };
const text = "lk_token";

describe("digestToken()", () => {
  it("is SHA-256 in lower-case hex without a pepper", () => {
    expect(digestToken(["none"], "abc")).toEqual({
      digest: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      pepper: null,
    });
  });

  it("K6: gives the same digest however often it is asked", () => {
    expect(digestToken([old], text)).toEqual(digestToken([old], text));
  });

  it("K8: writes with the first pepper and names it", () => {
    expect(digestToken([young, old], text)).toEqual(digestToken([young], text));
    expect(digestToken([young, old], text).pepper).toBe("2027");
    expect(digestToken([young], text).digest).not.toBe(digestToken([old], text).digest);
  });
});

describe("matchesDigest()", () => {
  it("K8: finds tokens of every pepper that is still listed", () => {
    const candidates = digestCandidates([young, old, "none"], text);
    expect(matchesDigest(candidates, digestToken([young], text))).toBe(true);
    expect(matchesDigest(candidates, digestToken([old], text))).toBe(true);
    expect(matchesDigest(candidates, digestToken(["none"], text))).toBe(true);
  });

  it("K8: refuses tokens of a pepper that is gone, and a record that names another", () => {
    const candidates = digestCandidates([young, "none"], text);
    const stored = digestToken([old], text);
    expect(matchesDigest(candidates, stored)).toBe(false);
    expect(matchesDigest(candidates, { ...stored, pepper: "2027" })).toBe(false);
    expect(matchesDigest(candidates, { ...digestToken([young], text), pepper: null })).toBe(false);
    expect(matchesDigest(candidates, { ...stored, pepper: "unknown" })).toBe(false);
  });

  it("K5, K7: a stored digest of any other form matches nothing", () => {
    const candidates = digestCandidates(["none"], text);
    const { digest } = digestToken(["none"], text);
    const broken = [
      "",
      digest.slice(0, -1),
      digest.slice(0, 32),
      digest.toUpperCase(),
      `${digest}0`,
    ];
    for (
      const stored of [
        ...broken,
        "g".repeat(64),
        digest.replace(/.$/, digest.endsWith("0") ? "1" : "0"),
      ]
    ) {
      expect(matchesDigest(candidates, { digest: stored, pepper: null }), stored).toBe(false);
    }
    expect(matchesDigest(candidates, { digest, pepper: null })).toBe(true);
  });
});

describe("deriveSecret()", () => {
  it("gives 32 bytes that depend on the secret and on the id", () => {
    const secret = new Uint8Array(32).fill(1);
    expect(deriveSecret(secret, "a")).toHaveLength(32);
    expect(deriveSecret(secret, "a")).toEqual(deriveSecret(secret, "a"));
    expect(deriveSecret(secret, "a")).not.toEqual(deriveSecret(secret, "b"));
    expect(deriveSecret(secret, "a")).not.toEqual(deriveSecret(new Uint8Array(32).fill(2), "a"));
  });
});
