import type { Store, TokenPage } from "../ports/store.ts";
import { toUser } from "../pure/user.ts";
import { expectEqual, settle } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";
import { revoked, sampleRevocation, sampleSuccessor, sampleToken, sampleUser } from "./sample.ts";
import { expectOnly, spoil, unowned } from "./stored.ts";

/** The contract of `listTokens` and `renameToken`. */
export const listLaws: readonly StoreLaw[] = [
  law("listTokens returns all tokens of one owner, whether they hold or not", async (store) => {
    const user = sampleUser(1, { epoch: 2 });
    await store.insertUser(user);
    const tokens = [
      sampleToken(5, { name: "e", scopes: ["a", "b"], epoch: 2 }),
      sampleToken(4, { expiresAt: 1 }),
      revoked(sampleToken(3), 9, "superseded"),
      sampleToken(2, { slot: "login", lastUsedAt: 8, idleTimeout: 0 }),
    ];
    const others = ["user-2", "USER-1", "user-1 ", "user-%", ""];
    for (const [seed, owner] of others.entries()) {
      await store.insertToken(sampleToken(20 + seed, { owner }));
    }
    for (const token of tokens) await store.insertToken(token);
    const expected = tokens.map((token) => ({ ...unowned(token), user: toUser(user), epoch: 2 }));
    expectEqual(await store.listTokens("user-1", { limit: 9 }), expected, "the tokens listed");
    expectEqual(await store.listTokens("user-9", { limit: 9 }), [], "an owner without tokens");
    const other = await store.listTokens("user-2", { limit: 9 });
    const [foreign] = others.map((owner, seed) => sampleToken(20 + seed, { owner }));
    expectEqual(other, foreign === undefined ? [] : [unowned(foreign)], "another owner");
  }),

  law("listTokens returns the successor of a token beside it", async (store) => {
    const token = sampleToken(1);
    const successor = sampleSuccessor(2, token, 5);
    await store.insertToken(token);
    await store.rotateToken(successor);
    const expected = [
      unowned(successor),
      { ...unowned(token), successor: { id: successor.id, overlapUntil: 5 } },
    ];
    expectEqual(await store.listTokens(token.owner, { limit: 9 }), expected, "both tokens");
  }),

  law(
    "listTokens returns the newest first, and those of one instant by descending id",
    async (store) => {
      const tokens = [
        sampleToken(1, { createdAt: 30 }),
        sampleToken(9, { createdAt: 20 }),
        sampleToken(5, { createdAt: 20 }),
        sampleToken(4, { createdAt: 20 }),
        sampleToken(7, { createdAt: 10 }),
        sampleToken(8, { createdAt: 0 }),
      ];
      for (const index of [3, 0, 5, 2, 4, 1]) {
        const token = tokens[index];
        if (token !== undefined) await store.insertToken(token);
      }
      expectEqual(await listIds(store, { limit: 9 }), tokens.map(({ id }) => id), "all of them");
      for (let limit = 0; limit <= tokens.length + 1; limit++) {
        const expected = tokens.slice(0, limit).map(({ id }) => id);
        expectEqual(await listIds(store, { limit }), expected, `a page of ${limit}`);
      }
      const between = { createdAt: 20, id: "token-6" };
      const expected = ["token-5", "token-4", "token-7", "token-8"];
      expectEqual(await listIds(store, { limit: 9, after: between }), expected, "after no token");
      const before = { createdAt: 31, id: "" };
      expectEqual(
        (await listIds(store, { limit: 9, after: before })).length,
        6,
        "after the future",
      );
      const beyond = { createdAt: 0, id: "token-8" };
      expectEqual(await listIds(store, { limit: 9, after: beyond }), [], "after the last");
    },
  ),

  law(
    "listTokens walks every token once, page by page, while newer ones come in",
    async (store) => {
      const count = 23;
      for (let seed = 0; seed < count; seed++) {
        await store.insertToken(sampleToken(seed, { createdAt: Math.floor(seed / 4) }));
      }
      const all = await listIds(store, { limit: count });
      for (const limit of [1, 2, 3, 7]) {
        const seen: string[] = [];
        let after: TokenPage["after"];
        for (let pages = 0; pages <= count; pages++) {
          const page = await store.listTokens("user-1", after ? { limit, after } : { limit });
          const last = page.at(-1)?.token;
          if (last === undefined) break;
          seen.push(...page.map(({ token }) => token.id));
          after = { createdAt: last.createdAt, id: last.id };
          await store.insertToken(sampleToken(1_000 * limit + pages, { createdAt: 100 }));
        }
        expectEqual(seen.filter((id) => all.includes(id)), all, `pages of ${limit}`);
        expectEqual(new Set(seen).size, seen.length, `the tokens seen once in pages of ${limit}`);
      }
    },
  ),

  law("listTokens applies the owner again to the position of another's token", async (store) => {
    const foreign = sampleToken(9, { owner: "user-2", createdAt: 9 });
    const own = sampleToken(1, { createdAt: 1 });
    for (const token of [foreign, own]) await store.insertToken(token);
    const after = { createdAt: foreign.createdAt, id: foreign.id };
    expectEqual(await listIds(store, { limit: 9, after }), [own.id], "after a foreign token");
  }),

  law("a listed token changed outside the store changes nothing inside it", async (store) => {
    const token = sampleToken(1, { scopes: ["a"] });
    await store.insertToken(token);
    for (const listed of await store.listTokens(token.owner, { limit: 9 })) spoil(listed.token);
    await expectOnly(store, [token], []);
  }),

  law("renameToken changes the name of one token and nothing else", async (store) => {
    const token = sampleToken(1, { name: "a", lastUsedAt: 3, slot: "login" });
    const bystander = sampleToken(2, { name: "a" });
    for (const added of [token, bystander]) await store.insertToken(added);
    for (const name of ["b", "b", ""]) {
      expectEqual(await store.renameToken("user-1", token.id, name), true, `the name ${name}`);
      await expectOnly(store, [{ ...token, name }, bystander], []);
    }
    for (const { name, text, mayBeRefused } of hostileTexts) {
      const renamed = await settle(store.renameToken("user-1", token.id, text));
      expectEqual(renamed.isRejected && !mayBeRefused, false, `${name} as a name refused`);
      if (!renamed.isRejected) await expectOnly(store, [{ ...token, name: text }, bystander], []);
    }
  }),

  law(
    "renameToken returns false for another's token, an unknown and a revoked one",
    async (store) => {
      const token = sampleToken(1, { name: "a" });
      const ended = sampleToken(2, { name: "a" });
      for (const added of [token, ended]) await store.insertToken(added);
      await store.revokeToken(ended.id, sampleRevocation(5));
      const owners = ["user-2", "USER-1", "user-1 ", "%", "", token.id];
      for (const owner of owners) {
        const what = `the owner ${JSON.stringify(owner)}`;
        expectEqual(await store.renameToken(owner, token.id, "b"), false, what);
      }
      for (const { name, text } of hostileTexts) {
        expectEqual(await store.renameToken(text, token.id, "b"), false, `${name} as an owner`);
        expectEqual(await store.renameToken("user-1", text, "b"), false, `${name} as an id`);
      }
      expectEqual(await store.renameToken("user-1", "token-3", "b"), false, "an unknown id");
      expectEqual(await store.renameToken("user-1", ended.id, "b"), false, "a revoked token");
      await expectOnly(store, [token, revoked(ended, 5)], []);
    },
  ),
];

async function listIds(store: Store, page: TokenPage): Promise<readonly string[]> {
  return (await store.listTokens("user-1", page)).map(({ token }) => token.id);
}
