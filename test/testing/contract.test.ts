// deno-lint-ignore-file require-await -- the port is asynchronous
import { memoryStore } from "latchkey/memory";
import { storeContract } from "latchkey/testing";
import { describe, expect, it } from "vitest";

type Store = ReturnType<typeof memoryStore>;

/** Stores that are right but for one thing, each a mistake somebody has made. */
const brokenStores: readonly (readonly [string, (store: Store) => Partial<Store>])[] = [
  ["revoke overwrites the time", (store) => {
    const times = new Map<string, number>();
    return {
      async revokeToken(id, revokedAt) {
        const isRevoked = await store.revokeToken(id, revokedAt);
        if (isRevoked || times.has(id)) times.set(id, revokedAt);
        return isRevoked;
      },
      async findToken(digests) {
        const found = await store.findToken(digests);
        const revokedAt = times.get(found?.token.id ?? "");
        if (found === null || revokedAt === undefined) return found;
        return { ...found, token: { ...found.token, revokedAt } };
      },
    };
  }],
  ["revoke answers true twice", (store) => ({
    async revokeToken(id, revokedAt) {
      await store.revokeToken(id, revokedAt);
      return true;
    },
  })],
  ["ensure looks and then inserts", (store) => {
    const slots = new Map<string, string>();
    return {
      async ensureToken(token) {
        const digest = slots.get(`${token.owner} ${token.slot}`);
        const found = digest === undefined ? null : await store.findToken([digest]);
        await Promise.resolve();
        if (found !== null && found.token.revokedAt === null) return found.token;
        await store.insertToken({ ...token, slot: null });
        slots.set(`${token.owner} ${token.slot}`, token.digest);
        return token;
      },
    };
  }],
  ["ensure returns what it was given", (store) => ({
    async ensureToken(token) {
      await store.ensureToken(token);
      return token;
    },
  })],
  ["digests are compared in any case", (store) => ({
    findToken: (digests) => store.findToken(digests.map((digest) => digest.toLowerCase())),
  })],
  ["usernames are compared in any case", (store) => ({
    findUserByName: (username) => store.findUserByName(username.toLowerCase()),
  })],
  ["usernames are trimmed", (store) => ({
    insertUser: (user) => store.insertUser({ ...user, username: user.username.trim() }),
  })],
  ["only the first digest is looked for", (store) => ({
    findToken: (digests) => store.findToken(digests.slice(0, 1)),
  })],
  ["find returns the password", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found?.user ? { ...found, user: await store.findUser(found.user.id) } : found;
    },
  })],
  ["find hides revoked tokens", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found?.token.revokedAt === null ? found : null;
    },
  })],
  ["find hides tokens without a user", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found?.user === null ? null : found;
    },
  })],
  ["find returns what others may change", (store) => {
    const kept = new Map<string, Awaited<ReturnType<Store["findToken"]>>>();
    return {
      async findToken(digests) {
        const key = digests.join();
        const found = kept.get(key) ?? await store.findToken(digests);
        kept.set(key, found);
        return found;
      },
    };
  }],
  ["find reads every text as a pattern", (store) => ({
    findUserByName: async (username) =>
      await store.findUserByName(username) ??
        (username === "%" ? await store.findUser("a") : null),
  })],
  ["conditional replace ignores what is expected", (store) => ({
    replacePassword: (id, password) => store.replacePassword(id, password),
  })],
  ["conditional replace takes null for no condition", (store) => ({
    replacePassword: (id, password, expected) =>
      store.replacePassword(id, password, expected ?? undefined),
  })],
  ["conditional replace looks and then writes", (store) => ({
    async replacePassword(id, password, expected) {
      const user = await store.findUser(id);
      if (expected !== undefined && user?.password !== expected) return false;
      return await store.replacePassword(id, password);
    },
  })],
  ["insertUser overwrites", (store) => ({
    async insertUser(user) {
      if (await store.insertUser(user)) return true;
      const existing = await store.findUserByName(user.username);
      return existing !== null && await store.replacePassword(existing.id, user.password);
    },
  })],
  ["insertUser answers false for an existing id", (store) => ({
    insertUser: (user) => store.insertUser(user).catch(() => false),
  })],
  ["insertToken hides a conflict", (store) => ({
    insertToken: (token) => store.insertToken(token).catch(() => undefined),
  })],
  ["setActive answers false when nothing differs", (store) => ({
    async setActive(id, isActive) {
      const user = await store.findUser(id);
      return user?.isActive !== isActive && await store.setActive(id, isActive);
    },
  })],
  ["text is cut at a NUL", (store) => ({
    findUser: (id) => store.findUser(id.split("\0")[0] ?? ""),
  })],
  ["scopes are sorted", (store) => ({
    insertToken: (token) => store.insertToken({ ...token, scopes: token.scopes.toSorted() }),
  })],
  ["times are kept in seconds", (store) => ({
    insertUser: (user) =>
      store.insertUser({ ...user, createdAt: Math.floor(user.createdAt / 1_000) * 1_000 }),
  })],
];

describe("the store contract", () => {
  it.each(brokenStores)("catches a store in which %s", async (_, breakStore) => {
    const broken: string[] = [];
    for (const law of storeContract()) {
      const open = async () => {
        const store = memoryStore();
        return { ...store, ...breakStore(store) };
      };
      await law.run(open).catch((error: unknown) => {
        expect(error).toBeInstanceOf(Error);
        broken.push(law.name);
      });
    }
    expect(broken).not.toEqual([]);
    expect(broken.length).toBeLessThan(storeContract().length);
  });

  it("says what was expected and what came", async () => {
    const store = { ...memoryStore(), findUser: async () => null };
    const messages = await Promise.all(
      storeContract().map((law) =>
        law.run(async () => store).then(() => "", (error: unknown) => String(error))
      ),
    );
    expect(messages.join("\n")).toMatch(/Broken contract: .+: expected \{.+\}, got null/);
  });

  it("names every law by a sentence of its own", () => {
    const names = storeContract().map((law) => law.name);
    expect(new Set(names).size).toBe(names.length);
  });
});
