import { LibsqlError } from "@libsql/client";
import { libsqlStore, migrate } from "latchkey/libsql";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { startChild } from "./child.ts";
import { openDatabases, watchClient } from "./database.ts";
import { makeLimit, makeSuccessor, makeToken, makeUser, revocation } from "./record.ts";

const databases = openDatabases();
afterAll(() => databases.close());

type Store = ReturnType<typeof libsqlStore>;

/** What writer.ts says it was told. */
interface Written {
  readonly slots: readonly string[];
  readonly revoked: number;
}

const KEEP = { newEpoch: false };
const verbs: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
  ["insert token", (store) => store.insertToken(makeToken())],
  ["ensure token", (store) => store.ensureToken({ ...makeToken(), slot: "login" })],
  ["find token", async (store) => await store.findToken([makeToken().digest])],
  ["list tokens", (store) => store.listTokens("user-1", { limit: 1 })],
  ["rename token", (store) => store.renameToken("user-1", "token-1", "name")],
  ["rotate token", (store) => store.rotateToken(makeSuccessor(makeToken()))],
  ["revoke token", (store) => store.revokeToken("token-1", revocation)],
  ["revoke tokens", (store) => store.revokeTokens("user-1", revocation)],
  ["revoke family", (store) => store.revokeFamily("token-1", revocation)],
  ["touch tokens", (store) => store.touchTokens([{ id: "token-1", usedAt: 1 }])],
  ["prune tokens", (store) => store.pruneTokens(1, 1)],
  ["insert user", (store) => store.insertUser(makeUser())],
  ["find user", (store) => store.findUser("user-1")],
  ["find user by name", (store) => store.findUserByName("ada")],
  ["replace password", (store) => store.replacePassword("user-1", "$new$", KEEP)],
  ["set active", (store) => store.setActive("user-1", false, KEEP)],
  ["start epoch", (store) => store.startEpoch("user-1")],
  ["delete user", (store) => store.deleteUser("user-1")],
  ["take attempts", (store) => store.takeAttempts([makeLimit()], 1)],
  ["find attempts", (store) => store.findAttempts(["key-1"], 1)],
  ["return attempts", (store) => store.returnAttempts([{ key: "key-1", count: 1, endsAt: 9 }])],
  ["prune attempts", (store) => store.pruneAttempts(1, 1)],
  ["append events", (store) => store.appendEvents([{ type: "tokens_pruned", at: 1, count: 1 }])],
];

