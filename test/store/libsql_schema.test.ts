import { getTableConfig, SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import {
  latchkeyAttempt,
  latchkeyEvent,
  latchkeySchema,
  latchkeyToken,
  latchkeyUser,
  libsqlStore,
  migrate,
  schemaStatements,
  schemaVersion,
} from "latchkey/libsql";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabases, watchClient } from "./database.ts";
import { toUser } from "../../src/pure/user.ts";
import { version1, version2 } from "./old_schema.ts";
import { makeLimit, makeSuccessor, makeToken, makeUser, revocation } from "./record.ts";

const databases = openDatabases();
afterAll(() => databases.close());

const tables = [latchkeyToken, latchkeyUser, latchkeyAttempt, latchkeyEvent, latchkeySchema];
const versions = [{ version: 1, made: version1 }, { version: 2, made: version2 }];

describe("migrate", () => {
  it.each(tables)("makes the table that drizzle knows (D6)", async (table) => {
    const client = databases.connect(":memory:");
    await migrate(client);
    const drizzle = getTableConfig(table);
    const dialect = new SQLiteSyncDialect();

    const columns = await client.execute(`pragma table_info(${drizzle.name})`);
    expect(columns.rows.map((row) => ({
      name: row["name"],
      type: String(row["type"]).toLowerCase(),
      notNull: row["notnull"] === 1,
      primary: row["pk"] === 1,
      default: row["dflt_value"]?.toString().replaceAll("'", ""),
    }))).toEqual(drizzle.columns.map((column) => ({
      name: column.name,
      type: column.getSQLType(),
      notNull: column.notNull,
      primary: column.primary,
      default: column.default === undefined ? undefined : String(column.default),
    })));

    const indexes = await client.execute(
      `select "unique", partial,
       (select group_concat(coalesce(name, 'expression')) from pragma_index_info(list.name)) as columns
       from pragma_index_list('${drizzle.name}') list where origin <> 'pk' order by columns`,
    );
    expect(indexes.rows.map((row) => [row["unique"] === 1, row["partial"] === 1, row["columns"]]))
      .toEqual(
        drizzle.indexes.map(({ config }) => [
          config.unique,
          config.where !== undefined,
          config.columns.map((column) => "name" in column ? column.name : "expression").join(),
        ]).sort(([, , left], [, , right]) => String(left) < String(right) ? -1 : 1),
      );
    const named = await client.execute(
      `select name, sql from sqlite_master where type = 'index' and tbl_name = '${drizzle.name}'
       and sql is not null`,
    );
    for (const { name, sql } of named.rows) {
      const config = drizzle.indexes.find((index) => index.config.name === name)?.config;
      const parts = (config?.columns ?? []).map((column) =>
        "name" in column ? column.name : dialect.sqlToQuery(column).sql
      );
      const where = config?.where === undefined
        ? ""
        : ` where ${dialect.sqlToQuery(config.where).sql}`;
      const text = String(sql).replace(/\s+/g, " ");
      expect(text).toMatch(new RegExp(`^create ${config?.unique ? "unique " : ""}index`, "i"));
      expect(text.endsWith(`on ${drizzle.name} (${parts.join(", ")})${where}`)).toBe(true);
    }

    const made = await client.execute(
      `select sql from sqlite_master where type = 'table' and name = '${drizzle.name}'`,
    );
    const checks = [...String(made.rows[0]?.["sql"]).matchAll(/constraint (\w+) check \((.*)\)/g)];
    expect(checks.map(([, name, condition]) => [name, condition])).toEqual(
      drizzle.checks.map(({ name, value }) => [
        name,
        dialect.sqlToQuery(value).sql.replaceAll(`"${drizzle.name}".`, "").replaceAll('"', ""),
      ]),
    );
    expect(drizzle.foreignKeys).toEqual([]);
    expect(drizzle.uniqueConstraints).toEqual([]);
  });

  it("changes nothing when it runs again , and keeps what is stored (D7)", async () => {
    const client = databases.connect(databases.fileUrl());
    await migrate(client);
    await libsqlStore(client).insertUser(makeUser());
    const before = await client.execute("select type, name, sql from sqlite_master order by name");
    await migrate(client);
    const after = await client.execute("select type, name, sql from sqlite_master order by name");
    expect(after.rows).toEqual(before.rows);
    expect(after.rows.filter((row) => row["type"] === "table")).toHaveLength(tables.length);
    expect(await libsqlStore(client).findUser("user-1")).toEqual(makeUser());
  });

  it("runs from many connections to one new file at once (D7)", async () => {
    const url = databases.fileUrl();
    const clients = Array.from({ length: 8 }, () => databases.connect(url));
    await Promise.all(clients.map((client) => migrate(client)));
    const found = await Promise.all(clients.map((client) => libsqlStore(client).findUser("1")));
    expect(found).toEqual(clients.map(() => null));
  });

  it("finishes what was half done (D7)", async () => {
    const client = databases.connect(databases.fileUrl());
    await client.execute(schemaStatements[1] ?? "");
    await migrate(client);
    const names = await client.execute(
      "select count(*) as count from sqlite_master where sql not null",
    );
    expect(names.rows[0]?.["count"]).toBe(schemaStatements.length - 1);
  });

  it("asks only for the version where nothing is to be done", async () => {
    const { client, calls } = watchClient(databases.connect(":memory:"));
    await migrate(client);
    calls.length = 0;
    await migrate(client);
    expect(calls.map(({ sql }) => sql)).toEqual(["select version from latchkey_schema"]);
  });

  it("switches a file to write-ahead logging", async () => {
    const client = databases.connect(databases.fileUrl());
    await migrate(client);
    expect((await client.execute("pragma journal_mode")).rows[0]?.["journal_mode"]).toBe("wal");
  });

  it("is harmless where the journal cannot be switched", async () => {
    const { client } = watchClient(databases.connect(":memory:"), ({ sql }) => {
      if (sql.startsWith("pragma")) throw new Error("not authorized");
    });
    await migrate(client);
    expect(await libsqlStore(client).findUser("1")).toBeNull();
  });
});

