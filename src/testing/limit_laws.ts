import { expectEqual } from "./expectation.ts";
import { law, type StoreLaw } from "./law.ts";
import { revoked, sampleRevocation, sampleSuccessor, sampleToken, sampleUser } from "./sample.ts";
import { expectOnly } from "./stored.ts";

const RACERS = 50;
const NOW = 1_000;

/** The contract of `insertToken` with a limit. */
export const limitLaws: readonly StoreLaw[] = [
  law("insertToken with a limit adds up to it and then returns null", async (store) => {
    const tokens = [1, 2, 3, 4].map((seed) => sampleToken(seed, { createdAt: seed }));
    const [first = sampleToken(1), second = sampleToken(2), ...refused] = tokens;
    const limit = { max: 2, now: NOW };
    expectEqual(await store.insertToken(first, limit), first, "the first of two");
    expectEqual(await store.insertToken(second, limit), second, "the second of two");
    for (const token of refused) {
      expectEqual(await store.insertToken(token, limit), null, "one more than the limit");
    }
    await expectOnly(store, [first, second], refused);
    const other = sampleToken(5, { owner: "user-2" });
    expectEqual(await store.insertToken(other, limit), other, "a token of another owner");
    expectEqual(await store.insertToken(refused[0] ?? first), refused[0], "without a limit");
    expectEqual(
      await store.insertToken(sampleToken(6, { owner: "user-3" }), { max: 0, now: NOW }),
      null,
      "a limit of 0",
    );
    await store.revokeToken(first.id, sampleRevocation(NOW));
    const third = sampleToken(7);
    expectEqual(await store.insertToken(third, { max: 3, now: NOW }), third, "after a revocation");
  }),

  law(
    "insertToken counts the tokens that are live at the instant, and no others",
    async (store) => {
      await store.insertUser(sampleUser(1, { epoch: 3 }));
      const live = [
        sampleToken(1, { expiresAt: NOW + 1 }),
        sampleToken(2, { createdAt: NOW - 10, idleTimeout: 11 }),
        sampleToken(3, { createdAt: 1, lastUsedAt: NOW - 10, idleTimeout: 11 }),
        sampleToken(4, { createdAt: NOW - 10, lastUsedAt: 1, idleTimeout: 11 }),
        sampleToken(5, { expiresAt: Number.MAX_SAFE_INTEGER, idleTimeout: NOW }),
      ].map((token) => ({ ...token, epoch: 3 }));
      const ended = [
        sampleToken(11, { epoch: 3, expiresAt: NOW }),
        sampleToken(12, { epoch: 3, expiresAt: NOW - 1 }),
        sampleToken(13, { epoch: 3, createdAt: NOW - 10, idleTimeout: 10 }),
        sampleToken(14, { epoch: 3, createdAt: 1, lastUsedAt: NOW - 10, idleTimeout: 10 }),
        sampleToken(15, { epoch: 3, expiresAt: 0 }),
        revoked(sampleToken(16, { epoch: 3 }), NOW + 5),
        sampleToken(17, { epoch: 2 }),
        sampleToken(18, { epoch: 4 }),
      ];
      for (const token of [...live, ...ended]) await store.insertToken(token);
      const more = sampleToken(21, { epoch: 3 });
      expectEqual(await store.insertToken(more, { max: 5, now: NOW }), null, "five live tokens");
      expectEqual(await store.insertToken(more, { max: 6, now: NOW }), more, "one below the limit");
      const successor = sampleSuccessor(22, more, NOW + 100);
      await store.rotateToken(successor);
      const last = sampleToken(23, { epoch: 3 });
      expectEqual(
        await store.insertToken(last, { max: 6, now: NOW }),
        null,
        "a rotated token and its successor, of which one is live",
      );
      expectEqual(await store.insertToken(last, { max: 7, now: NOW }), last, "one below again");
      const later = sampleToken(24, { epoch: 3 });
      expectEqual(
        await store.insertToken(later, { max: 7, now: NOW + 1 }),
        later,
        "an instant at which four have ended",
      );
    },
  ),

  law("insertToken counts tokens of any epoch while their owner is no user", async (store) => {
    for (const epoch of [0, 1, 2]) await store.insertToken(sampleToken(epoch, { epoch }));
    const limit = { max: 3, now: NOW };
    expectEqual(await store.insertToken(sampleToken(4), limit), null, "three tokens");
  }),

  law(
    "insertToken with a limit adds exactly that many, however many callers race",
    async (store) => {
      const tokens = Array.from({ length: RACERS }, (_, seed) => sampleToken(seed));
      const inserted = await Promise.all(
        tokens.map((token) => store.insertToken(token, { max: 5, now: NOW })),
      );
      const ids = inserted.flatMap((token) => token === null ? [] : [token.id]);
      expectEqual(ids.length, 5, "the callers who received a token");
      const listed = await store.listTokens("user-1", { limit: RACERS });
      expectEqual(listed.map(({ token }) => token.id).sort(), ids.sort(), "the tokens stored");
    },
  ),
];
