import { libsqlStore, schemaStatements } from "latchkey/libsql";
import { type LibsqlSyncStore, libsqlSyncStore } from "latchkey/libsql-sync";
import { storeContract } from "latchkey/testing";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { inspect } from "node:util";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabases, pathOf } from "./database.ts";
import { readLibsqlEvents } from "./events.ts";
import { version1, version2 } from "./old_schema.ts";
import { makeLimit, makeSuccessor, makeToken, makeUser, revocation } from "./record.ts";
import { titleOf } from "./threats.ts";

const databases = openDatabases();
afterAll(() => databases.close());

const DIGESTS = [makeToken().digest];
const KEEP = { newEpoch: false };
const BUSY = { name: "StoreError", message: expect.stringContaining("(SQLITE_BUSY)") };

describe("libsqlSyncStore on a file keeps the contract:", () => {
  const urls = new WeakMap<object, string>();
  const laws = storeContract({
    async readEvents(store) {
      const url = urls.get(store);
      return url === undefined ? [] : await readLibsqlEvents(databases.connect(url));
    },
  });
  for (const law of laws) {
    it(titleOf(law), () =>
      law.run(async () => {
        const url = databases.fileUrl();
        const store = databases.openSync(url);
        urls.set(store, url);
        return store;
      }));
  }
});

describe("libsqlSyncStore in memory keeps the contract:", () => {
  for (const law of storeContract()) {
    it(titleOf(law), () => law.run(async () => databases.openSync("file::memory:")));
  }
});

/** Each verb that writes, with its name in errors. */
const writes: readonly (readonly [string, (store: LibsqlSyncStore) => Promise<unknown>])[] = [
  ["insert token", (store) => store.insertToken(makeToken())],
  ["ensure token", (store) => store.ensureToken({ ...makeToken(), slot: "login" })],
  ["rename token", (store) => store.renameToken("user-1", "token-1", "name")],
  ["rotate token", (store) => store.rotateToken(makeSuccessor(makeToken()))],
  ["revoke token", (store) => store.revokeToken("token-1", revocation)],
  ["revoke tokens", (store) => store.revokeTokens("user-1", revocation)],
  ["revoke family", (store) => store.revokeFamily("token-1", revocation)],
  ["touch tokens", (store) => store.touchTokens([{ id: "token-1", usedAt: 1 }])],
  ["prune tokens", (store) => store.pruneTokens(1, 1)],
  ["insert user", (store) => store.insertUser(makeUser())],
  ["replace password", (store) => store.replacePassword("user-1", "$new$", KEEP)],
  ["set active", (store) => store.setActive("user-1", false, KEEP)],
  ["start epoch", (store) => store.startEpoch("user-1")],
  ["delete user", (store) => store.deleteUser("user-1")],
  ["take attempts", (store) => store.takeAttempts([makeLimit()], 1)],
  ["return attempts", (store) => store.returnAttempts([{ key: "key-1", count: 1, endsAt: 9 }])],
  ["prune attempts", (store) => store.pruneAttempts(1, 1)],
  ["append events", (store) => store.appendEvents([{ type: "tokens_pruned", at: 1, count: 1 }])],
];
const reads: readonly (readonly [string, (store: LibsqlSyncStore) => Promise<unknown>])[] = [
  ["find token", async (store) => await store.findToken(DIGESTS)],
  ["list tokens", (store) => store.listTokens("user-1", { limit: 1 })],
  ["find user", (store) => store.findUser("user-1")],
  ["find user by name", (store) => store.findUserByName("ada")],
  ["find attempts", (store) => store.findAttempts(["key-1"], 1)],
];
const verbs = [...writes, ...reads];

