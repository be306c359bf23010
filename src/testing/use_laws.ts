import { expectEqual } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import { revoked, sampleRevocation, sampleToken } from "./sample.ts";
import { expectOnly } from "./stored.ts";

const RACERS = 25;

/** The contract of `touchTokens`. */
export const useLaws: readonly StoreLaw[] = [
  law("touchTokens notes the use of many tokens and changes nothing else", async (store) => {
    const tokens = [
      sampleToken(1, { expiresAt: 5, idleTimeout: 5, slot: "login", name: "a", scopes: ["a"] }),
      sampleToken(2, { lastUsedAt: 99 }),
      sampleToken(3, { createdAt: 900 }),
    ];
    const bystander = sampleToken(4, { lastUsedAt: 3 });
    for (const token of [...tokens, bystander]) await store.insertToken(token);
    await store.touchTokens(tokens.map(({ id }, index) => ({ id, usedAt: 100 + index })));
    const used = tokens.map((token, index) => ({ ...token, lastUsedAt: 100 + index }));
    await expectOnly(store, [...used, bystander], []);
    await store.touchTokens([]);
    await store.touchTokens([{ id: bystander.id, usedAt: Number.MAX_SAFE_INTEGER }]);
    const last = { ...bystander, lastUsedAt: Number.MAX_SAFE_INTEGER };
    await expectOnly(store, [...used, last], []);
  }),

  law("touchTokens moves the last use only forwards", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    let latest = 0;
    for (const usedAt of [0, 50, 50, 49, 0, 51, 20]) {
      await store.touchTokens([{ id: token.id, usedAt }]);
      latest = Math.max(latest, usedAt);
      await expectOnly(store, [{ ...token, lastUsedAt: latest }], []);
    }
  }),

  law("touchTokens takes the latest of several uses of one token", async (store) => {
    const [token, other] = [sampleToken(1), sampleToken(2)];
    for (const added of [token, other]) await store.insertToken(added);
    const times = [70, 90, 9, 80];
    const uses = times.flatMap((usedAt) => [
      { id: token.id, usedAt },
      { id: other.id, usedAt: usedAt + 1 },
    ]);
    await store.touchTokens(uses);
    await expectOnly(store, [{ ...token, lastUsedAt: 90 }, { ...other, lastUsedAt: 91 }], []);
  }),

  law("touchTokens passes over unknown ids, whatever they contain", async (store) => {
    const token = sampleToken(1, { id: "a" });
    await store.insertToken(token);
    const strangers = [...hostileTexts.map(({ text }) => text), "A", "a ", "", "b"];
    const uses = strangers.map((id) => ({ id, usedAt: 90 }));
    await store.touchTokens(uses);
    await expectOnly(store, [token], []);
    await store.touchTokens([...uses, { id: token.id, usedAt: 7 }, ...uses]);
    await expectOnly(store, [{ ...token, lastUsedAt: 7 }], []);
  }),

  law("touchTokens never changes a revoked token", async (store) => {
    const token = sampleToken(1, { lastUsedAt: 3 });
    const unused = sampleToken(2);
    for (const added of [token, unused]) await store.insertToken(added);
    await store.revokeTokens("user-1", sampleRevocation(5));
    await store.touchTokens([{ id: token.id, usedAt: 9 }, { id: unused.id, usedAt: 9 }]);
    await expectOnly(store, [revoked(token, 5), revoked(unused, 5)], []);
  }),

  law("touchTokens that races with a revocation never undoes it", async (store) => {
    const tokens = Array.from({ length: RACERS }, (_, seed) => sampleToken(seed));
    for (const token of tokens) await store.insertToken(token);
    const uses = tokens.map(({ id }) => ({ id, usedAt: 50 }));
    await Promise.all(tokens.flatMap(({ id }) => [
      store.touchTokens(uses),
      store.revokeToken(id, sampleRevocation(60)),
      store.touchTokens([{ id, usedAt: 70 }]),
    ]));
    for (const token of tokens) {
      const found = await store.findToken([token.digest]);
      const lastUsedAt = found?.token.lastUsedAt ?? null;
      expectEqual(found?.token, { ...revoked(token, 60), lastUsedAt }, "the revoked token");
    }
  }),

  law("touchTokens that race with each other leave the latest use", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    const times = Array.from({ length: RACERS }, (_, index) => 100 + (index * 7) % RACERS);
    await Promise.all(times.map((usedAt) => store.touchTokens([{ id: token.id, usedAt }])));
    await expectOnly(store, [{ ...token, lastUsedAt: 100 + RACERS - 1 }], []);
  }),
];
