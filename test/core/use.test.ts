import { type AuthOptions, flushUses, issueToken, type TokenUse, verifyToken } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, principalOf, reasonOf, START } from "../fixture.ts";

const MINUTE = 60_000;

/** A store that notes what it is asked to write, and may fail or wait before it does. */
function watchTouches(intercept: (uses: readonly TokenUse[]) => Promise<void> = async () => {}) {
  const store = memoryStore();
  const touches: (readonly TokenUse[])[] = [];
  const watched = {
    ...store,
    async touchTokens(uses: readonly TokenUse[]) {
      touches.push(uses);
      await intercept(uses);
      await store.touchTokens(uses);
    },
  };
  return { store: watched, touches };
}

async function setUp(options: Partial<AuthOptions> = {}) {
  const { auth, clock } = makeAuth(options);
  const ada = await makeUser(auth, "ada");
  const issued = must(await issueToken(auth, ada));
  const lastUsedAt = async () =>
    (await auth.store.listTokens(ada.id, { limit: 1 }))[0]?.token.lastUsedAt;
  return { auth, clock, ada, issued, lastUsedAt };
}

describe("the use of a token", () => {
  it("is written after the answer, at most once per token and interval", async () => {
    const { store, touches } = watchTouches();
    const { auth, clock, issued, lastUsedAt } = await setUp({ store, touchInterval: MINUTE });
    const verifyAt = async (at: number) => {
      clock.now = START + at;
      expect(await reasonOf(auth, issued)).toBe("ok");
      await flushUses(auth);
      return await lastUsedAt();
    };
    expect(await verifyAt(0)).toBe(START);
    expect(await verifyAt(MINUTE - 1)).toBe(START);
    expect(touches).toHaveLength(1);
    expect(await verifyAt(MINUTE)).toBe(START + MINUTE);
    expect(await verifyAt(2 * MINUTE)).toBe(START + 2 * MINUTE);
    expect(touches).toHaveLength(3);
  });

  it("A9: never moves backwards, whatever the clock does", async () => {
    const { store, touches } = watchTouches();
    const { auth, clock, issued, lastUsedAt } = await setUp({ store });
    for (const at of [10 * MINUTE, 0, 5 * MINUTE, -10 * MINUTE]) {
      clock.now = START + at;
      expect(await reasonOf(auth, issued)).toBe("ok");
      await flushUses(auth);
      expect(await lastUsedAt()).toBe(START + 10 * MINUTE);
    }
    expect(touches).toHaveLength(1);
  });

  it("R14: of 50 verifications at once is written once", async () => {
    const { store, touches } = watchTouches();
    const { auth, issued } = await setUp({ store });
    const verifications = Array.from({ length: 50 }, () => reasonOf(auth, issued));
    expect(new Set(await Promise.all(verifications))).toEqual(new Set(["ok"]));
    await flushUses(auth);
    expect(touches).toEqual([[{ id: issued.token.id, usedAt: START }]]);
  });

  it("is written together with those that come while a write is under way, 500 at a time", async () => {
    const gate: { open: () => void } = { open: () => {} };
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    const { store, touches } = watchTouches(() => opened);
    const { auth, ada, issued } = await setUp({ store });
    const tokens = [];
    for (let count = 0; count < 600; count++) tokens.push(must(await issueToken(auth, ada)));
    await reasonOf(auth, issued);
    await Promise.resolve();
    for (const token of tokens) await reasonOf(auth, token);
    expect(touches).toHaveLength(1);
    gate.open();
    await flushUses(auth);
    expect(touches.map((uses) => uses.length)).toEqual([1, 500, 100]);
    expect(auth.uses.latest.size).toBe(0);
  });

  it("C3: is bounded while a write hangs, and verification goes on", async () => {
    const { store } = watchTouches(() => new Promise(() => {}));
    const { auth, issued } = await setUp({ store });
    for (let count = 0; count < 10_000; count++) {
      auth.uses.latest.set(`${count}`, { id: `${count}`, usedAt: START });
    }
    expect(await reasonOf(auth, issued)).toBe("ok");
    expect(auth.uses.latest.size).toBe(10_000);
    expect(auth.uses.latest.has(issued.token.id)).toBe(false);
  });

  it("C3: is given up when the write fails, and the next one is written again", async () => {
    let isBroken = true;
    const { store, touches } = watchTouches(async () => {
      if (isBroken) throw new Error("locked");
    });
    const { auth, issued, lastUsedAt } = await setUp({ store });
    expect(await reasonOf(auth, issued)).toBe("ok");
    await flushUses(auth);
    expect(await lastUsedAt()).toBeNull();
    isBroken = false;
    expect(await reasonOf(auth, issued)).toBe("ok");
    await flushUses(auth);
    expect([await lastUsedAt(), touches.length]).toEqual([START, 2]);
  });

  it("hands the writing to waitUntil, only when there is something to write", async () => {
    const { auth, issued, lastUsedAt } = await setUp();
    const handed: Promise<void>[] = [];
    const waitUntil = (work: Promise<void>) => void handed.push(work);
    must(await verifyToken(auth, issued.text.reveal(), { waitUntil }));
    expect(handed).toHaveLength(1);
    await Promise.all(handed);
    expect(await lastUsedAt()).toBe(START);
    must(await verifyToken(auth, issued.text.reveal(), { waitUntil }));
    await verifyToken(auth, "lk_typo", { waitUntil });
    expect(handed).toHaveLength(1);
  });

  it("is not written where nobody asks for it, nor for a token that is refused", async () => {
    const { store, touches } = watchTouches();
    const { auth, issued } = await setUp({ store, touchInterval: null });
    expect(await reasonOf(auth, issued)).toBe("ok");
    await flushUses(auth);
    const { auth: other, clock, issued: expiring } = await setUp({ store: watchTouches().store });
    clock.now = expiring.token.expiresAt ?? 0;
    expect(await reasonOf(other, expiring)).toBe("expired_token");
    expect([touches, other.uses.latest.size]).toEqual([[], 0]);
  });

  it("keeps a token with an idle timeout alive, as the principal sees", async () => {
    const { auth, clock, ada } = await setUp();
    const issued = must(await issueToken(auth, ada, { idleTimeout: 3 * MINUTE, expiresIn: null }));
    for (let round = 0; round < 10; round++) {
      clock.now += 2 * MINUTE;
      await principalOf(auth, issued);
      await flushUses(auth);
    }
    expect((await principalOf(auth, issued)).token.lastUsedAt).toBe(clock.now);
    clock.now += 3 * MINUTE;
    expect(await reasonOf(auth, issued)).toBe("idle_token");
  });

  it("flushUses ends at once when there is nothing to write", async () => {
    await flushUses(makeAuth().auth);
  });
});
