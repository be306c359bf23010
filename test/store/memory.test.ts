import { memoryStore } from "latchkey/memory";
import { storeContract } from "latchkey/testing";
import { describe, expect, it } from "vitest";
import { makeToken, makeUser } from "./record.ts";
import { threats, titleOf } from "./threats.ts";

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
});
