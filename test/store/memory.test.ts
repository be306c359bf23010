import { memoryStore } from "latchkey/memory";
import { storeContract } from "latchkey/testing";
import { describe, expect, it } from "vitest";
import { makeToken, makeUser } from "./record.ts";
import { threats, titleOf } from "./threats.ts";

type Store = ReturnType<typeof memoryStore>;

describe("memoryStore keeps the contract:", () => {
  const opened = new WeakMap<object, ReturnType<typeof memoryStore>>();
  const laws = storeContract({
    readEvents: async (store) => opened.get(store)?.events ?? [],
  });
  for (const law of laws) {
    it(titleOf(law), () =>
      law.run(async () => {
        const store = memoryStore();
        opened.set(store, store);
        return store;
      }));
  }
});

it("every threat that is said to be answered is answered by a law", () => {
  const names = storeContract({ readEvents: async () => [] }).map((law) => law.name);
  const unknown = threats.filter(([beginning]) =>
    !names.some((name) => name.startsWith(beginning))
  );
  expect(unknown).toEqual([]);
});

describe("memoryStore", () => {
  it("shares nothing between two stores", async () => {
    const [one, other] = [memoryStore(), memoryStore()];
    await one.insertUser(makeUser());
    await one.appendEvents([{ type: "tokens_pruned", at: 1, count: 2 }]);
    expect(await other.findUserByName("ada")).toBeNull();
    expect(other.events).toEqual([]);
  });

  it("takes an id that is empty for one like any other", async () => {
    const store = memoryStore();
    await store.insertToken(makeToken({ id: "", slot: "login" }));
    expect(await store.findToken(["0"])).toBeNull();
    const other = makeToken({ id: "2", digest: "b" });
    expect((await store.ensureToken({ ...other, slot: "other" })).token.id).toBe("2");
    expect((await store.findToken([other.digest]))?.successor).toBeNull();
  });

  it("rejects a duplicate with a StoreError that names the verb and the conflict (R13)", async () => {
    const store = memoryStore();
    await store.insertToken(makeToken());
    await expect(store.insertToken(makeToken())).rejects.toMatchObject({
      name: "StoreError",
      code: "conflict",
      message: "Cannot insert token: a unique value exists already",
    });
  });

  describe("with more keys of attempts than it keeps", () => {
    const [now, window] = [1_000_000, 1_000];

    /** Takes an attempt of each key, the same `window` long for all; many at once. */
    async function flood(store: Store, name: string, count: number, at: number): Promise<void> {
      for (let start = 0; start < count; start += 1_000) {
        const limits = Array.from({ length: Math.min(1_000, count - start) }, (_, index) => {
          const length = window + start + index;
          return { key: `${name}-${start + index}`, max: 5, window: length, longest: length };
        });
        expect(await store.takeAttempts(limits, at)).toHaveLength(limits.length);
      }
    }

    async function countHeld(store: Store, name: string, count: number): Promise<number> {
      const keys = Array.from({ length: count }, (_, index) => `${name}-${index}`);
      return (await store.findAttempts(keys, 0)).length;
    }

    it("keeps 100 000 windows at most, those that end last (B11)", async () => {
      const store = memoryStore();
      await flood(store, "a", 100_000, now);
      expect(await countHeld(store, "a", 100_000)).toBe(100_000);
      const [long, short] = [{ key: "long", window: 9_000_000 }, { key: "short", window: 1 }]
        .map((limit) => ({ ...limit, max: 1, longest: limit.window }));
      if (long === undefined || short === undefined) throw new Error("Expected two limits");
      expect(await store.takeAttempts([long, short], now)).toHaveLength(2);
      expect(await store.takeAttempts([short], now)).toBeNull();
      expect(await countHeld(store, "a", 100_000)).toBe(90_000);
      expect(await store.findAttempts(["a-9999"], 0)).toEqual([]);
      expect(await store.findAttempts(["a-10000"], 0)).toHaveLength(1);
      await flood(store, "b", 200_000, now);
      const held = await countHeld(store, "a", 100_000) + await countHeld(store, "b", 200_000);
      expect(held).toBeLessThan(100_000);
      expect(held).toBeGreaterThanOrEqual(90_000 - 2);
      expect(await store.takeAttempts([long], now)).toBeNull();
    });

    it("drops first what no longer matters (B11)", async () => {
      const store = memoryStore();
      await flood(store, "a", 50_000, now);
      await flood(store, "b", 50_000, now + 40_001);
      const later = now + 2 * (window + 20_000);
      await flood(store, "c", 1, later);
      // The first 20 001 of a no longer matter; that makes room enough.
      expect(await countHeld(store, "a", 50_000)).toBe(29_999);
      expect(await countHeld(store, "b", 50_000)).toBe(50_000);
    });

    it("refuses what is exhausted before it drops anything (B11)", async () => {
      const store = memoryStore();
      const limit = { key: "short", max: 1, window: 1, longest: 1 };
      await store.takeAttempts([limit], now);
      await flood(store, "a", 99_999, now);
      const more = { key: "more", max: 1, window, longest: window };
      expect(await store.takeAttempts([more, limit], now)).toBeNull();
      expect(await countHeld(store, "a", 99_999)).toBe(99_999);
    });
  });
});