describe("a statement that another writer kept out", () => {
  const faults = [
    new LibsqlError("database is locked", "SQLITE_BUSY", "SQLITE_BUSY", 5),
    new LibsqlError("database is locked", "SQLITE_BUSY", "SQLITE_BUSY_SNAPSHOT", 517),
    new LibsqlError("table is locked", "SQLITE_LOCKED", "SQLITE_LOCKED_SHAREDCACHE", 262),
    new Error("Failed query", { cause: new LibsqlError("database is locked", "SQLITE_BUSY") }),
  ];

  it.each(verbs)("is repeated until it passes: %s (R12)", async (_, act) => {
    for (const fault of faults) {
      const inner = databases.connect(":memory:");
      await migrate(inner);
      const { client, calls } = watchClient(inner, (_call, count) => {
        if (count <= 3) throw fault;
      });
      await act(libsqlStore(client, { migrate: false }));
      expect(calls).toHaveLength(4);
      expect(new Set(calls.map(({ sql }) => sql)).size).toBe(1);
      inner.close();
    }
  });

  it.each(verbs)("is given up after busyTimeout: %s (R12, C4)", async (verb, act) => {
    const { client, calls } = watchClient(databases.connect(":memory:"), () => {
      throw faults[0];
    });
    const given = { name: "StoreError", message: `Cannot ${verb}: the store failed (SQLITE_BUSY)` };
    await expect(act(libsqlStore(client, { busyTimeout: 20, migrate: false }))).rejects
      .toMatchObject(given);
    expect(calls.length).toBeGreaterThan(1);
    expect(calls.length).toBeLessThan(100);
    calls.length = 0;
    await expect(act(libsqlStore(client, { busyTimeout: 0, migrate: false }))).rejects
      .toMatchObject(given);
    expect(calls).toHaveLength(1);
  });

  it("does not count as other failures do, which are not repeated", async () => {
    for (const code of ["SQLITE_IOERR", "SQLITE_ERROR", "SQLITE_BUSYBODY", "SERVER_ERROR"]) {
      const { client, calls } = watchClient(databases.connect(":memory:"), () => {
        throw new LibsqlError("no such column: latchkey_token", code);
      });
      const store = libsqlStore(client, { migrate: false });
      await expect(store.findUser("1")).rejects.toThrow(code);
      expect(calls).toHaveLength(1);
    }
  });

  it("is committed when it passes, and holds no lock, though the driver drops such writes", async () => {
    const url = databases.fileUrl();
    const [holder, client] = [databases.connect(url), databases.connect(url)];
    await migrate(holder);
    const held = await holder.transaction("write");
    const store = libsqlStore(client, { busyTimeout: 0 });
    await expect(store.insertUser(makeUser())).rejects.toThrow("SQLITE_BUSY");
    await held.rollback();
    expect(await store.insertUser(makeUser())).toBe(true);
    expect(await libsqlStore(holder).findUser("user-1")).toEqual(makeUser());
    expect(await libsqlStore(holder, { busyTimeout: 0 }).setActive("user-1", false, KEEP)).toBe(
      true,
    );
    expect((await store.findUser("user-1"))?.isActive).toBe(false);
  });

  it("is committed among many on one client, whichever of them were kept out", async () => {
    const url = databases.fileUrl();
    const [holder, inner] = [databases.connect(url), databases.connect(url)];
    await migrate(holder);
    const ids = Array.from({ length: 40 }, (_, index) => String(index));
    for (let round = 0; round < 5; round++) {
      const held = await holder.transaction("write");
      let attempts = 0;
      const { client } = watchClient(inner, async () => {
        if (++attempts === 30) await held.rollback();
      });
      const store = libsqlStore(client);
      const names = ids.map((id) => `${round}-${id}`);
      const inserted = await Promise.all(
        names.map((id) => store.insertUser(makeUser({ id, username: id }))),
      );
      expect(inserted).toEqual(ids.map(() => true));
      const found = await Promise.all(names.map((id) => libsqlStore(holder).findUser(id)));
      expect(found.map((user) => user?.id)).toEqual(names);
    }
  });

  it("passes as soon as a real writer is done", async () => {
    const url = databases.fileUrl();
    const [holder, inner] = [databases.connect(url), databases.connect(url)];
    await migrate(holder);
    const held = await holder.transaction("write");
    await held.execute("update latchkey_user set is_staff = 0");
    await expect(libsqlStore(inner, { busyTimeout: 0 }).insertUser(makeUser())).rejects.toThrow(
      "SQLITE_BUSY",
    );
    let attempts = 0;
    const { client, calls } = watchClient(inner, async ({ sql }) => {
      if (sql.startsWith("insert") && ++attempts === 3) await held.commit();
    });
    expect(await libsqlStore(client).insertUser(makeUser())).toBe(true);
    expect(calls.filter(({ sql }) => sql.startsWith("insert"))).toHaveLength(3);
    expect(await libsqlStore(holder).findUser("user-1")).toEqual(makeUser());
  });
});

describe("many writers of one file", () => {
  it("lose no write and see no error from two clients", async () => {
    const url = databases.fileUrl();
    const stores = [libsqlStore(databases.connect(url)), libsqlStore(databases.connect(url))];
    const ids = Array.from({ length: 100 }, (_, index) => String(index));
    const inserted = await Promise.all(
      ids.map((id, index) => stores[index % 2]?.insertUser(makeUser({ id, username: id }))),
    );
    expect(inserted).toEqual(ids.map(() => true));
    const found = await Promise.all(ids.map((id) => stores[0]?.findUser(id)));
    expect(found.map((user) => user?.id)).toEqual(ids);
  });

  it("lose no write and see no error from three processes that also make the tables", async () => {
    const url = databases.fileUrl();
    const count = 150;
    const names = ["a", "b", "c"];
    const writers = names.map((name) => startChild("./writer.ts", [url, name, String(count)]));
    for (const writer of writers) expect(await writer.read()).toBe("ready");
    for (const writer of writers) writer.write("begin");
    const results: readonly Written[] = await Promise.all(
      writers.map(async (writer) => JSON.parse(await writer.read())),
    );

    const client = databases.connect(url);
    const rows = await client.execute(
      "select count(*) as count from latchkey_token where owner = 'user-1'",
    );
    expect(rows.rows[0]?.["count"]).toBe(names.length * count);
    const shared = await client.execute(
      `select count(*) as count, count(slot) as slots, count(revoked_at) as revoked
       from latchkey_token where owner = 'shared'`,
    );
    const told = results.reduce((sum, result) => sum + result.revoked, 0);
    expect(shared.rows[0]).toMatchObject({ count: told, slots: 0, revoked: told });
    const seen = new Set(results.flatMap((result) => result.slots));
    expect(seen.size).toBe(told);
    expect((await client.execute("pragma integrity_check")).rows[0]?.["integrity_check"]).toBe(
      "ok",
    );
  });
});

