import { expectEqual } from "./expectation.ts";
import { law, type StoreLaw } from "./law.ts";
import {
  revoked,
  sampleRevocation,
  sampleSlotToken,
  sampleSuccessor,
  sampleToken,
} from "./sample.ts";
import { expectOnly, spoil, unowned } from "./stored.ts";

const RACERS = 10;

/** The contract of `rotateToken` and of the successor that lookups return. */
export const rotationLaws: readonly StoreLaw[] = [
  law("rotateToken adds the successor and leaves the predecessor as it is", async (store) => {
    const token = sampleToken(1, { expiresAt: 9, slot: "login" });
    const successor = sampleSuccessor(2, token, 5_000, { name: "b", hint: "lk_b", scopes: ["a"] });
    await store.insertToken(token);
    expectEqual(await store.rotateToken(successor), successor, "the successor");
    const { id } = successor;
    const owned = { ...unowned(token), successor: { id, overlapUntil: 5_000 } };
    expectEqual(await store.findToken([token.digest]), owned, "the predecessor");
    expectEqual(await store.findToken([successor.digest]), unowned(successor), "the new token");
    expectEqual((await store.listTokens(token.owner, { limit: 9 })).length, 2, "the tokens listed");
    const again = sampleSlotToken(3, "login");
    expectEqual(await store.ensureToken(again), owned, "the predecessor in its slot");
  }),

  law("rotateToken returns the successor there is, and adds no second one", async (store) => {
    const token = sampleToken(1);
    const first = sampleSuccessor(2, token, 5_000);
    const second = sampleSuccessor(3, token, 9_000, { scopes: ["all"] });
    await store.insertToken(token);
    await store.rotateToken(first);
    expectEqual(await store.rotateToken(second), first, "a second rotation");
    expectEqual(await store.rotateToken(first), first, "the same rotation again");
    await store.revokeToken(first.id, sampleRevocation(7));
    expectEqual(await store.rotateToken(second), revoked(first, 7), "after its revocation");
    await expectOnly(store, [token, revoked(first, 7)], [second]);
    const next = sampleSuccessor(4, first, 6_000);
    expectEqual(await store.rotateToken(next), null, "rotating the revoked successor");
  }),

  law("rotateToken adds one token to the end of any line", async (store) => {
    let last = sampleToken(0);
    await store.insertToken(last);
    for (let seed = 1; seed <= 5; seed++) {
      const successor = sampleSuccessor(seed, last, seed);
      expectEqual(await store.rotateToken(successor), successor, `rotation ${seed}`);
      last = successor;
    }
    expectEqual(await store.findToken([last.digest]), unowned(last), "the last of the line");
  }),

  law("rotateToken returns null for a predecessor that is unknown or revoked", async (store) => {
    const token = sampleToken(1);
    const unknown = sampleSuccessor(2, sampleToken(9), 5);
    await store.insertToken(token);
    expectEqual(await store.rotateToken(unknown), null, "an unknown predecessor");
    await store.revokeToken(token.id, sampleRevocation(3));
    const successor = sampleSuccessor(4, token, 5);
    expectEqual(await store.rotateToken(successor), null, "a revoked predecessor");
    await expectOnly(store, [revoked(token, 3)], [unknown, successor]);
  }),

  law("rotateToken passes over expiry, which is not its work", async (store) => {
    const token = sampleToken(1, { createdAt: 1, expiresAt: 2, idleTimeout: 1 });
    const successor = sampleSuccessor(2, token, 5);
    await store.insertToken(token);
    expectEqual(await store.rotateToken(successor), successor, "the successor");
  }),

  law(
    "rotateToken adds one successor however many callers race, and all receive it",
    async (store) => {
      const token = sampleToken(99);
      await store.insertToken(token);
      const racers = Array.from(
        { length: RACERS },
        (_, seed) => sampleSuccessor(seed, token, seed),
      );
      const received = await Promise.all(racers.map((racer) => store.rotateToken(racer)));
      const winner = racers.find(({ id }) => id === received[0]?.id);
      for (const successor of received) expectEqual(successor, winner, "what a caller received");
      const stored = await Promise.all(racers.map(({ digest }) => store.findToken([digest])));
      expectEqual(stored.filter((found) => found !== null).length, 1, "the successors stored");
    },
  ),

  law("no live token is left of a family that is revoked while it rotates", async (store) => {
    for (let round = 0; round < 10; round++) {
      const token = sampleToken(100 + round);
      const successor = sampleSuccessor(200 + round, token, 5);
      await store.insertToken(token);
      const [received, isRevoked] = await Promise.all([
        store.rotateToken(successor),
        store.revokeToken(token.id, sampleRevocation(7)),
      ]);
      expectEqual(isRevoked, true, "the revocation beside a rotation");
      if (received !== null) expectEqual(received, successor, "the rotation beside a revocation");
      await store.revokeFamily(token.family, sampleRevocation(8));
      const found = await store.findToken([successor.digest]);
      expectEqual(found === null, received === null, "the successor that was promised");
      if (found !== null) expectEqual(found.token, revoked(successor, 8), "the successor");
      await expectOnly(store, [revoked(token, 7)], []);
    }
  }),

  law("insertToken rejects a second successor of one token and changes nothing", async (store) => {
    const token = sampleToken(1);
    const [first, second] = [sampleSuccessor(2, token, 5), sampleSuccessor(3, token, 6)];
    for (const added of [token, first]) await store.insertToken(added);
    const outcome = await store.insertToken(second).then(() => "added", () => "rejected");
    expectEqual(outcome, "rejected", "the second successor");
    await expectOnly(store, [token, first], [second]);
  }),

  law("a rotation changed outside the store changes nothing inside it", async (store) => {
    const token = sampleToken(1);
    const successor = sampleSuccessor(2, token, 5, { scopes: ["a"] });
    const given = { ...successor, scopes: ["a"], rotation: { ...successor.rotation } };
    await store.insertToken(token);
    spoil(await store.rotateToken(given));
    spoil(given);
    spoil(await store.rotateToken(successor));
    await expectOnly(store, [successor], []);
    const inserted = sampleToken(3);
    spoil(await store.insertToken(inserted));
    await expectOnly(store, [inserted], []);
  }),
];