describe.each(versions)("a database of version $version", ({ made }) => {
  const places = [
    { place: "a file", connect: async () => databases.connect(databases.fileUrl()) },
    { place: "memory", connect: async () => databases.connect(":memory:") },
    { place: "a server", connect: () => databases.connectToServer() },
  ];

  it.each(places)("is brought up to date by a store, with its rows, on $place (D7)", async ({
    connect,
  }) => {
    const client = await connect();
    for (const sql of made) await client.execute(sql);
    const store = libsqlStore(client);
    const token = makeToken({ slot: "login" });
    expect(await store.findToken([token.digest])).toEqual({
      token,
      user: toUser(makeUser()),
      epoch: 0,
      successor: null,
    });
    expect((await store.findToken(["b".repeat(64)]))?.token).toEqual(makeToken({
      id: "token-2",
      digest: "b".repeat(64),
      pepper: "p",
      scopes: [],
      createdAt: 2,
      expiresAt: 9,
      revokedAt: 5,
      revokedReason: "revoked",
    }));
    expect(await store.findUserByName("ada")).toEqual(makeUser());
    const successor = makeSuccessor(token);
    expect(await store.rotateToken(successor)).toEqual(successor);
    expect(await store.revokeFamily("token-1", revocation)).toBe(2);
    expect(await store.startEpoch("user-1")).toBe(true);
    const windows = [{ key: "key-1", count: 1, endsAt: 101 }];
    expect(await store.takeAttempts([makeLimit()], 1)).toEqual(windows);
    expect(await store.findAttempts(["key-1"], 1)).toEqual(windows);
  });

  it("becomes what a new one is (D7)", async () => {
    const [old, fresh] = [databases.connect(":memory:"), databases.connect(":memory:")];
    for (const sql of made) await old.execute(sql);
    for (const client of [old, fresh]) await migrate(client);
    for (const { name } of tables.map((table) => getTableConfig(table))) {
      const ask = `select name, type, "notnull", dflt_value, pk from pragma_table_info('${name}')`;
      expect((await old.execute(ask)).rows).toEqual((await fresh.execute(ask)).rows);
    }
    const ask = "select name, sql from sqlite_master where type = 'index' order by name";
    expect((await old.execute(ask)).rows).toEqual((await fresh.execute(ask)).rows);
    expect((await old.execute("select version from latchkey_schema")).rows[0]?.[0]).toBe(
      schemaVersion,
    );
  });

  it("is brought up to date by many connections at once (D7)", async () => {
    const url = databases.fileUrl();
    const first = databases.connect(url);
    for (const sql of made) await first.execute(sql);
    const clients = Array.from({ length: 8 }, () => databases.connect(url));
    const digests = [makeToken().digest];
    const found = await Promise.all(
      clients.map((client) => libsqlStore(client).findToken(digests)),
    );
    for (const owned of found) expect(owned?.token).toEqual(makeToken({ slot: "login" }));
  });

  it("is brought up to date after a stop at any statement (C1, D7)", async () => {
    for (let stop = 1, isDone = false; !isDone; stop++) {
      const inner = databases.connect(":memory:");
      for (const sql of made) await inner.execute(sql);
      const { client } = watchClient(inner, (_, count) => {
        if (count === stop) throw new Error("killed");
      });
      // The journal is switched where it can be; that failure alone is passed over.
      const outcome = await migrate(client).then(() => "done", () => "stopped");
      isDone = outcome === "done" && stop > 2;
      const token = makeToken({ slot: "login" });
      expect((await libsqlStore(inner).findToken([token.digest]))?.token).toEqual(token);
      expect((await libsqlStore(inner).rotateToken(makeSuccessor(token)))?.id).toBe("token-1-2");
      expect(await libsqlStore(inner).takeAttempts([makeLimit({ max: 1 })], 1)).toHaveLength(1);
      inner.close();
    }
  });

  it("may still be written by a program of that version during the change", async () => {
    const client = databases.connect(":memory:");
    for (const sql of made) await client.execute(sql);
    const store = libsqlStore(client);
    await store.findUser("user-1");
    await client.execute(
      `insert into latchkey_token
       (id, owner, digest, pepper, scopes, slot, created_at, expires_at, revoked_at) values
       ('old-1', 'user-1', '${"c".repeat(64)}', null, '', null, 1, null, null),
       ('old-2', 'user-1', '${"d".repeat(64)}', null, '', null, 1, null, 7)`,
    );
    expect((await store.findToken(["c".repeat(64)]))?.token.family).toBe("old-1");
    expect((await store.findToken(["d".repeat(64)]))?.token.revokedReason).toBe("revoked");
    expect(await store.revokeFamily("", revocation)).toBe(0);
    expect(await store.revokeFamily("old-1", revocation)).toBe(1);
  });
});

