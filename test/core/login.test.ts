import {
  createUser,
  type Hasher,
  login,
  type LoginReason,
  setActive,
  setPassword,
  type Store,
  verifyPassword,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser } from "../fixture.ts";

/** A real hasher that counts the derivations it makes. */
function countingHasher(iterations = 1_000): Hasher & { readonly count: () => number } {
  const hasher = pbkdf2({ iterations });
  let count = 0;
  return {
    ...hasher,
    hash: (password, random) => (count++, hasher.hash(password, random)),
    verify: (password, encoded) => (count++, hasher.verify(password, encoded)),
    count: () => count,
  };
}

async function storedPassword(store: Store, username: string): Promise<string> {
  return (await store.findUserByName(username))?.password ?? "none";
}

describe("login()", () => {
  it("gives the user and a token that verifies", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const result = await login(auth, { username: "ada", password: "ada-password" });
    if (!result.ok) throw new Error(result.failure.reason);
    expect(result.value.user).toEqual(ada);
    expect(await verifyToken(auth, result.value.text.reveal()))
      .toEqual({ ok: true, value: { user: ada, token: result.value.token } });
  });

  it('makes another token each time with the policy "new"', async () => {
    const { auth } = makeAuth();
    await makeUser(auth, "ada");
    const texts = new Set<string>();
    for (let round = 0; round < 3; round++) {
      const result = await login(auth, { username: "ada", password: "ada-password" });
      if (result.ok) texts.add(result.value.text.reveal());
    }
    expect(texts.size).toBe(3);
  });
});

describe("verifyPassword()", () => {
  it.each<[string, string, string, LoginReason | "ok"]>([
    ["the right password", "ada", "ada-password", "ok"],
    ["a wrong password", "ada", "nope", "wrong_password"],
    ["P3: a password in another case", "ada", "Ada-password", "wrong_password"],
    ["P3: a trailing space", "ada", "ada-password ", "wrong_password"],
    ["an unknown user", "eve", "ada-password", "unknown_user"],
    ["B7: a username in another case", "Ada", "ada-password", "unknown_user"],
    ["an inactive user", "bob", "bob-password", "inactive_user"],
    ["an inactive user with a wrong password", "bob", "nope", "wrong_password"],
    ["a user without a password", "carol", "x", "no_password"],
    ["a user with garbage for a password", "dave", "garbage", "no_password"],
  ])("T3: %s costs one derivation", async (_name, username, password, reason) => {
    const hasher = countingHasher();
    const { auth } = makeAuth({ passwords: [hasher] });
    await makeUser(auth, "ada");
    await setActive(auth, (await makeUser(auth, "bob")).id, false);
    await createUser(auth, { username: "carol" });
    const dave = await makeUser(auth, "dave");
    await auth.store.replacePassword(dave.id, "garbage", { newEpoch: false });
    const before = hasher.count();
    const result = await verifyPassword(auth, { username, password });
    expect(result.ok ? "ok" : result.failure.reason).toBe(reason);
    expect(hasher.count() - before).toBe(1);
  });

  it.each<[string, unknown, unknown]>([
    ["P1: a password of a megabyte", "ada", "a".repeat(1 << 20)],
    ["P1: a password of 4,097 bytes in fewer characters", "ada", "é".repeat(2_049)],
    ["an empty password", "ada", ""],
    ["P2: NUL inside", "ada", "ada-password\0"],
    ["a lone surrogate", "ada", "ada-password\ud800"],
    ["D2: an object for a username", { $ne: null }, "ada-password"],
    ["D2: a list for a password", "ada", ["ada-password"]],
  ])("refuses %s before any hash and any lookup", async (_name, username, password) => {
    const hasher = countingHasher();
    const store = memoryStore();
    const { auth } = makeAuth({
      passwords: [hasher],
      store: {
        ...store,
        findUserByName: () => {
          throw new Error("looked up");
        },
      },
    });
    const credentials = { username, password } as { username: string; password: string };
    expect(await verifyPassword(auth, credentials))
      .toEqual({ ok: false, failure: { reason: "malformed_credentials" } });
    expect(hasher.count()).toBe(0);
  });

  it("P10: rewrites a weaker text at login, keeps a stronger one, and touches nothing at a wrong password", async () => {
    const store = memoryStore();
    const weak = makeAuth({ store, passwords: [pbkdf2({ iterations: 1_000 })] }).auth;
    const strong = makeAuth({ store, passwords: [pbkdf2({ iterations: 2_000 })] }).auth;
    await makeUser(weak, "ada");
    await verifyPassword(strong, { username: "ada", password: "nope" });
    expect(await storedPassword(store, "ada")).toMatch(/^pbkdf2_sha256\$1000\$/);
    expect(await verifyPassword(strong, { username: "ada", password: "ada-password" }))
      .toMatchObject({ ok: true });
    expect(await storedPassword(store, "ada")).toMatch(/^pbkdf2_sha256\$2000\$/);
    expect(await verifyPassword(weak, { username: "ada", password: "ada-password" })).toMatchObject(
      { ok: true },
    );
    expect(await storedPassword(store, "ada")).toMatch(/^pbkdf2_sha256\$2000\$/);
  });

  it("P8: a password changed during the login is not undone by the rewrite", async () => {
    const store = memoryStore();
    await makeUser(makeAuth({ store }).auth, "ada");
    const hasher = pbkdf2({ iterations: 2_000 });
    const { auth } = makeAuth({
      store,
      passwords: [{
        ...hasher,
        async hash(password, random) {
          const id = (await store.findUserByName("ada"))?.id ?? "";
          await store.replacePassword(id, "changed meanwhile", { newEpoch: false });
          return await hasher.hash(password, random);
        },
      }],
    });
    await verifyPassword(auth, { username: "ada", password: "ada-password" });
    expect(await storedPassword(store, "ada")).toBe("changed meanwhile");
  });

  it("R8: 20 logins at once all succeed and rewrite once", async () => {
    const store = memoryStore();
    await makeUser(makeAuth({ store }).auth, "ada");
    let rewrites = 0;
    const { auth } = makeAuth({
      passwords: [pbkdf2({ iterations: 2_000 })],
      store: {
        ...store,
        async replacePassword(...rest) {
          const replaced = await store.replacePassword(...rest);
          if (replaced) rewrites++;
          return replaced;
        },
      },
    });
    const credentials = { username: "ada", password: "ada-password" };
    const results = await Promise.all(
      Array.from({ length: 20 }, () => verifyPassword(auth, credentials)),
    );
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(rewrites).toBe(1);
  });
});

