import {
  type Auth,
  type AuthOptions,
  changePassword,
  deleteUser,
  issueToken,
  listTokens,
  login,
  setActive,
  setPassword,
  type User,
  verifyPassword,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf } from "../fixture.ts";

const passwords = { current: "ada-password", next: "new-password" };
const works = async (auth: Auth, password: string) =>
  (await verifyPassword(auth, { username: "ada", password })).ok;

describe("changePassword()", () => {
  it("P11: needs the current password, and ends every token", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const token = must(await issueToken(auth, ada));
    const wrong = { current: "nope", next: "new-password" };
    expect(await changePassword(auth, ada.id, wrong))
      .toEqual({ ok: false, failure: { reason: "wrong_password" } });
    expect(await reasonOf(auth, token)).toBe("ok");
    expect(must(await changePassword(auth, ada.id, passwords))).toEqual({ ...ada, epoch: 1 });
    expect(await reasonOf(auth, token)).toBe("revoked_token");
    expect([await works(auth, "ada-password"), await works(auth, "new-password")])
      .toEqual([false, true]);
    expect(must(await listTokens(auth, ada.id)).tokens[0]?.revokedReason).toBe("password_changed");
  });

  it("gives a user for whom the next token holds", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const changed = must(await changePassword(auth, ada.id, passwords));
    expect(await reasonOf(auth, must(await issueToken(auth, changed)))).toBe("ok");
  });

  it("R6: whose next token does not hold when everything was revoked once more meanwhile", async () => {
    const store = memoryStore();
    const { auth } = makeAuth({
      store: {
        ...store,
        async revokeTokens(...rest) {
          await store.startEpoch(rest[0]);
          return await store.revokeTokens(...rest);
        },
      },
    });
    const ada = await makeUser(auth, "ada");
    const changed = must(await changePassword(auth, ada.id, passwords));
    expect(await reasonOf(auth, must(await issueToken(auth, changed)))).toBe("revoked_token");
  });

  it("R9: of two changes at once from one password, one succeeds", async () => {
    const { auth } = makeAuth();
    const { id } = await makeUser(auth, "ada");
    const results = await Promise.all(
      ["new-one", "new-two"].map((next) =>
        changePassword(auth, id, { current: "ada-password", next })
      ),
    );
    const reasons = results.map((result) => result.ok ? "ok" : result.failure.reason);
    expect([...reasons].sort()).toEqual(["changed_meanwhile", "ok"]);
    const wins = results[0]?.ok === true ? ["new-one", "new-two"] : ["new-two", "new-one"];
    expect([await works(auth, wins[0] ?? ""), await works(auth, wins[1] ?? "")])
      .toEqual([true, false]);
  });

  it.each<[string, string, string, string, string]>([
    ["an unknown user", "nobody", "ada-password", "new", "unknown_user"],
    ["an empty current password", "ada", "", "new", "malformed_credentials"],
    ["an empty new password", "ada", "ada-password", "", "password_blank"],
    ["NUL in the new password", "ada", "ada-password", "a\0", "password_malformed"],
    ["a long new password", "ada", "ada-password", "a".repeat(4_097), "password_too_long"],
  ])("refuses %s and leaves the tokens alone", async (_name, username, current, next, reason) => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const token = must(await issueToken(auth, ada));
    const id = username === "ada" ? ada.id : username;
    expect(await changePassword(auth, id, { current, next }))
      .toEqual({ ok: false, failure: { reason } });
    expect(await reasonOf(auth, token)).toBe("ok");
  });
});

type Ending = (auth: Auth, user: User) => Promise<unknown>;
const endings: readonly (readonly [string, Ending, string, Partial<AuthOptions>["revokeOn"]])[] = [
  ["setPassword", (auth, { id }) => setPassword(auth, id, "new"), "password_changed", {
    passwordChange: false,
  }],
  ["setPassword to none", (auth, { id }) => setPassword(auth, id, null), "password_changed", {
    passwordChange: false,
  }],
  ["changePassword", (auth, { id }) => changePassword(auth, id, passwords), "password_changed", {
    passwordChange: false,
  }],
  ["setActive to false", (auth, { id }) => setActive(auth, id, false), "user_deactivated", {
    deactivation: false,
  }],
];

describe("the end of a user's tokens", () => {
  it.each(endings)("A10: %s ends all of them for ever", async (_name, end, reason) => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const tokens = [must(await issueToken(auth, ada)), must(await issueToken(auth, ada))];
    const other = must(await issueToken(auth, await makeUser(auth, "bob")));
    await end(auth, ada);
    for (const token of tokens) expect(await reasonOf(auth, token)).toBe("revoked_token");
    await setActive(auth, ada.id, true);
    for (const token of tokens) expect(await reasonOf(auth, token)).toBe("revoked_token");
    expect(await reasonOf(auth, other)).toBe("ok");
    const listed = must(await listTokens(auth, ada.id)).tokens;
    expect(listed.map(({ revokedReason }) => revokedReason)).toEqual([reason, reason]);
  });

  it.each(endings)(
    "A10: %s leaves them when that is configured",
    async (name, end, _, revokeOn) => {
      const { auth } = makeAuth(revokeOn === undefined ? {} : { revokeOn });
      const ada = await makeUser(auth, "ada");
      const token = must(await issueToken(auth, ada));
      await end(auth, ada);
      expect(await reasonOf(auth, token)).toBe(
        name.startsWith("setActive") ? "inactive_user" : "ok",
      );
      await setActive(auth, ada.id, true);
      expect(await reasonOf(auth, token)).toBe("ok");
    },
  );

  it("is automatic also where revokeOn says undefined", () => {
    const revokeOn = JSON.parse("{}");
    Reflect.set(revokeOn, "passwordChange", undefined);
    expect(makeAuth({ revokeOn }).auth.revokeOn).toEqual({
      passwordChange: true,
      deactivation: true,
    });
  });

  it("A10: a deleted user's tokens end with the user, and the name is free again", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const token = must(await issueToken(auth, ada));
    expect(await deleteUser(auth, ada.id)).toBe(true);
    expect(await deleteUser(auth, ada.id)).toBe(false);
    expect(await reasonOf(auth, token)).toBe("unknown_token");
    expect(must(await listTokens(auth, ada.id)).tokens[0]?.revokedReason).toBe("user_deleted");
    const next = await makeUser(auth, "ada");
    expect(next.id).not.toBe(ada.id);
    expect(await reasonOf(auth, token)).toBe("unknown_token");
  });

  it("setActive says whether there is such a user", async () => {
    const { auth } = makeAuth();
    expect(await setActive(auth, "nobody", false)).toBe(false);
    expect(await setActive(auth, (await makeUser(auth, "ada")).id, false)).toBe(true);
  });

  it("A10: a login gives a token of the epoch that the password was verified in", async () => {
    const store = memoryStore();
    const { auth } = makeAuth({
      store: {
        ...store,
        async insertToken(...rest) {
          await store.startEpoch(rest[0].owner);
          return await store.insertToken(...rest);
        },
      },
    });
    await makeUser(auth, "ada");
    const result = must(await login(auth, { username: "ada", password: "ada-password" }));
    expect(await reasonOf(auth, result)).toBe("revoked_token");
  });
});