describe("libsqlSyncStore answers findToken", () => {
  it("without a promise, once its tables are known to be there", async () => {
    const { store } = await open();
    await store.insertUser(makeUser());
    await store.insertToken(makeToken());
    await store.rotateToken(makeSuccessor(makeToken()));
    const found = store.findToken(DIGESTS);
    expect(found).not.toBeInstanceOf(Promise);
    expect(found).toMatchObject({
      token: makeToken(),
      user: { username: "ada" },
      epoch: 0,
      successor: { id: "token-1-2", overlapUntil: 100 },
    });
    expect(store.findToken(["b"])).toBeNull();
    expect(store.findToken(["b", "c", ...DIGESTS])).toMatchObject({ token: makeToken() });
    expect(store.findToken(["b", "c"])).toBeNull();
    expect(store.findToken(DIGESTS)).toEqual(found);
  });

  it("as the database is now, whoever changed it (A10)", async () => {
    const { store, other } = await open();
    await store.insertToken(makeToken());
    for (let round = 1; round <= 20; round++) {
      await other.execute(`update latchkey_token set name = '${round}'`);
      expect(store.findToken(DIGESTS)).toMatchObject({ token: { name: String(round) } });
    }
    await other.execute("delete from latchkey_token");
    expect(store.findToken(DIGESTS)).toBeNull();
  });

  it("with a version checked first, so that newer tables are refused (D7)", async () => {
    const { url, store, other } = await open();
    await store.insertToken(makeToken());
    await other.execute("update latchkey_schema set version = version + 1");
    const late = databases.openSync(url);
    for (const [, act] of verbs) {
      await expect(act(late)).rejects.toThrow("Cannot migrate: the store failed (SCHEMA_TOO_NEW)");
    }
  });

  it("and changes no byte of the file, as no other verb that reads does (D9)", async () => {
    const { url, store, other } = await open();
    await store.insertUser(makeUser());
    await store.insertToken(makeToken());
    await other.execute("pragma wal_checkpoint(truncate)");
    const files = () => [readFileSync(pathOf(url)), readFileSync(`${pathOf(url)}-wal`)];
    const before = files();
    for (const [, act] of reads) for (let count = 0; count < 3; count++) await act(store);
    expect(files()).toEqual(before);
    // Nor does it stay in the way of who cleans up.
    await other.execute("update latchkey_user set is_staff = 1");
    const { rows } = await other.execute("pragma wal_checkpoint(truncate)");
    expect(rows[0]?.["busy"]).toBe(0);
  });
});

describe("libsqlSyncStore that another writer keeps out", () => {
  it.each(writes)("refuses to %s after busyTimeout, and commits it afterwards (R12, C4)", async (
    verb,
    act,
  ) => {
    const { store, other } = await open({ busyTimeout: 0 });
    const held = await other.transaction("write");
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(act(store)).rejects.toMatchObject({
        name: "StoreError",
        code: "unavailable",
        message: `Cannot ${verb}: the store failed (SQLITE_BUSY)`,
      });
    }
    for (const [, read] of reads) await read(store);
    await held.rollback();
    await act(store);
    // What is written from now on is there for everybody, and the lock is free again.
    expect(await store.insertUser(makeUser({ id: "2", username: "eve" }))).toBe(true);
    expect((await libsqlStore(other).findUser("2"))?.username).toBe("eve");
    expect(await libsqlStore(other, { busyTimeout: 0 }).setActive("2", false, KEEP)).toBe(true);
    expect((await store.findUser("2"))?.isActive).toBe(false);
  });

  it("finds what that writer has committed, at once (A10, R12)", async () => {
    const { store, other } = await open({ busyTimeout: 0 });
    await store.insertToken(makeToken());
    for (let round = 1; round <= 20; round++) {
      const held = await other.transaction("write");
      await held.execute(`update latchkey_token set name = '${round}'`);
      await expect(store.startEpoch("user-1")).rejects.toMatchObject(BUSY);
      await held.commit();
      expect(store.findToken(DIGESTS)).toMatchObject({ token: { name: String(round) } });
    }
  });

  it("waits while everything else goes on, and passes when the writer is done (R12)", async () => {
    const { store, other } = await open({ busyTimeout: 1_000 });
    const held = await other.transaction("write");
    const inserted = store.insertUser(makeUser());
    // Were the process itself made to wait for the lock, this would come too late.
    setTimeout(() => held.commit(), 0);
    expect(store.findToken(DIGESTS)).toBeNull();
    expect(await inserted).toBe(true);
  });

  it("passes with all that came meanwhile (R12)", async () => {
    const { store, other } = await open();
    const held = await other.transaction("write");
    const users = Array.from({ length: 40 }, (_, index) => {
      return makeUser({ id: `${index}`, username: `${index}` });
    });
    const inserted = Promise.all(users.map((user) => store.insertUser(user)));
    setTimeout(() => held.commit(), 0);
    expect(await inserted).toEqual(users.map(() => true));
    const found = await Promise.all(users.map(({ id }) => libsqlStore(other).findUser(id)));
    expect(found).toEqual(users);
  });

  it("is not poisoned where even readers are kept out, without write-ahead logging (R12)", async () => {
    const url = databases.fileUrl();
    const other = databases.connect(url);
    for (const sql of schemaStatements) await other.execute(sql);
    const store = databases.openSync(url, { busyTimeout: 0 });
    await store.insertToken(makeToken());
    expect(store.findToken(DIGESTS)).not.toBeInstanceOf(Promise);
    const held = await other.transaction("write");
    await held.execute("update latchkey_token set name = 'held'");
    // Its lock becomes exclusive when what it wrote no longer fits its memory.
    await held.execute("pragma cache_size = 1");
    await held.execute("pragma cache_spill = 1");
    await held.execute(
      `insert into latchkey_event (at, type, detail)
       select value, 'sample', hex(randomblob(2000)) from json_each('[1,2,3,4,5,6,7,8,9,10]')`,
    );
    for (const [, act] of verbs) await expect(act(store)).rejects.toMatchObject(BUSY);
    await held.commit();
    expect(store.findToken(DIGESTS)).toMatchObject({ token: { name: "held" } });

    // A reader lets a writer begin and not commit.
    const reading = await other.transaction("read");
    await reading.execute("select * from latchkey_token");
    await expect(store.revokeToken("token-1", revocation)).rejects.toMatchObject(BUSY);
    await reading.commit();
    expect(store.findToken(DIGESTS)).toMatchObject({ token: { revokedAt: null } });
    expect(await store.revokeToken("token-1", revocation)).toBe(true);
    const { rows } = await other.execute("select revoked_at from latchkey_token");
    expect(rows[0]?.[0]).toBe(revocation.at);
    // Nor does anything of the readers that were kept out hold on to the file.
    expect(await libsqlStore(other, { busyTimeout: 0 }).insertUser(makeUser())).toBe(true);
  });
});