describe("a failure", () => {
  const places = [
    { place: "a file", connect: async () => databases.connect(databases.fileUrl()) },
    { place: "memory", connect: async () => databases.connect(":memory:") },
    { place: "a server", connect: () => databases.connectToServer() },
  ];

  it.each(places)("of a unique value is a conflict on $place", async ({ connect }) => {
    const store = libsqlStore(await connect());
    const conflict = { name: "StoreError", code: "conflict" };
    const token = makeToken({ slot: "login" });
    await store.insertToken(token);
    await store.insertUser(makeUser());
    const duplicates = [
      makeToken({ digest: "b" }),
      makeToken({ id: "2" }),
      makeToken({ id: "2", digest: "b", slot: "login" }),
    ];
    for (const duplicate of duplicates) {
      await expect(store.insertToken(duplicate)).rejects.toMatchObject(conflict);
    }
    const ensured = { ...makeToken({ digest: "b" }), slot: "other" };
    await expect(store.ensureToken(ensured)).rejects.toMatchObject(conflict);
    const user = makeUser({ username: "eve" });
    await expect(store.insertUser(user)).rejects.toMatchObject(conflict);
    const short = { ...makeToken({ id: "3" }), digest: "abc" };
    await expect(store.insertToken(short)).rejects.toMatchObject({ code: "unavailable" });
  });

  it("of a unique value is a conflict however deep the driver hides it", async () => {
    const driver = new LibsqlError("…", "SQLITE_CONSTRAINT", "SQLITE_CONSTRAINT_UNIQUE", 2067);
    const { client } = watchClient(databases.connect(":memory:"), () => {
      throw new Error("Failed query", { cause: new Error("inner", { cause: driver }) });
    });
    await expect(libsqlStore(client).insertUser(makeUser())).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it.each(places)("shows no SQL, argument or driver error, on $place", async ({ connect }) => {
    const inner = await connect();
    await migrate(inner);
    const store = libsqlStore(inner);
    const secret = "s3ntinel";
    const user = makeUser({ id: secret, username: `${secret}-1`, password: `${secret}-2` });
    const token = makeToken({
      id: secret,
      owner: secret,
      digest: secret,
      scopes: [secret],
      slot: secret,
    });
    await store.insertUser(user);
    await store.insertToken(token);
    const errors: unknown[] = await Promise.all([
      rejection(store.insertToken(token)),
      rejection(store.insertToken({ ...token, id: `${secret}\0` })),
      rejection(store.insertToken({ ...token, id: "2", digest: secret })),
      rejection(store.insertUser({ ...user, username: `${secret}-3` })),
      rejection(store.ensureToken({ ...token, slot: `${secret}-4` })),
    ]);
    await inner.execute(`update latchkey_token set created_at = '${secret}'`);
    errors.push(await rejection(Promise.resolve(store.findToken([token.digest]))));
    await inner.execute("drop table latchkey_user");
    const strict = libsqlStore(inner, { migrate: false });
    errors.push(await rejection(strict.findUserByName(secret)));
    const { client } = watchClient(inner, ({ sql, args }) => {
      const cause = new LibsqlError(`near ${sql}`, secret);
      throw Object.assign(new Error(`Failed query: ${sql}\nparams: ${args}`, { cause }), {
        sql,
        args,
      });
    });
    errors.push(await rejection(libsqlStore(client).findUserByName(secret)));
    inner.close();
    errors.push(
      await rejection(store.replacePassword(secret, secret, { ...KEEP, expected: secret })),
    );

    for (const error of errors) {
      expect(error).toMatchObject({ name: "StoreError" });
      expect(Reflect.has(Object(error), "cause")).toBe(false);
      const shown = [
        String(error),
        JSON.stringify(error),
        JSON.stringify(error, Object.getOwnPropertyNames(error)),
        inspect(error, { depth: Infinity, showHidden: true }),
        error instanceof Error ? error.stack : "",
      ].join("\n");
      expect(shown).not.toMatch(
        /s3ntinel|latchkey_|insert into|select |Failed query|UNIQUE constraint/,
      );
    }
  });
});

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("Expected a rejection");
    },
    (error: unknown) => error,
  );
}
