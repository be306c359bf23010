import type { Store } from "../ports/store.ts";
import type { OwnedToken, TokenRecord } from "../pure/record.ts";
import { expectEqual } from "./expectation.ts";
import { law, type StoreLaw } from "./law.ts";
import {
  revoked,
  sampleRevocation,
  sampleSlotToken,
  sampleSuccessor,
  sampleToken,
  sampleUser,
  seedRandom,
} from "./sample.ts";
import { expectOnly, unowned } from "./stored.ts";

const BEFORE = 1_000;
const ROUNDS = 8;
const TOKENS = 60;

/** The contract of `pruneTokens`. */
export const pruneLaws: readonly StoreLaw[] = [
  law(
    "pruneTokens deletes what stopped holding at or before the instant, and no more",
    async (store) => {
      await store.insertUser(sampleUser(1, { epoch: 1 }));
      const ended = [
        sampleToken(1, { expiresAt: BEFORE }),
        sampleToken(2, { expiresAt: 0 }),
        revoked(sampleToken(3), BEFORE),
        revoked(sampleToken(4, { expiresAt: BEFORE + 1 }), 0, "reused"),
        sampleToken(5, { createdAt: 900, idleTimeout: 100 }),
        sampleToken(6, { createdAt: 1, lastUsedAt: 900, idleTimeout: 100 }),
        sampleToken(7, { createdAt: 900, lastUsedAt: 1, idleTimeout: 100, expiresAt: BEFORE + 1 }),
        sampleToken(8, { expiresAt: 1, owner: "user-2" }),
      ];
      const rotated = sampleToken(9);
      const successor = sampleSuccessor(10, rotated, BEFORE);
      const overlapping = sampleToken(11);
      const kept = [
        sampleToken(21, { createdAt: 1 }),
        sampleToken(22, { createdAt: 1, expiresAt: BEFORE + 1 }),
        revoked(sampleToken(23, { createdAt: 1 }), BEFORE + 1),
        sampleToken(24, { createdAt: 900, idleTimeout: 101 }),
        sampleToken(25, { createdAt: 1, lastUsedAt: 901, idleTimeout: 100 }),
        sampleToken(26, { createdAt: 1, lastUsedAt: 1, slot: "login", epoch: 1 }),
        overlapping,
        sampleSuccessor(12, overlapping, BEFORE + 1),
        successor,
      ];
      for (const token of [...ended, rotated, ...kept]) await store.insertToken(token);
      expectEqual(await store.pruneTokens(BEFORE, 100), ended.length + 1, "how many");
      await expectOnly(store, kept, [...ended, rotated]);
      expectEqual(await store.pruneTokens(BEFORE, 100), 0, "how many again");
    },
  ),

  law("pruneTokens deletes at most as many as it is told", async (store) => {
    const tokens = Array.from({ length: 10 }, (_, seed) => sampleToken(seed, { expiresAt: seed }));
    const kept = sampleToken(20);
    for (const token of [...tokens, kept]) await store.insertToken(token);
    expectEqual(await store.pruneTokens(BEFORE, 0), 0, "none of ten");
    for (const expected of [4, 4, 2, 0]) {
      expectEqual(await store.pruneTokens(BEFORE, 4), expected, "four of what is left");
    }
    await expectOnly(store, [kept], tokens);
  }),

  law("pruneTokens frees the id, the digest and the slot", async (store) => {
    const token = sampleSlotToken(1, "login", { expiresAt: 1 });
    await store.insertToken(token);
    expectEqual(await store.pruneTokens(BEFORE, 9), 1, "how many");
    expectEqual(await store.ensureToken({ ...token, expiresAt: null }), {
      ...unowned(token),
      token: { ...token, expiresAt: null },
    }, "the same token again");
  }),

  law(
    "pruneTokens keeps a successor while its predecessor would hold again without it",
    async (store) => {
      const first = sampleToken(1);
      const second = sampleSuccessor(2, first, BEFORE + 500);
      const third = sampleSuccessor(3, second, BEFORE - 500);
      for (const token of [first, second, third]) await store.insertToken(token);
      await store.revokeToken(third.id, sampleRevocation(BEFORE));
      expectEqual(await store.pruneTokens(BEFORE, 9), 0, "while the first still holds");
      await expectOnly(store, [first, second, revoked(third, BEFORE)], []);
      const found = await store.findToken([second.digest]);
      const successor = { id: third.id, overlapUntil: BEFORE - 500 };
      expectEqual(found?.successor, successor, "the successor that ends the second");
      expectEqual(await store.pruneTokens(BEFORE + 500, 2), 2, "two of the line");
      await expectOnly(store, [revoked(third, BEFORE)], [first, second]);
      expectEqual(await store.pruneTokens(BEFORE + 500, 2), 1, "the last of the line");
    },
  ),

  law("pruneTokens keeps a token that was used meanwhile", async (store) => {
    const token = sampleToken(1, { createdAt: 1, idleTimeout: 100 });
    await store.insertToken(token);
    await store.touchTokens([{ id: token.id, usedAt: BEFORE - 99 }]);
    expectEqual(await store.pruneTokens(BEFORE, 9), 0, "after the use");
    await expectOnly(store, [{ ...token, lastUsedAt: BEFORE - 99 }], []);
    for (let seed = 2; seed < 12; seed++) {
      const racer = sampleToken(seed, { createdAt: 1, idleTimeout: 100 });
      await store.insertToken(racer);
      const [, count] = await Promise.all([
        store.touchTokens([{ id: racer.id, usedAt: BEFORE }]),
        store.pruneTokens(BEFORE, 9),
      ]);
      const used = { ...racer, lastUsedAt: BEFORE };
      await expectOnly(store, count === 0 ? [used] : [], count === 0 ? [] : [racer]);
    }
  }),

  {
    name: "pruneTokens deletes exactly what a model of random tokens says, and revives none",
    async run(open) {
      for (let round = 0; round < ROUNDS; round++) {
        const random = seedRandom(round);
        const store = await open();
        const tokens = makeTokens(random);
        for (const token of tokens) await store.insertToken(token);
        const before = random(100);
        const limit = 1 + random(20);
        const expected = modelPrune(tokens, before);
        const held = new Map<string, OwnedToken | null>();
        for (const { digest } of tokens) held.set(digest, await store.findToken([digest]));
        await pruneAll(store, before, limit, expected.size, `seed ${round}`);
        for (const { id, digest } of tokens) {
          const wanted = expected.has(id) ? null : held.get(digest);
          expectEqual(await store.findToken([digest]), wanted, `${id} with the seed ${round}`);
        }
      }
    },
  },

  law("pruneTokens that race with each other delete each token once", async (store) => {
    const tokens = Array.from({ length: 40 }, (_, seed) => sampleToken(seed, { expiresAt: seed }));
    for (const token of tokens) await store.insertToken(token);
    const counts = await Promise.all(tokens.map(() => store.pruneTokens(BEFORE, 3)));
    expectEqual(counts.every((count) => count <= 3), true, "the limit of each");
    expectEqual(counts.reduce((sum, count) => sum + count, 0), tokens.length, "all of them");
  }),
];

