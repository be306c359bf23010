import type { RevokedReason } from "../pure/record.ts";
import { expectEqual } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import {
  revoked,
  sampleRevocation,
  sampleSlotToken,
  sampleSuccessor,
  sampleToken,
} from "./sample.ts";
import { expectOnly, unowned } from "./stored.ts";

const RACERS = 25;

/** The contract of revoking with an owner, with a reason, and many at once. */
export const revocationLaws: readonly StoreLaw[] = [
  law("revokeToken keeps the reason, and the first one stands", async (store) => {
    const reasons: readonly RevokedReason[] = [
      "revoked",
      "logged_out",
      "superseded",
      "reused",
      "password_changed",
      "user_deactivated",
      "user_deleted",
    ];
    for (const [seed, reason] of reasons.entries()) {
      const token = sampleToken(seed, { owner: `user-${seed}`, name: "a", lastUsedAt: 2 });
      await store.insertToken(token);
      expectEqual(await store.revokeToken(token.id, { at: 5, reason }), true, reason);
      for (const other of reasons) {
        const again = { at: 6, reason: other };
        expectEqual(await store.revokeToken(token.id, again), false, `${reason} and ${other}`);
        await store.revokeTokens(token.owner, again);
        await store.revokeFamily(token.family, again);
      }
      await expectOnly(store, [revoked(token, 5, reason)], []);
    }
  }),

  law("revokeToken with an owner revokes only a token of that owner", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    for (const owner of ["user-2", "USER-1", "user-1 ", "", "%", token.id]) {
      const what = `the owner ${JSON.stringify(owner)}`;
      expectEqual(await store.revokeToken(token.id, sampleRevocation(5), owner), false, what);
    }
    for (const { name, text } of hostileTexts) {
      expectEqual(await store.revokeToken(token.id, sampleRevocation(5), text), false, name);
      expectEqual(await store.revokeToken(text, sampleRevocation(5), token.owner), false, name);
    }
    await expectOnly(store, [token], []);
    expectEqual(await store.revokeToken(token.id, sampleRevocation(5), "user-1"), true, "its own");
    await expectOnly(store, [revoked(token, 5)], []);
  }),

  law("revokeTokens revokes every token of an owner and empties their slots", async (store) => {
    const tokens = [
      sampleToken(1, { expiresAt: 1 }),
      sampleToken(2, { slot: "login", epoch: 9 }),
      sampleToken(3, { lastUsedAt: 4 }),
    ];
    const earlier = revoked(sampleToken(4), 2, "reused");
    const foreign = sampleToken(5, { owner: "user-2", family: "token-1", slot: "login" });
    for (const token of [...tokens, earlier, foreign]) await store.insertToken(token);
    expectEqual(await store.revokeTokens("user-9", sampleRevocation(5)), 0, "nobody's tokens");
    for (const { name, text } of hostileTexts) {
      expectEqual(await store.revokeTokens(text, sampleRevocation(5)), 0, name);
    }
    const revocation = sampleRevocation(6, "password_changed");
    expectEqual(await store.revokeTokens("user-1", revocation), 3, "how many");
    expectEqual(await store.revokeTokens("user-1", sampleRevocation(7)), 0, "how many again");
    const gone = tokens.map((token) => revoked(token, 6, "password_changed"));
    await expectOnly(store, [...gone, earlier, foreign], []);
    const fresh = sampleSlotToken(6, "login");
    expectEqual(await store.ensureToken(fresh), unowned(fresh), "the emptied slot");
  }),

  law("revokeTokens leaves out one token when it is told to", async (store) => {
    const tokens = [1, 2, 3].map((seed) => sampleToken(seed));
    const foreign = sampleToken(4, { owner: "user-2" });
    for (const token of [...tokens, foreign]) await store.insertToken(token);
    const kept = sampleToken(2);
    expectEqual(await store.revokeTokens("user-1", sampleRevocation(6), kept.id), 2, "all others");
    await expectOnly(store, [kept, foreign], []);
    expectEqual(await store.revokeTokens("user-1", sampleRevocation(7), foreign.id), 1, "the last");
    await expectOnly(store, [revoked(kept, 7), revoked(sampleToken(1), 6), foreign], []);
    for (const [seed, { name, text }] of hostileTexts.entries()) {
      const token = sampleToken(50 + seed);
      await store.insertToken(token);
      expectEqual(await store.revokeTokens("user-1", sampleRevocation(8), text), 1, name);
    }
  }),

  law("revokeFamily revokes every token of a family and no other", async (store) => {
    const first = sampleToken(1, { slot: "login" });
    const second = sampleSuccessor(2, first, 5);
    const third = sampleSuccessor(3, second, 6);
    const others = [
      sampleToken(4),
      sampleToken(5, { family: "TOKEN-1" }),
      sampleToken(6, { family: "token-1 " }),
    ];
    for (const token of [first, second, third, ...others]) await store.insertToken(token);
    await store.revokeToken(second.id, sampleRevocation(7));
    for (const { name, text } of hostileTexts) {
      expectEqual(await store.revokeFamily(text, sampleRevocation(8)), 0, name);
    }
    expectEqual(await store.revokeFamily("token-2", sampleRevocation(8)), 0, "a later id");
    expectEqual(await store.revokeFamily("token-1", sampleRevocation(8, "reused")), 2, "how many");
    expectEqual(await store.revokeFamily("token-1", sampleRevocation(9)), 0, "how many again");
    const gone = [revoked(first, 8, "reused"), revoked(second, 7), revoked(third, 8, "reused")];
    await expectOnly(store, [...gone, ...others], []);
  }),

  law(
    "each token is revoked by exactly one of many callers, one by one or together",
    async (store) => {
      const tokens = Array.from({ length: RACERS }, (_, seed) => sampleToken(seed));
      for (const token of tokens) await store.insertToken(token);
      const counts = await Promise.all(tokens.flatMap(({ id }, index) => [
        store.revokeToken(id, sampleRevocation(index)).then(Number),
        store.revokeTokens("user-1", sampleRevocation(1_000 + index), id),
        store.revokeFamily(id, sampleRevocation(2_000 + index)),
      ]));
      expectEqual(counts.reduce((sum, count) => sum + count, 0), RACERS, "all revocations counted");
    },
  ),
];
