import {
  type AuthEvent,
  issueToken,
  listTokens,
  pruneTokens,
  revokeToken,
  rotateToken,
  StoreError,
  verifyPassword,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf } from "../fixture.ts";

const DAY = 86_400_000;

describe("pruneTokens()", () => {
  it("A13: keeps what ended within the retention, what holds, and what never ends", async () => {
    const { auth, clock } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const forever = must(await issueToken(auth, ada, { name: "for ever", expiresIn: null }));
    const ended = must(await issueToken(auth, ada, { name: "expired", expiresIn: DAY }));
    const revoked = must(await issueToken(auth, ada, { name: "revoked", expiresIn: null }));
    await revokeToken(auth, revoked.token.id);
    const old = must(await issueToken(auth, ada, { name: "line", expiresIn: null }));
    must(await rotateToken(auth, old.text.reveal()));
    const names = async () =>
      must(await listTokens(auth, ada.id)).tokens.map(({ name }) => name).sort();

    clock.now += 30 * DAY - 1;
    expect(await pruneTokens(auth)).toBe(0);
    clock.now += 1;
    expect(await pruneTokens(auth)).toBe(1);
    expect(await names()).toEqual(["expired", "for ever", "line", "line"]);
    clock.now += 60_000;
    expect(await pruneTokens(auth)).toBe(1);
    expect(await names()).toEqual(["expired", "for ever", "line"]);
    expect(await pruneTokens(auth, { retention: 1 })).toBe(1);
    expect(await names()).toEqual(["for ever", "line"]);
    clock.now += 1_000 * DAY;
    expect(await pruneTokens(auth, { retention: 1 })).toBe(0);
    expect([await reasonOf(auth, forever), await reasonOf(auth, ended)])
      .toEqual(["ok", "unknown_token"]);
  });

  it("works in bounded steps until nothing is left", async () => {
    const store = memoryStore();
    const limits: number[] = [];
    const { auth, clock } = makeAuth({
      store: {
        ...store,
        pruneTokens(before, limit) {
          limits.push(limit);
          return store.pruneTokens(before, limit);
        },
      },
    });
    for (let count = 0; count < 7; count++) must(await issueToken(auth, "1", { expiresIn: 1 }));
    clock.now += DAY;
    expect(await pruneTokens(auth, { retention: 1, batch: 3 })).toBe(7);
    expect(limits).toEqual([3, 3, 3]);
    expect(await pruneTokens(auth, { retention: 1 })).toBe(0);
    expect(limits.at(-1)).toBe(1_000);
  });

  it("B11: deletes counts of attempts once they no longer matter, in bounded steps", async () => {
    const store = memoryStore();
    const deleted: (readonly [number, number])[] = [];
    const events: AuthEvent[] = [];
    const keys = new Set<string>();
    const { auth, clock } = makeAuth({
      loginLimits: {
        account: { max: 1, window: 1_000, longest: DAY },
        address: null,
        global: { max: 99, window: DAY },
      },
      onEvent: (event) => events.push(event),
      store: {
        ...store,
        takeAttempts(limits, now) {
          for (const { key } of limits) keys.add(key);
          return store.takeAttempts(limits, now);
        },
        async pruneAttempts(before, limit) {
          const count = await store.pruneAttempts(before, limit);
          deleted.push([limit, count]);
          return count;
        },
      },
    });
    const fail = async (username: string) =>
      (await verifyPassword(auth, { username, password: "x" })).ok;
    // An instant at which no window was over.
    const begun = clock.now;
    const left = async () => (await store.findAttempts([...keys], begun)).length;
    for (let count = 0; count < 7; count++) await fail(`user-${count}`);
    expect(await left()).toBe(8);
    clock.now += 1_999;
    expect(await pruneTokens(auth, { batch: 3 })).toBe(0);
    expect(await left()).toBe(8);
    // Its window is the second in a row, so it lasts for two seconds and matters for four.
    await fail("user-0");
    clock.now += 1;
    expect(await pruneTokens(auth, { batch: 3 })).toBe(0);
    expect(await left()).toBe(2);
    expect(deleted).toEqual([[3, 0], [3, 3], [3, 3], [3, 0]]);
    expect(events.at(-1)).toEqual({ type: "tokens_pruned", at: clock.now, count: 0 });
    clock.now += 3_999;
    await pruneTokens(auth);
    expect(await left()).toBe(1);
    expect(deleted.at(-1)).toEqual([1_000, 1]);
    clock.now = begun + 2 * DAY;
    await pruneTokens(auth, { retention: 999 * DAY });
    expect(await left()).toBe(0);
  });

  it("B11: rejects with a StoreError when counts of attempts cannot be deleted", async () => {
    const pruneAttempts = () => Promise.reject(new Error("SELECT secret"));
    const { auth, clock } = makeAuth({ store: { ...memoryStore(), pruneAttempts } });
    must(await issueToken(auth, "1", { expiresIn: 1 }));
    clock.now += 2;
    await expect(pruneTokens(auth, { retention: 1 })).rejects.toThrow(StoreError);
    expect(must(await listTokens(auth, "1")).tokens).toHaveLength(0);
  });

  it.each([{ batch: 0 }, { batch: 1.5 }, { batch: NaN }, { retention: 0 }, { retention: -1 }])(
    "refuses %j and deletes nothing",
    async (options) => {
      const { auth, clock } = makeAuth();
      must(await issueToken(auth, "1", { expiresIn: 1 }));
      clock.now += 100 * DAY;
      await expect(pruneTokens(auth, options)).rejects.toThrow(RangeError);
      expect(must(await listTokens(auth, "1")).tokens).toHaveLength(1);
    },
  );

  it("A12: an old token is known as reused for as long as it is kept", async () => {
    const { auth, clock } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const old = must(await issueToken(auth, ada, { expiresIn: null }));
    const next = must(await rotateToken(auth, old.text.reveal()));
    clock.now += 29 * DAY;
    await pruneTokens(auth);
    expect(await reasonOf(auth, next)).toBe("ok");
    expect(await reasonOf(auth, old)).toBe("rotated_token");
    expect(await reasonOf(auth, next)).toBe("revoked_token");
  });
});