/** Prunes until nothing is left to do. Only a call that has nothing more to do may stay below the limit. */
async function pruneAll(
  store: Store,
  before: number,
  limit: number,
  expected: number,
  what: string,
): Promise<void> {
  for (let left = expected; left > 0;) {
    const count = await store.pruneTokens(before, limit);
    expectEqual(count, Math.min(limit, left), `how many of ${left}, at most ${limit}, ${what}`);
    left -= count;
  }
  expectEqual(await store.pruneTokens(before, limit), 0, `nothing more, ${what}`);
}

/** The ids of the tokens that ended, as did all those they came from. */
function modelPrune(tokens: readonly TokenRecord[], before: number): ReadonlySet<string> {
  const doomed = new Set<string>();
  // A token stands behind the one it came from.
  for (const token of tokens) {
    const predecessor = token.rotation?.predecessor;
    if (predecessor !== undefined && !doomed.has(predecessor)) continue;
    const successor = tokens.find(({ rotation }) => rotation?.predecessor === token.id);
    const usedAt = Math.max(token.createdAt, token.lastUsedAt ?? token.createdAt);
    const idleEnd = token.idleTimeout === null ? Infinity : usedAt + token.idleTimeout;
    const overlapEnd = successor?.rotation?.overlapUntil ?? Infinity;
    const ends = [token.revokedAt ?? Infinity, token.expiresAt ?? Infinity, idleEnd, overlapEnd];
    if (Math.min(...ends) <= before) doomed.add(token.id);
  }
  return doomed;
}

function makeTokens(random: (below: number) => number): readonly TokenRecord[] {
  const tokens: TokenRecord[] = [];
  for (let seed = 0; seed < TOKENS; seed++) {
    const time = () => random(3) === 0 ? random(110) : null;
    const revokedAt = random(6) === 0 ? random(110) : null;
    const changes: Partial<TokenRecord> = {
      owner: `user-${random(3)}`,
      createdAt: random(60),
      expiresAt: time(),
      idleTimeout: random(3) === 0 ? random(60) : null,
      lastUsedAt: time(),
      revokedAt,
      revokedReason: revokedAt === null ? null : "revoked",
    };
    const free = tokens.filter(({ id }) =>
      tokens.every(({ rotation }) => rotation?.predecessor !== id)
    );
    const predecessor = random(2) === 0 ? free[random(free.length)] : undefined;
    tokens.push(
      predecessor === undefined
        ? sampleToken(seed, changes)
        : sampleSuccessor(seed, predecessor, random(110), changes),
    );
  }
  return tokens;
}
