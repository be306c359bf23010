import { type AuthOptions, issueToken, revokeAllTokens, rotateToken, type User } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, principalOf, reasonOf, SECRET } from "../fixture.ts";

const makeOwn = (id: string, isActive = true): User => ({
  id,
  username: `own-${id}`,
  isActive,
  isStaff: false,
  isSuperuser: false,
});

type FindUser = NonNullable<AuthOptions["findUser"]>;

describe("findUser", () => {
  it.each(["42", "6f9619ff-8b86-d011-b42d-00c04fc964ff", "ada@example.com", "’; drop table", "0"])(
    "finds the owner of a token by the id %s",
    async (id) => {
      const asked: string[] = [];
      const { auth } = makeAuth({
        findUser: async (owner) => (asked.push(owner), makeOwn(owner)),
      });
      const issued = must(await issueToken(auth, id));
      expect((await principalOf(auth, issued)).user).toEqual(makeOwn(id));
      expect(await reasonOf(auth, must(await rotateToken(auth, issued.text.reveal())))).toBe("ok");
      expect(new Set(asked)).toEqual(new Set([id]));
    },
  );

  it.each<[string, FindUser, string]>([
    ["nobody", async () => null, "unknown_token"],
    ["undefined, from JavaScript", (async () => undefined) as unknown as FindUser, "unknown_token"],
    ["C11: somebody else", async () => makeOwn("2"), "unknown_token"],
    ["an inactive user", async (id) => makeOwn(id, false), "inactive_user"],
    [
      "C11: a user who is active in another type",
      async (id) => ({ ...makeOwn(id), isActive: "yes" }) as unknown as User,
      "inactive_user",
    ],
  ])("A10: that finds %s refuses the token", async (_name, findUser, reason) => {
    const { auth } = makeAuth({ findUser });
    expect(await reasonOf(auth, must(await issueToken(auth, "1")))).toBe(reason);
  });

  it("is not asked for a token that nobody has", async () => {
    const { auth } = makeAuth({ findUser: () => Promise.reject(new Error("asked")) });
    const other = must(await issueToken(makeAuth().auth, "1"));
    expect(await reasonOf(auth, other)).toBe("unknown_token");
  });

  it("is asked in place of the store, whose users do not count", async () => {
    const store = memoryStore();
    const ada = await makeUser(makeAuth({ store }).auth, "ada");
    const { auth } = makeAuth({ store, findUser: async () => null });
    expect(await reasonOf(auth, must(await issueToken(auth, ada)))).toBe("unknown_token");
  });

  it.each<[string, FindUser]>([
    ["rejects", () => Promise.reject(new Error(SECRET))],
    ["throws", () => {
      throw new Error(SECRET);
    }],
  ])("C4: that %s is a StoreError without a trace of the original", async (_name, findUser) => {
    const { auth } = makeAuth({ findUser });
    const error = await reasonOf(auth, must(await issueToken(auth, "1"))).catch((caught) => caught);
    expect(error).toMatchObject({ name: "StoreError", code: "unavailable" });
    expect(error.message).toBe("Cannot find the owner: the store failed");
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(SECRET);
    expect(error.cause).toBeUndefined();
  });

  it("lets all tokens of such an owner be revoked, and others be made", async () => {
    const { auth } = makeAuth({ findUser: async (id) => makeOwn(id) });
    const issued = must(await issueToken(auth, "1"));
    expect(await revokeAllTokens(auth, "1")).toBe(1);
    expect(await reasonOf(auth, issued)).toBe("revoked_token");
    expect(await reasonOf(auth, must(await issueToken(auth, makeOwn("1"))))).toBe("ok");
  });
});
