import { type AuthOptions, defineAuth, type Store, StoreError, verifyToken } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { makeAuth, SECRET } from "../fixture.ts";

const good: AuthOptions = { store: memoryStore(), passwords: [pbkdf2()] };
const key = new Uint8Array(32).fill(1);

describe("defineAuth()", () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ["no store", { store: undefined }, /no store given, add \{ store: memoryStore\(\) \}/],
    ["a client in place of a store", { store: {} }, /no store given/],
    ["no hasher", { passwords: undefined }, /no password hasher given, add/],
    ["an empty list of hashers", { passwords: [] }, /no password hasher given/],
    ["a verifier that cannot write first", { passwords: [{ verify() {} }] }, /no password hasher/],
    ["no format", { formats: [] }, /formats is empty, leave it out/],
    ["reuse without a secret", { onLogin: "reuse" }, /needs a server secret, add \{ secret \}/],
    ["an unknown policy", { onLogin: "sometimes" }, /expected "new" or "reuse"/],
    ["a short secret", { secret: "short" }, /this secret: expected at least 32 bytes/],
    ["a secret of another type", { secret: 42 }, /this secret: expected at least 32 bytes/],
    ["an empty ring", { peppers: [] }, /Cannot use these peppers: expected a list/],
    ["two peppers of one id", { peppers: [{ id: "a", key }, { id: "a", key }] }, /ids must differ/],
    ["a pepper named none", { peppers: [{ id: "none", key }, "none"] }, /ids must differ/],
    ["a pepper id with spaces", { peppers: [{ id: "a b", key }] }, /1 to 64 letters/],
    [
      "a short pepper",
      { peppers: [{ id: "a", key: new Uint8Array(31) }] },
      /pepper key: expected at/,
    ],
    ["a lifetime of zero", { tokenLifetime: 0 }, /tokenLifetime: expected a positive whole/],
    ["a negative lifetime", { tokenLifetime: -1 }, /tokenLifetime: expected/],
    ["a lifetime that is no number", { tokenLifetime: NaN }, /tokenLifetime: expected/],
    ["an endless lifetime as a number", { tokenLifetime: Infinity }, /tokenLifetime: expected/],
    ["a scope with a space", { scopes: ["a b"] }, /Cannot use this scope/],
    ["an empty scope", { scopes: [""] }, /Cannot use this scope/],
    ["65 scopes", { scopes: Array.from({ length: 65 }, (_, i) => `s${i}`) }, /more than 64/],
  ])("F5: refuses %s at construction and says what to do", (_name, wrong, message) => {
    expect(() => defineAuth({ ...good, ...wrong })).toThrow(message);
  });

  it("reads a lifetime from anything with milliseconds()", () => {
    expect(defineAuth({ ...good, tokenLifetime: { milliseconds: () => 5 } }).tokenLifetime).toBe(5);
    expect(defineAuth({ ...good, tokenLifetime: null }).tokenLifetime).toBeNull();
    expect(defineAuth(good).tokenLifetime).toBe(30 * 24 * 60 * 60 * 1000);
  });

  it("L1: neither the secret nor a pepper is in what it returns", () => {
    const auth = defineAuth({ ...good, secret: SECRET, peppers: [{ id: "a", key }] });
    const seen: unknown[] = [];
    const walk = (value: unknown): void => {
      if (typeof value !== "object" || value === null || seen.includes(value)) {
        return void seen.push(value);
      }
      seen.push(value);
      for (const name of Reflect.ownKeys(value)) walk(Reflect.get(value, name));
    };
    walk(auth);
    expect(seen.some((value) => value instanceof Uint8Array || value === SECRET)).toBe(false);
    expect(JSON.stringify(auth)).not.toContain(SECRET);
  });

  it("keeps its own copy of a key", () => {
    const changing = new Uint8Array(32).fill(1);
    const auth = defineAuth({ ...good, peppers: [{ id: "a", key: changing }] });
    const before = auth.digest("text");
    changing.fill(9);
    expect(auth.digest("text")).toEqual(before);
  });
});

describe("a failing store", () => {
  const token = "lk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3TQtQq";
  const secret = "select password from user where username = 'sentinel-in-sql'";

  it.each<[string, Store["findToken"]]>([
    ["rejects", () => Promise.reject(new Error(secret))],
    ["throws at once", () => {
      throw new Error(secret);
    }],
    ["rejects with no error", () => Promise.reject(secret)],
    ["rejects with a cause", () => Promise.reject(new Error("x", { cause: { params: [secret] } }))],
  ])(
    "C4, D5: that %s becomes a StoreError without a trace of the original",
    async (_name, findToken) => {
      const { auth } = makeAuth({ store: { ...memoryStore(), findToken } });
      const error = await verifyToken(auth, token).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(StoreError);
      const { message, stack, cause } = error as StoreError;
      expect(message).toBe("Cannot find the token: the store failed");
      expect(cause).toBeUndefined();
      expect(`${stack}${JSON.stringify(error)}`).not.toContain("sentinel");
    },
  );

  it("shows the driver's code, and no code that could hold data", async () => {
    const coded = (code: unknown) =>
      makeAuth({
        store: { ...memoryStore(), findToken: () => Promise.reject({ code }) },
      }).auth;
    await expect(verifyToken(coded("SQLITE_BUSY"), token)).rejects.toThrow(
      "the store failed (SQLITE_BUSY)",
    );
    await expect(verifyToken(coded("it's data"), token)).rejects.toThrow(/the store failed$/);
  });
});
