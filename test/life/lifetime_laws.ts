import {
  type AuthEvent,
  deleteUser,
  flushUses,
  hexFormat,
  type IssuedToken,
  issueToken,
  listTokens,
  type OwnedToken,
  prefixedFormat,
  pruneTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  type Store,
  StoreError,
  systemRandom,
  verifyToken,
} from "latchkey";
import { expect } from "vitest";
import { must, principalOf, reasonOf, seededNumbers, START } from "../fixture.ts";
import type { LifeLaw } from "./law.ts";
import { addUser, openWorld, surround } from "./world.ts";

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** When a token holds, and when it has ended. */
export const lifetimeLaws: readonly LifeLaw[] = [
  {
    name: "A7: a token holds up to the millisecond before its end, and a limit counts it so long",
    async run(open) {
      const { auth, clock, store } = await openWorld(open, { tokenLimit: 1 });
      for (const options of [{ expiresIn: 1_000 }, { expiresIn: null, idleTimeout: 1_000 }]) {
        const { auth: touching } = await openWorld(async () => [store], {
          touchInterval: 500,
          tokenLimit: 1,
          now: () => clock.now,
        });
        const user = await addUser(store);
        const issued = must(await issueToken(touching, user, options));
        const [start, full] = [clock.now, { ok: false, failure: { reason: "token_limit" } }];
        for (const now of [start, start + 1, start + 999]) {
          clock.now = now;
          expect(await reasonOf(auth, issued)).toBe("ok");
          expect(await issueToken(auth, user)).toEqual(full);
        }
        for (const now of [start + 1_000, start + 1_001, start + 100 * DAY]) {
          clock.now = now;
          expect(await reasonOf(auth, issued)).toMatch(/^(?:expired|idle)_token$/);
        }
        clock.now = start + 1_000;
        expect((await issueToken(auth, user)).ok).toBe(true);
      }
    },
  },
  {
    name: "A8: a token that is in use all the year ends at its absolute end",
    async run(open) {
      const { auth, clock, store } = await openWorld(open, { touchInterval: 60 * MINUTE });
      const user = await addUser(store);
      const options = { expiresIn: 30 * DAY, idleTimeout: DAY };
      const issued = must(await issueToken(auth, user, options));
      let held = 0;
      // Every ten minutes, far more often than a use is written, and every minute near the end.
      for (
        let minute = 0;
        minute < 366 * 1_440;
        minute += minute >= 43_190 && minute < 43_210 ? 1 : 10
      ) {
        clock.now = START + minute * MINUTE;
        if (await reasonOf(auth, issued) !== "ok") break;
        await flushUses(auth);
        held = minute;
      }
      expect(held).toBe(30 * 1_440 - 1);
      expect(await reasonOf(auth, issued)).toBe("expired_token");
    },
  },
  {
    name: "A9: servers whose clocks differ by ten minutes agree, and the last use never moves back",
    async run(open) {
      const [store, second = store] = await open();
      const { clock } = await openWorld(async () => [store]);
      const serve = async (handle: Store, skew: number) =>
        (await openWorld(async () => [handle], {
          touchInterval: MINUTE,
          now: () => clock.now + skew * MINUTE,
        })).auth;
      const [early, late] = [await serve(store, -5), await serve(second, 5)];
      const user = await addUser(store);
      const issued = must(await issueToken(late, user, { idleTimeout: 60 * MINUTE }));
      expect(issued.token.createdAt).toBe(START + 5 * MINUTE);
      const used: number[] = [];
      for (const auth of [early, late, early, late, early]) {
        expect(await reasonOf(auth, issued)).toBe("ok");
        await flushUses(auth);
        used.push((await principalOf(auth, issued)).token.lastUsedAt ?? 0);
        clock.now += MINUTE;
      }
      expect(used).toEqual([...used].sort((left, right) => left - right));
      expect(used.at(-1)).toBeGreaterThan(START);
      await revokeToken(late, issued.token.id);
      clock.now -= 365 * DAY;
      expect([await reasonOf(early, issued), await reasonOf(late, issued)])
        .toEqual(["revoked_token", "revoked_token"]);
    },
  },
  {
    name: "A9: times are milliseconds, before and after 2038 and over a day without 24 hours",
    async run(open) {
      for (
        const now of [
          Date.UTC(2038, 0, 19, 3, 14, 7, 999),
          Date.UTC(2026, 2, 29),
          4_102_444_800_000,
        ]
      ) {
        const { auth, clock, store } = await openWorld(open);
        clock.now = now;
        const user = await addUser(store);
        const issued = must(await issueToken(auth, user, { expiresIn: DAY }));
        expect(issued.token).toMatchObject({ createdAt: now, expiresAt: now + DAY });
        expect((await principalOf(auth, issued)).token).toEqual(issued.token);
        clock.now = now + DAY;
        expect(await reasonOf(auth, issued)).toBe("expired_token");
      }
    },
  },
  {
    name:
      "A10: when the owner is disabled, deleted or has a new password, every token fails at the next request on every server",
    async run(open) {
      const { auth, auths, store } = await openWorld(open, { touchInterval: MINUTE });
      for (
        const end of [
          (id: string) => setPassword(auth, id, null),
          (id: string) => setActive(auth, id, false),
          (id: string) => deleteUser(auth, id),
        ]
      ) {
        const user = await addUser(store);
        const tokens: IssuedToken[] = [];
        for (let count = 0; count < 3; count++) tokens.push(must(await issueToken(auth, user)));
        tokens.push(must(await rotateToken(auth, tokens[0]?.text.reveal() ?? "")));
        for (const server of auths) {
          for (const token of tokens) expect(await reasonOf(server, token)).toBe("ok");
        }
        await end(user.id);
        for (const server of auths) {
          for (const token of tokens) expect(await reasonOf(server, token)).not.toBe("ok");
          await flushUses(server);
        }
        const marked = await store.listTokens(user.id, { limit: 9 });
        expect(marked.every(({ token }) => token.revokedAt !== null)).toBe(true);
      }
      expect(await store.pruneTokens(START, 99)).toBe(12);
    },
  },
  {
    name: "A12: a replay of a rotated token ends its family and no other, and tells of it once",
    async run(open) {
      const events: AuthEvent[] = [];
      const { auth, clock, store } = await openWorld(open, {
        onEvent: (event) => events.push(event),
      });
      const user = await addUser(store);
      const other = must(await issueToken(auth, user));
      const line = [must(await issueToken(auth, user))];
      for (let count = 0; count < 4; count++) {
        clock.now += 30_000;
        line.push(must(await rotateToken(auth, line.at(-1)?.text.reveal() ?? "")));
      }
      expect(await reasonOf(auth, line[3] ?? other)).toBe("ok");
      expect(await reasonOf(auth, line[1] ?? other)).toBe("rotated_token");
      for (const token of line) expect(await reasonOf(auth, token)).toBe("revoked_token");
      expect(await reasonOf(auth, other)).toBe("ok");
      expect(events.filter(({ type }) => type === "token_reused")).toEqual([{
        type: "token_reused",
        at: clock.now,
        owner: user.id,
        token: line[1]?.token.id,
        family: line[0]?.token.id,
        count: 5,
      }]);
      const { tokens } = must(await listTokens(auth, user.id));
      expect(tokens.filter(({ revokedReason }) => revokedReason === "reused")).toHaveLength(5);
    },
  },
  {
    name: "A13: pruning deletes what a model says, of random lives",
    async run(open) {
      const seed = Number(systemRandom(3).join("")) >>> 0;
      const draw = seededNumbers(seed);
      for (let round = 0; round < 15; round++) {
        const { auth, clock, store } = await openWorld(open, { touchInterval: 1 });
        const user = await addUser(store);
        const lives: IssuedToken[] = [];
        for (let step = 0; step < 40; step++) {
          clock.now += draw(20);
          const token = lives[draw(lives.length)];
          const action = draw(6);
          if (token === undefined || action < 2) {
            lives.push(must(
              await issueToken(auth, user, {
                expiresIn: draw(2) === 0 ? null : 1 + draw(300),
                idleTimeout: draw(3) === 0 ? 2 + draw(200) : null,
              }),
            ));
          } else if (action === 2) await revokeToken(auth, token.token.id);
          else if (action < 5) {
            const next = await rotateToken(auth, token.text.reveal(), { overlap: 1 + draw(100) });
            if (next.ok) lives.push(next.value);
          } else {
            await verifyToken(auth, token.text.reveal());
            await flushUses(auth);
          }
        }
        clock.now += draw(200);
        const retention = 1 + draw(300);
        const before = await store.listTokens(user.id, { limit: 99 });
        const kept = keep(before, clock.now - retention);
        const label = `seed ${seed}, round ${round}`;
        expect(await pruneTokens(auth, { retention, batch: 1 + draw(7) }), label)
          .toBe(before.length - kept.length);
        const after = await store.listTokens(user.id, { limit: 99 });
        expect(after.map(({ token }) => token.id), label).toEqual(kept);
      }
    },
  },
  {
    name:
      "A15: a token of one instance does not hold on another with other peppers or another prefix",
    async run(open) {
      const [store, second = store] = await open();
      const pepper = (id: string) => ({ id, key: systemRandom(32) });
      const serve = async (handle: Store, options: Parameters<typeof openWorld>[1]) =>
        (await openWorld(async () => [handle], options)).auth;
      const user = await addUser(store);
      const [a, b, acme, plain] = [
        await serve(store, { peppers: [pepper("a")] }),
        await serve(second, { peppers: [pepper("b")] }),
        await serve(second, { formats: [prefixedFormat({ prefix: "acme" })] }),
        await serve(store, {}),
      ];
      const same = await serve(second, { peppers: [pepper("a")] });
      const issued = must(await issueToken(a, user));
      expect(await reasonOf(a, issued)).toBe("ok");
      for (const other of [b, same, plain]) {
        expect(await reasonOf(other, issued)).toBe("unknown_token");
      }
      expect(await reasonOf(acme, issued)).toBe("malformed_token");
      const foreign = must(await issueToken(acme, user));
      expect(await reasonOf(plain, foreign)).toBe("malformed_token");
      expect(await reasonOf(a, must(await issueToken(plain, user)))).toBe("unknown_token");
    },
  },
  {
    name: "K8: a pepper is brought in and taken out; a rotation writes under the new one",
    async run(open) {
      const [store] = await open();
      const [first, second] = [{ id: "1", key: systemRandom(32) }, {
        id: "2",
        key: systemRandom(32),
      }];
      const serve = async (
        ...peppers: NonNullable<Parameters<typeof openWorld>[1]>["peppers"] & object
      ) =>
        (await openWorld(async () => [store], { peppers, formats: [prefixedFormat(), hexFormat] }))
          .auth;
      const user = await addUser(store);
      const plain = must(await issueToken(await serve("none"), user));
      const one = must(await issueToken(await serve(first, "none"), user));
      const both = await serve(second, first, "none");
      for (const token of [plain, one]) expect(await reasonOf(both, token)).toBe("ok");
      const moved = [
        must(await rotateToken(both, plain.text.reveal())),
        must(await rotateToken(both, one.text.reveal())),
      ];
      const alone = await serve(second);
      for (const token of moved) expect(await reasonOf(alone, token)).toBe("ok");
      for (const token of [plain, one]) expect(await reasonOf(alone, token)).toBe("unknown_token");
      const renamed = await serve({ id: "3", key: second.key });
      for (const token of moved) expect(await reasonOf(renamed, token)).toBe("unknown_token");
    },
  },
  {
    name:
      "C10: a read that is behind lets a revoked token pass until it catches up, and revives nothing",
    async run(open) {
      const [store] = await open();
      let behind: OwnedToken | null = null;
      const replica = surround(
        store,
        async (verb, run) => verb === "findToken" && behind !== null ? behind : await run(),
      );
      const { auth, clock } = await openWorld(async () => [replica], { touchInterval: 1 });
      const user = await addUser(store);
      const issued = must(await issueToken(auth, user));
      expect(await reasonOf(auth, issued)).toBe("ok");
      await flushUses(auth);
      behind = await store.findToken([auth.digest(issued.text.reveal()).digest]);
      await revokeToken(auth, issued.token.id);
      clock.now += 10;
      expect(await reasonOf(auth, issued)).toBe("ok");
      expect(await rotateToken(auth, issued.text.reveal())).toMatchObject({
        failure: { reason: "revoked_token" },
      });
      await flushUses(auth);
      behind = null;
      expect(await reasonOf(auth, issued)).toBe("revoked_token");
      const stored = await store.findToken([auth.digest(issued.text.reveal()).digest]);
      expect(stored?.token.lastUsedAt).toBe(START);
    },
  },
  {
    name: "C11: what a store should not answer is a refusal or a StoreError, never a principal",
    async run(open) {
      const { auth, store } = await openWorld(open);
      const user = await addUser(store);
      const issued = must(await issueToken(auth, user));
      const other = must(await issueToken(auth, await addUser(store)));
      const find = async ({ text }: IssuedToken) =>
        await store.findToken([auth.digest(text.reveal()).digest]);
      const [right, wrong] = [await find(issued), await find(other)];
      const answers: readonly unknown[] = [
        undefined,
        0,
        "row",
        [],
        {},
        [right],
        wrong,
        { ...right, user: wrong?.user },
        { ...right, token: wrong?.token },
        { ...right, user: undefined },
        { ...right, user: { ...right?.user, isActive: 1 } },
        { ...right, epoch: "0" },
        { ...right, epoch: 0n },
        { ...right, successor: {} },
        { ...right, successor: undefined },
        { ...right, token: null },
        ...[
          { digest: null },
          { digest: new Uint8Array(32) },
          { digest: right?.token.digest.toUpperCase() },
          { digest: right?.token.digest.slice(0, 63) },
          { pepper: "other" },
          { pepper: undefined },
          { scopes: null },
          { scopes: undefined },
          { owner: 7 },
          { epoch: undefined },
          { revokedAt: undefined },
          { revokedAt: 0 },
          { expiresAt: undefined },
          { expiresAt: "2099-01-01" },
          { expiresAt: new Date(START + DAY) },
          { expiresAt: BigInt(START + DAY) },
          { idleTimeout: undefined },
          { idleTimeout: "1000" },
        ].map((changes) => ({ ...right, token: { ...right?.token, ...changes } })),
      ];
      for (const [index, answer] of answers.entries()) {
        const lying = surround(
          store,
          async (verb, run) => verb === "findToken" ? answer : await run(),
        );
        const server = (await openWorld(async () => [lying])).auth;
        const outcome = await reasonOf(server, issued).catch((error: unknown) => error);
        const isRefused = outcome instanceof StoreError ||
          (typeof outcome === "string" && outcome.endsWith("_token")) ||
          outcome === "inactive_user";
        expect(isRefused, `answer ${index}: ${outcome}`).toBe(true);
      }
    },
  },
  {
    name: "C12: a token that ended while the store was asked is refused",
    async run(open) {
      const [store] = await open();
      for (const options of [{ expiresIn: 1_000 }, { expiresIn: null, idleTimeout: 1_000 }]) {
        const { auth, clock } = await openWorld(async () => [store], { touchInterval: 500 });
        const issued = must(await issueToken(auth, await addUser(store), options));
        const slow = surround(store, async (verb, run) => {
          const value = await run();
          if (verb === "findToken") clock.now += 1_000;
          return value;
        });
        const server = (await openWorld(async () => [slow], {
          touchInterval: 500,
          now: () => clock.now,
        })).auth;
        expect(await reasonOf(server, issued)).toMatch(/^(?:expired|idle)_token$/);
      }
    },
  },
];

/** The ids of the tokens that outlive a pruning, in the order of the list. */
function keep(tokens: readonly OwnedToken[], before: number): readonly string[] {
  const byId = new Map(tokens.map((owned) => [owned.token.id, owned]));
  const hasEnded = ({ token, successor }: OwnedToken): boolean => {
    const lastUse = Math.max(token.createdAt, token.lastUsedAt ?? 0);
    return (token.revokedAt !== null && token.revokedAt <= before) ||
      (token.expiresAt !== null && token.expiresAt <= before) ||
      (token.idleTimeout !== null && lastUse + token.idleTimeout <= before) ||
      (successor !== null && successor.overlapUntil <= before);
  };
  /** A token goes when all that it came from has gone or goes with it. */
  const goes = (owned: OwnedToken): boolean => {
    const predecessor = byId.get(owned.token.rotation?.predecessor ?? "");
    return hasEnded(owned) && (predecessor === undefined || goes(predecessor));
  };
  return tokens.filter((owned) => !goes(owned)).map(({ token }) => token.id);
}