describe("a database of a newer version", () => {
  it("is refused, and nothing in it changes (D7)", async () => {
    const client = databases.connect(":memory:");
    await migrate(client);
    await libsqlStore(client).insertToken(makeToken());
    await client.execute("update latchkey_schema set version = version + 1");
    const refused = {
      name: "StoreError",
      code: "unavailable",
      message: "Cannot migrate: the store failed (SCHEMA_TOO_NEW)",
    };
    await expect(migrate(client)).rejects.toMatchObject(refused);
    const store = libsqlStore(client);
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(store.findToken([makeToken().digest])).rejects.toMatchObject(refused);
      await expect(store.insertUser(makeUser())).rejects.toMatchObject(refused);
    }
    const { rows } = await client.execute("select version from latchkey_schema");
    expect(rows[0]?.[0]).toBe(schemaVersion + 1);
    await client.execute(schemaStatements.at(-1) ?? "");
    expect((await client.execute("select version from latchkey_schema")).rows).toEqual(rows);
  });

  it.each(["'two'", "1.5", "x'02'"])("is not told by a version of %s", async (version) => {
    const client = databases.connect(":memory:");
    await migrate(client);
    await client.execute(`update latchkey_schema set version = ${version}`);
    await expect(migrate(client)).rejects.toThrow("MALFORMED_ROW");
  });

  it("leaves the database's own user_version to the application", async () => {
    const client = databases.connect(":memory:");
    await client.execute("pragma user_version = 99");
    expect(await libsqlStore(client).findUser("1")).toBeNull();
    expect((await client.execute("pragma user_version")).rows[0]?.[0]).toBe(99);
  });
});

describe("a store whose tables do not exist", () => {
  const places = [
    { place: "a file", connect: async () => databases.connect(databases.fileUrl()) },
    { place: "memory", connect: async () => databases.connect(":memory:") },
    { place: "a server", connect: () => databases.connectToServer() },
  ];

  it.each(places)("makes them once for many callers, on $place", async ({ connect }) => {
    const { client, calls } = watchClient(await connect());
    const store = libsqlStore(client);
    const users = Array.from(
      { length: 10 },
      (_, index) => makeUser({ id: String(index), username: String(index) }),
    );
    const inserted = await Promise.all(users.map((user) => store.insertUser(user)));
    expect(inserted).toEqual(users.map(() => true));
    expect(calls.filter(({ sql }) => sql.startsWith("create table"))).toHaveLength(
      tables.length,
    );
    calls.length = 0;
    await store.insertToken(makeToken());
    expect(calls).toHaveLength(1);
  });

  it.each(places)("is a StoreError with migrate: false, on $place", async ({ connect }) => {
    const { client, calls } = watchClient(await connect());
    const store = libsqlStore(client, { migrate: false });
    await expect(store.findUser("1")).rejects.toMatchObject({
      name: "StoreError",
      code: "unavailable",
    });
    expect(calls).toHaveLength(1);
  });

  it("fails when they cannot be made, and makes them when they can", async () => {
    let isBroken = true;
    const { client } = watchClient(databases.connect(":memory:"), ({ sql }) => {
      if (isBroken && sql.startsWith("create")) throw new Error("disk full");
    });
    const store = libsqlStore(client);
    await expect(store.insertUser(makeUser())).rejects.toMatchObject({ name: "StoreError" });
    isBroken = false;
    expect(await store.insertUser(makeUser())).toBe(true);
  });
});