describe("libsqlSyncStore fails", () => {
  it.each([
    "",
    "a\0b",
    "file:app.db",
    "libsql://example.org",
    "https://example.org",
    "file::memory:",
  ])(
    "at once with the path %j",
    (path) => expect(() => libsqlSyncStore(path)).toThrow(TypeError),
  );

  it.each([5, null, undefined, {}, Buffer.from("app.db")])("at once with the path %s", (path) => {
    expect(() => Reflect.apply(libsqlSyncStore, undefined, [path])).toThrow(TypeError);
  });

  it.each([-1, Number.NaN, Infinity])("at once with a busyTimeout of %d", (busyTimeout) => {
    expect(() => libsqlSyncStore(":memory:", { busyTimeout })).toThrow(RangeError);
  });

  it("at once where no file can be, naming no path", () => {
    expect(() => libsqlSyncStore(tmpdir())).toThrow(
      expect.objectContaining({
        name: "StoreError",
        message: "Cannot open the store: the store failed (SQLITE_CANTOPEN)",
      }),
    );
  });

  it.each(verbs)("to %s in a file that is no database, and on a closed connection", async (
    _,
    act,
  ) => {
    const url = databases.fileUrl();
    writeFileSync(pathOf(url), "no database ".repeat(1_000));
    await expect(act(databases.openSync(url))).rejects.toThrow("SQLITE_NOTADB");
    const { store } = await open();
    await act(store);
    store.close();
    store.close();
    await expect(act(store)).rejects.toMatchObject({
      name: "StoreError",
      code: "unavailable",
      message: expect.stringContaining("(CLIENT_CLOSED)"),
    });
  });

  it("to find anything in missing tables with migrate: false, and makes them otherwise", async () => {
    const { url, store, other } = await open();
    await store.insertToken(makeToken());
    const strict = databases.openSync(url, { migrate: false });
    expect(strict.findToken(DIGESTS)).not.toBeInstanceOf(Promise);
    for (const table of ["token", "user", "attempt", "event", "schema"]) {
      await other.execute(`drop table latchkey_${table}`);
    }
    for (const [, act] of verbs) await expect(act(strict)).rejects.toThrow("SQLITE_ERROR");
    expect(await store.findToken(DIGESTS)).toBeNull();
    expect(await strict.insertUser(makeUser())).toBe(true);
    expect(await store.findUser("user-1")).toEqual(makeUser());
  });

  it("whole: a statement that ends its transaction leaves nothing behind (C1)", async () => {
    const { store, other } = await open();
    await store.insertUser(makeUser());
    for (const action of ["abort", "rollback", "fail"]) {
      await other.execute(
        `create trigger broken after update on latchkey_user begin
         select raise(${action}, 'broken'); end`,
      );
      for (let attempt = 0; attempt < 3; attempt++) {
        await expect(store.startEpoch("user-1")).rejects.toMatchObject({ code: "unavailable" });
      }
      await other.execute("drop trigger broken");
      expect((await store.findUser("user-1"))?.epoch).toBe(0);
      expect(await store.setActive("user-1", true, KEEP)).toBe(true);
    }
    expect((await libsqlStore(other).findUser("user-1"))?.epoch).toBe(0);
  });

  it("with a conflict at a unique value, again and again", async () => {
    const { store } = await open();
    await store.insertToken(makeToken({ slot: "login" }));
    await store.insertUser(makeUser());
    const conflict = { name: "StoreError", code: "conflict" };
    for (const changes of [{ digest: "b" }, { id: "2" }, { id: "2", digest: "b", slot: "login" }]) {
      await expect(store.insertToken(makeToken(changes))).rejects.toMatchObject(conflict);
    }
    await expect(store.insertUser(makeUser({ username: "eve" }))).rejects.toMatchObject(conflict);
    expect(await store.insertToken(makeToken({ id: "2", digest: "b" }))).not.toBeNull();
  });

  it("without SQL, arguments or the driver's error", async () => {
    const { store, other } = await open();
    const secret = "s3ntinel";
    const token = makeToken({ id: secret, owner: secret, digest: secret, scopes: [secret] });
    await store.insertToken(token);
    const errors = [await rejection(store.insertToken(token))];
    await other.execute(`update latchkey_token set created_at = '${secret}'`);
    errors.push(await rejection(Promise.resolve(store.findToken([token.digest]))));
    await other.execute("update latchkey_token set created_at = x'01'");
    errors.push(await rejection(Promise.resolve(store.findToken([token.digest]))));
    store.close();
    errors.push(await rejection(store.findUserByName(secret)));
    for (const error of errors) {
      expect(error).toMatchObject({ name: "StoreError" });
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(
        /s3ntinel|latchkey_|insert into|select |UNIQUE constraint/,
      );
    }
  });
});

