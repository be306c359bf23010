import type { Store } from "../ports/store.ts";
import { toUser } from "../pure/user.ts";
import { expectEqual, expectRejection } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import {
  sampleRevocation,
  sampleSlotToken,
  sampleSuccessor,
  sampleToken,
  sampleUser,
} from "./sample.ts";
import { expectOnly, unowned } from "./stored.ts";

const RACERS = 25;
const KEEP = { newEpoch: false };
const NEXT = { newEpoch: true };

/** The contract of a user's epoch, and of deleting a user. */
export const epochLaws: readonly StoreLaw[] = [
  law("a token without an epoch of its own takes its owner's, or 0", async (store) => {
    const user = sampleUser(1, { epoch: 4 });
    await store.insertUser(user);
    const owned = { user: toUser(user), epoch: 4, successor: null };
    const token = sampleToken(1, { epoch: 4 });
    expectEqual(await store.insertToken({ ...token, epoch: null }), token, "the owner's epoch");
    expectEqual(await store.findToken([token.digest]), { ...owned, token }, "the token found");
    const limited = sampleToken(2, { epoch: 4 });
    const limit = { max: 9, now: 1 };
    expectEqual(await store.insertToken({ ...limited, epoch: null }, limit), limited, "a limit");
    const ensured = sampleSlotToken(3, "login", { epoch: 4 });
    const asked = { ...ensured, epoch: null };
    expectEqual(await store.ensureToken(asked), { ...owned, token: ensured }, "a slot");
    const orphan = sampleToken(4, { owner: "user-2", epoch: 0 });
    expectEqual(await store.insertToken({ ...orphan, epoch: null }), orphan, "no such user");
    const other = sampleSlotToken(5, "login", { owner: "user-2", epoch: 0 });
    expectEqual(await store.ensureToken({ ...other, epoch: null }), unowned(other), "their slot");
    const given = sampleToken(6, { epoch: 3 });
    expectEqual(await store.insertToken(given), given, "an epoch of its own");
    const first = sampleToken(7, { epoch: 0 });
    expectEqual(await store.insertToken(first), first, "an epoch of 0");
  }),

  law("startEpoch moves one user's epoch by one and changes no token", async (store) => {
    const users = [sampleUser(1), sampleUser(2)];
    const token = sampleToken(1);
    for (const user of users) await store.insertUser(user);
    await store.insertToken({ ...token, epoch: null });
    for (let epoch = 1; epoch <= 3; epoch++) {
      expectEqual(await store.startEpoch("user-1"), true, `the epoch ${epoch}`);
      await expectEpochs(store, { "user-1": epoch, "user-2": 0 });
      expectEqual(
        await store.findToken([token.digest]),
        { ...unowned(token), user: toUser(sampleUser(1, { epoch })), epoch },
        "a token of before",
      );
    }
    const fresh = sampleToken(2, { epoch: 3 });
    expectEqual(await store.insertToken({ ...fresh, epoch: null }), fresh, "a token of now");
    const listed = await store.listTokens("user-1", { limit: 9 });
    const epochs = listed.map((owned) => [owned.token.epoch, owned.epoch]);
    expectEqual(epochs, [[3, 3], [0, 3]], "the epochs of the tokens listed");
    for (const id of ["user-3", "USER-1", "name-1", "", ...hostileTexts.map(({ text }) => text)]) {
      expectEqual(await store.startEpoch(id), false, `the id ${JSON.stringify(id)}`);
    }
    await expectEpochs(store, { "user-1": 3, "user-2": 0 });
  }),

  law("startEpoch counts every one of many callers", async (store) => {
    await store.insertUser(sampleUser(1));
    const callers = Array.from({ length: RACERS }, () => store.startEpoch("user-1"));
    expectEqual((await Promise.all(callers)).every((isStarted) => isStarted), true, "the answers");
    await expectEpochs(store, { "user-1": RACERS });
  }),

  law(
    "replacePassword moves the epoch when it is told to and only when it replaces",
    async (store) => {
      for (const seed of [1, 2]) await store.insertUser(sampleUser(seed, { password: "$old$" }));
      await store.replacePassword("user-1", "$a$", KEEP);
      await store.replacePassword("user-1", "$b$", { ...KEEP, expected: "$a$" });
      await expectEpochs(store, { "user-1": 0, "user-2": 0 });
      await store.replacePassword("user-1", "$c$", NEXT);
      await expectEpochs(store, { "user-1": 1, "user-2": 0 });
      await store.replacePassword("user-1", "$d$", { ...NEXT, expected: "$c$" });
      await expectEpochs(store, { "user-1": 2, "user-2": 0 });
      const isReplaced = await store.replacePassword("user-1", "$e$", { ...NEXT, expected: "$c$" });
      expectEqual(isReplaced, false, "a text that is there no more");
      await expectEpochs(store, { "user-1": 2, "user-2": 0 });
      expectEqual(await store.replacePassword("user-1", null, NEXT), true, "no password");
      await expectEpochs(store, { "user-1": 3, "user-2": 0 });
      const user = sampleUser(1, { password: null, epoch: 3 });
      expectEqual(await store.findUser("user-1"), user, "the user");
    },
  ),

  law("setActive moves the epoch when it is told to", async (store) => {
    for (const seed of [1, 2]) await store.insertUser(sampleUser(seed));
    await store.setActive("user-1", false, KEEP);
    await expectEpochs(store, { "user-1": 0, "user-2": 0 });
    await store.setActive("user-1", false, NEXT);
    await store.setActive("user-1", true, NEXT);
    await expectEpochs(store, { "user-1": 2, "user-2": 0 });
    expectEqual(await store.findUser("user-1"), sampleUser(1, { epoch: 2 }), "the user");
  }),

  law(
    "a token of an epoch that has passed stays told from those of now, whatever races with it",
    async (store) => {
      const user = sampleUser(1);
      await store.insertUser(user);
      const token = sampleToken(500);
      await store.insertToken(token);
      const racers = Array.from({ length: RACERS }, (_, seed) => sampleToken(seed));
      const [isStarted, rotated] = await Promise.all([
        store.startEpoch(user.id),
        store.rotateToken(sampleSuccessor(501, token, 9)),
        ...racers.map((racer) => store.insertToken(racer)),
        ...racers.map(({ id }) => store.touchTokens([{ id, usedAt: 5 }])),
      ]);
      expectEqual(isStarted, true, "the new epoch");
      expectEqual(rotated === null, false, "the rotation beside it");
      const listed = await store.listTokens(user.id, { limit: 2 * RACERS });
      expectEqual(listed.length, RACERS + 2, "the tokens");
      for (const owned of listed) {
        expectEqual(
          [owned.token.epoch, owned.epoch],
          [0, 1],
          "the epochs of a token and its owner",
        );
      }
      const slotToken = sampleSlotToken(502, "login", { epoch: 0 });
      const ensured = await store.ensureToken(slotToken);
      expectEqual([ensured.token.epoch, ensured.epoch], [0, 1], "the epochs of a slot's token");
    },
  ),

  law("a token that takes its owner's epoch takes it at one instant", async (store) => {
    await store.insertUser(sampleUser(1));
    const tokens = Array.from({ length: RACERS }, (_, seed) => sampleToken(seed));
    const added: number[] = [];
    await Promise.all(tokens.flatMap((token) => [
      store.insertToken({ ...token, epoch: null }).then((record) =>
        added.push(record?.epoch ?? -1)
      ),
      store.startEpoch("user-1"),
    ]));
    expectEqual(added.every((epoch) => epoch >= 0 && epoch <= RACERS), true, "the epochs");
    const listed = await store.listTokens("user-1", { limit: RACERS });
    const stored = listed.map(({ token }) => token.epoch);
    expectEqual(stored.sort(compare), added.sort(compare), "the epochs stored");
  }),

  law("deleteUser leaves no token a user, and the username free", async (store) => {
    const user = sampleUser(1);
    const other = sampleUser(2);
    for (const added of [user, other]) await store.insertUser(added);
    const token = sampleToken(1);
    const foreign = sampleToken(2, { owner: "user-2" });
    for (const added of [token, foreign]) await store.insertToken(added);
    for (const id of ["user-3", "USER-1", "name-1", "", ...hostileTexts.map(({ text }) => text)]) {
      expectEqual(await store.deleteUser(id), false, `the id ${JSON.stringify(id)}`);
    }
    expectEqual(await store.deleteUser(user.id), true, "the deletion");
    expectEqual(await store.deleteUser(user.id), false, "the deletion again");
    expectEqual(await store.findUser(user.id), null, "the user by id");
    expectEqual(await store.findUserByName(user.username), null, "the user by name");
    expectEqual(await store.setActive(user.id, true, NEXT), false, "a change afterwards");
    expectEqual(await store.startEpoch(user.id), false, "an epoch afterwards");
    const found = await store.findToken([token.digest]);
    expectEqual([found?.user ?? null, found?.epoch ?? null], [null, null], "the token's owner");
    expectEqual((await store.findToken([foreign.digest]))?.user, toUser(other), "the other's");
    await store.revokeTokens(user.id, sampleRevocation(5, "user_deleted"));
    await expectOnly(store, [foreign], []);
    const next = sampleUser(3, { username: user.username });
    expectEqual(await store.insertUser(next), true, "the username again");
    await expectRejection(store.insertUser(sampleUser(9, { id: "user-2" })), "an id that is taken");
  }),

  law(
    "deleteUser returns true to exactly one of many callers, and no token survives",
    async (store) => {
      await store.insertUser(sampleUser(1));
      const tokens = Array.from({ length: RACERS }, (_, seed) => sampleToken(seed));
      const deletions: boolean[] = [];
      await Promise.all(tokens.flatMap((token) => [
        store.insertToken({ ...token, epoch: null }),
        store.deleteUser("user-1").then((isDeleted) => deletions.push(isDeleted)),
      ]));
      expectEqual(deletions.filter((isDeleted) => isDeleted).length, 1, "the callers told true");
      const listed = await store.listTokens("user-1", { limit: 2 * RACERS });
      for (const { user } of listed) expectEqual(user, null, "the owner of a token");
    },
  ),
];

function compare(left: number, right: number): number {
  return left - right;
}

async function expectEpochs(
  store: Store,
  epochs: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [id, epoch] of Object.entries(epochs)) {
    expectEqual((await store.findUser(id))?.epoch, epoch, `the epoch of ${id}`);
  }
}
