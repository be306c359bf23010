import { toUser } from "../pure/user.ts";
import { expectEqual, expectRejection, settle } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import {
  revoked,
  sampleDigest,
  sampleRevocation,
  sampleSlotToken,
  sampleSuccessor,
  sampleToken,
  sampleUser,
} from "./sample.ts";
import { expectOnly, spoil, unowned } from "./stored.ts";

const RACERS = 25;

/** The contract of `TokenStore`. */
export const tokenLaws: readonly StoreLaw[] = [
  law("findToken returns a token exactly as it was inserted", async (store) => {
    const tokens = [
      sampleToken(1),
      sampleToken(2, { pepper: "2025-a", slot: "login", scopes: ["b:write", "a", "B:write"] }),
      sampleToken(3, { createdAt: 0, expiresAt: 0, scopes: ["one"] }),
      revoked(sampleToken(4, { expiresAt: 4_102_444_800_000 }), 1_700_000_000_001, "logged_out"),
      sampleToken(5, { createdAt: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER }),
      sampleToken(6, { epoch: 7, name: "laptop", hint: "lk_abcd", idleTimeout: 0, lastUsedAt: 0 }),
      sampleSuccessor(7, sampleToken(8, { family: "token-9" }), 1_700_000_000_002),
    ];
    for (const token of tokens) {
      expectEqual(await store.insertToken(token), token, "what insertToken returned");
    }
    for (const token of tokens) {
      expectEqual(await store.findToken([token.digest]), unowned(token), "the token");
    }
  }),

  law(
    "findToken returns revoked and expired tokens, because deciding is not its work",
    async (store) => {
      const token = sampleToken(1, { createdAt: 1, expiresAt: 2 });
      await store.insertToken(token);
      await store.revokeToken(token.id, sampleRevocation(3));
      const found = await store.findToken([token.digest]);
      expectEqual(found?.token, revoked(token, 3), "the revoked and expired token");
    },
  ),

  law("findToken returns null when no digest exists", async (store) => {
    await store.insertToken(sampleToken(1));
    expectEqual(await store.findToken([]), null, "no digests");
    expectEqual(await store.findToken([""]), null, "an empty digest");
    expectEqual(await store.findToken([sampleDigest(2)]), null, "an unknown digest");
    const unknown = [sampleDigest(2), sampleDigest(3), sampleDigest(4)];
    expectEqual(await store.findToken(unknown), null, "three unknown digests");
  }),

  law(
    "findToken finds the one of several digests that exists, wherever it stands",
    async (store) => {
      const token = sampleToken(1);
      await store.insertToken(token);
      await store.insertToken(sampleToken(9));
      for (let place = 0; place < 5; place++) {
        const digests = [11, 12, 13, 14, 15].map((seed, index) =>
          index === place ? token.digest : sampleDigest(seed)
        );
        expectEqual((await store.findToken(digests))?.token, token, `the digest at place ${place}`);
      }
      const twice = await store.findToken([token.digest, token.digest]);
      expectEqual(twice?.token, token, "the same digest twice");
    },
  ),

  law("findToken compares digests exactly, in the case they have", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    for (
      const digest of [
        token.digest.toUpperCase(),
        token.digest.slice(0, 63),
        `${token.digest} `,
        ` ${token.digest}`,
        `${token.digest}0`,
      ]
    ) {
      expectEqual(await store.findToken([digest]), null, `the digest ${JSON.stringify(digest)}`);
    }
  }),

  law("findToken returns the owner as it is now, and never the password", async (store) => {
    const owner = sampleUser(1, { isStaff: true });
    const token = sampleToken(1, { owner: owner.id });
    await store.insertUser(sampleUser(2));
    await store.insertUser(owner);
    await store.insertToken(token);
    const found = await store.findToken([token.digest]);
    expectEqual(found, { ...unowned(token), user: toUser(owner), epoch: 0 }, "the owner");
    await store.setActive(owner.id, false, { newEpoch: false });
    const later = await store.findToken([token.digest]);
    expectEqual(later?.user, { ...toUser(owner), isActive: false }, "the deactivated owner");
  }),

  law("findToken returns user null when the owner is no user", async (store) => {
    await store.insertUser(sampleUser(1));
    const owners = ["user-2", "USER-1", "user-1 ", "name-1", ""];
    for (const [index, owner] of owners.entries()) {
      const token = sampleToken(index, { owner });
      await store.insertToken(token);
      const found = await store.findToken([token.digest]);
      expectEqual(found, unowned(token), `the owner ${JSON.stringify(owner)}`);
    }
  }),

  law("insertToken rejects an existing id and changes nothing", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    const other = sampleToken(2, { id: token.id, owner: "user-2", slot: "login" });
    await expectRejection(store.insertToken(other), "the same id");
    await expectOnly(store, [token], [other]);
    const free = sampleSlotToken(3, "login", { owner: "user-2" });
    expectEqual(await store.ensureToken(free), unowned(free), "the slot of the rejected token");
  }),

  law("insertToken rejects an existing digest and changes nothing", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    const other = sampleToken(2, { digest: token.digest, owner: "user-2", scopes: ["all"] });
    await expectRejection(store.insertToken(other), "the same digest");
    await expectOnly(store, [token], []);
    expectEqual(
      await store.revokeToken(other.id, sampleRevocation(1)),
      false,
      "revoking the rejected token",
    );
  }),

  law("insertToken rejects a filled slot and changes nothing", async (store) => {
    const token = sampleToken(1, { slot: "login" });
    const other = sampleToken(2, { slot: "login" });
    await store.insertToken(token);
    await expectRejection(store.insertToken(other), "the same owner and slot");
    await expectOnly(store, [token], [other]);
  }),

  law("a slot belongs to one owner, and any number of tokens need none", async (store) => {
    const tokens = [
      sampleToken(1, { owner: "user-1", slot: "login" }),
      sampleToken(2, { owner: "user-2", slot: "login" }),
      sampleToken(3, { owner: "user-1", slot: "Login" }),
      sampleToken(4, { owner: "user-1", slot: "" }),
      sampleToken(5, { owner: "user-1", slot: null }),
      sampleToken(6, { owner: "user-1", slot: null }),
      sampleToken(7, { owner: "user-1l", slot: "ogin" }),
    ];
    for (const token of tokens) await store.insertToken(token);
    await expectOnly(store, tokens, []);
  }),

  law("ensureToken adds a token when the slot is empty", async (store) => {
    const token = sampleSlotToken(1, "login", { scopes: ["a", "b"], expiresAt: 5, pepper: "p" });
    expectEqual(await store.ensureToken(token), unowned(token), "the returned token");
    await expectOnly(store, [token], []);
    const others = [
      sampleSlotToken(2, "login", { owner: "user-2" }),
      sampleSlotToken(3, "session"),
    ];
    for (const other of others) {
      expectEqual(await store.ensureToken(other), unowned(other), "another slot");
    }
    await expectOnly(store, [token, ...others], []);
  }),

  law("ensureToken returns the token that fills the slot as it is, even expired", async (store) => {
    const token = sampleToken(1, { slot: "login", createdAt: 1, expiresAt: 2, scopes: ["old"] });
    await store.insertToken(token);
    const other = sampleSlotToken(2, "login", { scopes: ["new"], pepper: "new" });
    expectEqual(await store.ensureToken(other), unowned(token), "the token found");
    expectEqual(
      await store.ensureToken({ ...token, slot: "login" }),
      unowned(token),
      "the same token again",
    );
    await expectOnly(store, [token], [other]);
  }),

  law(
    "ensureToken rejects an id or digest that exists elsewhere and changes nothing",
    async (store) => {
      const token = sampleToken(1);
      await store.insertToken(token);
      const sameId = sampleSlotToken(2, "login", { id: token.id });
      const sameDigest = sampleSlotToken(3, "login", { digest: token.digest });
      await expectRejection(store.ensureToken(sameId), "the same id");
      await expectRejection(store.ensureToken(sameDigest), "the same digest");
      await expectOnly(store, [token], [sameId]);
      const free = sampleSlotToken(4, "login");
      expectEqual(await store.ensureToken(free), unowned(free), "the slot after the rejections");
    },
  ),

  law(
    "ensureToken adds one token however many callers race, and all of them receive it",
    async (store) => {
      const racers = Array.from({ length: RACERS }, (_, seed) => sampleSlotToken(seed, "login"));
      const received = await Promise.all(racers.map((token) => store.ensureToken(token)));
      const winner = racers.find((token) => token.id === received[0]?.token.id);
      for (const { token } of received) expectEqual(token, winner, "what a caller received");
      const stored = await Promise.all(racers.map((token) => store.findToken([token.digest])));
      expectEqual(stored.filter((found) => found !== null).length, 1, "the tokens stored");
    },
  ),

  law("revokeToken revokes once, and the first time stands", async (store) => {
    const token = sampleToken(1, { scopes: ["a"], expiresAt: 9 });
    const bystander = sampleToken(2);
    await store.insertToken(token);
    await store.insertToken(bystander);
    expectEqual(
      await store.revokeToken(token.id, sampleRevocation(1_000)),
      true,
      "the first revocation",
    );
    expectEqual(
      await store.revokeToken(token.id, sampleRevocation(2_000)),
      false,
      "the second revocation",
    );
    expectEqual(await store.revokeToken(token.id, sampleRevocation(500)), false, "an earlier time");
    await expectOnly(store, [revoked(token, 1_000), bystander], []);
  }),

  law("revokeToken takes 0 for a time like any other", async (store) => {
    const token = sampleToken(1);
    await store.insertToken(token);
    expectEqual(
      await store.revokeToken(token.id, sampleRevocation(0)),
      true,
      "the revocation at 0",
    );
    expectEqual(
      await store.revokeToken(token.id, sampleRevocation(1)),
      false,
      "the second revocation",
    );
    await expectOnly(store, [revoked(token, 0)], []);
  }),

  law(
    "revokeToken returns false for an id that does not exist, compared exactly",
    async (store) => {
      const token = sampleToken(1);
      await store.insertToken(token);
      for (const id of ["token-2", "TOKEN-1", "token-1 ", "", token.digest]) {
        expectEqual(
          await store.revokeToken(id, sampleRevocation(1)),
          false,
          `the id ${JSON.stringify(id)}`,
        );
      }
      await expectOnly(store, [token], []);
    },
  ),

  law("revokeToken empties the slot, so the next ensureToken adds a new token", async (store) => {
    const first = sampleSlotToken(1, "login");
    const second = sampleSlotToken(2, "login");
    await store.ensureToken(first);
    await store.revokeToken(first.id, sampleRevocation(1_000));
    expectEqual(await store.ensureToken(second), unowned(second), "the token after the revocation");
    await expectOnly(store, [revoked(first, 1_000), second], []);
    await store.revokeToken(second.id, sampleRevocation(2_000));
    const third = sampleToken(3, { slot: "login" });
    await store.insertToken(third);
    await expectOnly(store, [third, revoked(second, 2_000)], []);
    expectEqual(
      await store.revokeToken(first.id, sampleRevocation(3_000)),
      false,
      "the first token again",
    );
    await expectOnly(store, [third], []);
  }),

  law(
    "revokeToken returns true to exactly one of many callers, whose time is kept",
    async (store) => {
      const token = sampleToken(1, { slot: "login" });
      await store.insertToken(token);
      const times = Array.from({ length: RACERS }, (_, index) => 1_000 + index);
      const results = await Promise.all(
        times.map((time) => store.revokeToken(token.id, sampleRevocation(time))),
      );
      expectEqual(results.filter((isRevoked) => isRevoked).length, 1, "the callers told true");
      const revokedAt = times[results.indexOf(true)] ?? 0;
      await expectOnly(store, [revoked(token, revokedAt)], []);
    },
  ),

  {
    name: "hostile text in a token is kept literally or refused, and touches no other token",
    async run(open) {
      for (const { name, text, mayBeRefused } of hostileTexts) {
        const store = await open();
        const bystander = sampleToken(1, { slot: "login", scopes: ["a"] });
        await store.insertToken(bystander);
        const tokens = [
          sampleToken(2, { id: text }),
          sampleToken(3, { owner: text }),
          sampleToken(4, { pepper: text }),
          sampleToken(5, { slot: text }),
          sampleToken(8, { name: text }),
          sampleToken(9, { hint: text }),
          sampleToken(10, { family: text }),
          sampleSuccessor(11, sampleToken(12, { id: text, family: "f" }), 1),
        ];
        for (const token of tokens) {
          const { isRejected } = await settle(store.insertToken(token));
          if (isRejected && mayBeRefused) await expectOnly(store, [], [token]);
          else await expectOnly(store, isRejected ? [] : [token], [], `${name} in a token`);
          expectEqual(isRejected && !mayBeRefused, false, `${name} refused`);
        }
        const slotToken = sampleSlotToken(6, text, { owner: `${text}2` });
        const ensured = await settle(store.ensureToken(slotToken));
        if (!ensured.isRejected) expectEqual(ensured.value.token, slotToken, `${name} as a slot`);
        expectEqual(ensured.isRejected && !mayBeRefused, false, `${name} as a slot refused`);
        // A scope with white space is none by RFC 6749, so a store may refuse any of these.
        const scoped = sampleToken(7, { scopes: ["a", text, "b"] });
        const { isRejected } = await settle(store.insertToken(scoped));
        await expectOnly(store, isRejected ? [] : [scoped], isRejected ? [scoped] : [], name);
        await expectOnly(store, [bystander], [], `the token beside ${name}`);
      }
    },
  },

  law("hostile text in a search or a revocation matches nothing but itself", async (store) => {
    const token = sampleToken(1, { id: "a", slot: "login" });
    await store.insertToken(token);
    for (const { name, text } of hostileTexts) {
      expectEqual(await store.findToken([text]), null, `${name} as a digest`);
      expectEqual(await store.findToken([text, `${token.digest}${text}`]), null, `${name} behind`);
      const found = await store.findToken([text, token.digest]);
      expectEqual(found?.token, token, `a digest beside ${name}`);
      expectEqual(await store.revokeToken(text, sampleRevocation(1)), false, `${name} as an id`);
    }
    await expectOnly(store, [token], []);
  }),

  law("a token changed outside the store changes nothing inside it", async (store) => {
    const token = sampleToken(1, { scopes: ["a"], slot: "login" });
    const given = { ...token, scopes: [...token.scopes] };
    await store.insertToken(given);
    spoil(given);
    await expectOnly(store, [token], [], "after changing what was inserted");
    spoil((await store.findToken([token.digest]))?.token);
    await expectOnly(store, [token], [], "after changing what was found");
    const asked = { ...sampleSlotToken(2, "login"), scopes: ["b"] };
    spoil((await store.ensureToken(asked)).token);
    await expectOnly(store, [token], [], "after changing what ensureToken found");
    const added = sampleSlotToken(3, "session", { scopes: ["c"] });
    const addedGiven = { ...added, scopes: [...added.scopes] };
    spoil((await store.ensureToken(addedGiven)).token);
    await expectOnly(store, [added], [], "after changing what ensureToken added");
    spoil(addedGiven);
    await expectOnly(store, [added], [], "after changing what ensureToken was given");
  }),
];
