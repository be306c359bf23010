import { type Store, verificationCache } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { storeContract } from "latchkey/testing";
import { describe, expect, it } from "vitest";
import { makeSuccessor, makeToken, makeUser, revocation } from "../store/record.ts";

const MINUTE = 60_000;

/** The laws live in the first seconds of all time: by this clock, what they store is kept. */
function attachCache(inner: Store): Store {
  return verificationCache({ staleness: MINUTE }).attach(inner, () => 0);
}

describe("memoryStore behind a cache keeps the contract:", () => {
  const opened = new WeakMap<Store, ReturnType<typeof memoryStore>>();
  const laws = storeContract({ readEvents: async (store) => opened.get(store)?.events ?? [] });
  for (const law of laws) {
    it(law.name, () =>
      law.run(async () => {
        const inner = memoryStore();
        const store = attachCache(inner);
        opened.set(store, inner);
        return store;
      }));
  }
});

describe("a store behind a cache", () => {
  const token = makeToken({ expiresAt: 500 });
  const stranger = makeToken({ id: "token-7", digest: "a7", owner: "user-7" });
  const late = { ...makeToken({ id: "token-9", digest: "a9" }), slot: "login" };

  /** Every verb that changes what a lookup tells, by itself. */
  const verbs: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
    ["insertToken", (store) => store.insertToken(late)],
    ["insertToken of a successor", (store) => store.insertToken(makeSuccessor(token))],
    ["ensureToken", (store) => store.ensureToken(late)],
    ["renameToken", (store) => store.renameToken(token.owner, token.id, "phone")],
    ["rotateToken", (store) => store.rotateToken(makeSuccessor(token))],
    ["revokeToken", (store) => store.revokeToken(token.id, revocation)],
    ["revokeTokens", (store) => store.revokeTokens(token.owner, revocation)],
    ["revokeFamily", (store) => store.revokeFamily(token.family, revocation)],
    ["touchTokens", (store) => store.touchTokens([{ id: token.id, usedAt: 7 }])],
    ["pruneTokens", (store) => store.pruneTokens(500, 1)],
    ["insertUser", (store) => store.insertUser(makeUser({ id: "user-7", username: "bob" }))],
    ["replacePassword", (store) => store.replacePassword("user-1", null, { newEpoch: true })],
    ["setActive", (store) => store.setActive("user-1", false, { newEpoch: false })],
    ["setActive with a new epoch", (store) => store.setActive("user-1", true, { newEpoch: true })],
    ["startEpoch", (store) => store.startEpoch("user-1")],
    ["deleteUser", (store) => store.deleteUser("user-1")],
  ];

  it.each(verbs)("tells at once what %s has changed (C5)", async (_, run) => {
    const inner = memoryStore();
    await inner.insertUser(makeUser());
    for (const one of [token, stranger]) await inner.insertToken(one);
    const store = attachCache(inner);
    const digests = [token, stranger, late].map(({ digest }) => digest);
    const look = (from: Store) => Promise.all(digests.map((one) => from.findToken([one])));
    const before = await look(store);
    for (const [index, found] of (await look(store)).entries()) expect(found).toBe(before[index]);
    await run(store);
    const after = await look(inner);
    expect(after).not.toEqual(before);
    expect(await look(store)).toEqual(after);
  });

  it("answers each list of digests by itself", async () => {
    const inner = memoryStore();
    for (const one of [token, stranger]) await inner.insertToken(one);
    const store = attachCache(inner);
    const lists = [
      [token.digest, late.digest],
      [late.digest, token.digest],
      [token.digest],
      [stranger.digest, late.digest],
      [late.digest],
      [],
    ];
    for (let round = 0; round < 2; round++) {
      for (const list of lists) {
        expect(await store.findToken(list)).toEqual(await inner.findToken(list));
      }
    }
    await store.revokeToken(token.id, revocation);
    for (const list of lists) {
      expect(await store.findToken(list)).toEqual(await inner.findToken(list));
    }
  });
});