describe("setPassword()", () => {
  it("replaces the password, and null takes the login away", async () => {
    const { auth } = makeAuth();
    const { id } = await makeUser(auth, "ada");
    const works = async (password: string) =>
      (await verifyPassword(auth, { username: "ada", password })).ok;
    expect(await setPassword(auth, id, "new-password")).toEqual({ ok: true, value: null });
    expect([await works("ada-password"), await works("new-password")]).toEqual([false, true]);
    expect(await setPassword(auth, id, null)).toEqual({ ok: true, value: null });
    expect(await works("new-password")).toBe(false);
  });

  it("refuses an unknown user", async () => {
    const { auth } = makeAuth();
    const failure = { reason: "unknown_user" };
    expect(await setPassword(auth, "nobody", "password")).toEqual({ ok: false, failure });
  });

  it.each<[string, string, string]>([
    ["an empty password", "", "password_blank"],
    ["a password above 4,096 bytes", "a".repeat(4_097), "password_too_long"],
    ["NUL", "a\0", "password_malformed"],
  ])("refuses %s", async (_name, password, reason) => {
    const { auth } = makeAuth();
    const { id } = await makeUser(auth, "ada");
    expect(await setPassword(auth, id, password)).toEqual({ ok: false, failure: { reason } });
  });
});

describe("createUser()", () => {
  it.each<[string, string, string]>([
    ["a taken name", "ada", "username_taken"],
    ["a name that is taken once normalised", "ａｄａ", "username_taken"],
    ["an empty name", "", "username_blank"],
    ["a name with a space", "a da", "username_invalid"],
    ["a name of 151 characters", "a".repeat(151), "username_too_long"],
  ])("refuses %s", async (_name, username, reason) => {
    const { auth } = makeAuth();
    await makeUser(auth, "ada");
    expect(await createUser(auth, { username })).toEqual({ ok: false, failure: { reason } });
  });

  it("R7: of 20 registrations at once exactly one succeeds", async () => {
    const { auth } = makeAuth();
    const spellings = ["ﬁnn", "finn"];
    const results = await Promise.all(
      Array.from(
        { length: 20 },
        (_, round) => createUser(auth, { username: spellings[round % 2] ?? "" }),
      ),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
  });
});