describe("libsqlSyncStore on tables that were there before", () => {
  it.each([{ version: 1, made: version1 }, { version: 2, made: version2 }])(
    "brings those of version $version up to date, with their rows (D7)",
    async ({ made }) => {
      const url = databases.fileUrl();
      const client = databases.connect(url);
      for (const sql of made) await client.execute(sql);
      const stores = Array.from({ length: 4 }, () => databases.openSync(url));
      const found = await Promise.all(stores.map((store) => store.findToken(DIGESTS)));
      for (const owned of found) expect(owned?.token).toEqual(makeToken({ slot: "login" }));
      expect(found).toEqual(stores.map((store) => store.findToken(DIGESTS)));
      const journal = await databases.connect(url).execute("pragma journal_mode");
      expect(journal.rows[0]?.[0]).toBe("wal");
    },
  );

  it("reads what libsqlStore wrote, and the other way round", async () => {
    const { store, other } = await open();
    const through = libsqlStore(other);
    await through.insertToken(
      makeToken({ name: 'é "\\ \u{1f511} \u0001', expiresAt: 2 ** 53 - 1 }),
    );
    expect(store.findToken(DIGESTS)).toEqual(await through.findToken(DIGESTS));
    await store.insertToken(makeToken({ id: "2", digest: "b", scopes: [], lastUsedAt: -1 }));
    expect(await through.listTokens("user-1", { limit: 9 })).toEqual(
      await store.listTokens("user-1", { limit: 9 }),
    );
  });
});

/** A store in a new file with its tables, and a client of the same file. */
async function open(options: Parameters<typeof libsqlSyncStore>[1] = {}) {
  const url = databases.fileUrl();
  const store = databases.openSync(url, options);
  await store.findUser("nobody");
  return { url, store, other: databases.connect(url) };
}

function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error("Expected a rejection");
    },
    (error: unknown) => error,
  );
}
