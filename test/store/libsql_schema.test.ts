// deno-lint-ignore-file require-await -- the port is asynchronous
import { getTableConfig, SQLiteSyncDialect } from "drizzle-orm/sqlite-core";
import {
  latchkeyToken,
  latchkeyUser,
  libsqlStore,
  migrate,
  schemaStatements,
} from "latchkey/libsql";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabases, watchClient } from "./database.ts";
import { makeToken, makeUser } from "./record.ts";

const databases = openDatabases();
afterAll(() => databases.close());

describe("migrate", () => {
  it.each([latchkeyToken, latchkeyUser])("makes the table that drizzle knows", async (table) => {
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
      default: row["dflt_value"],
    }))).toEqual(drizzle.columns.map((column) => ({
      name: column.name,
      type: column.getSQLType(),
      notNull: column.notNull,
      primary: column.primary,
      default: null,
    })));

    const indexes = await client.execute(
      `select "unique", (select group_concat(name) from pragma_index_info(list.name)) as columns
       from pragma_index_list('${drizzle.name}') list where origin <> 'pk' order by columns`,
    );
    expect(indexes.rows.map((row) => [row["unique"] === 1, row["columns"]])).toEqual(
      drizzle.indexes.map(({ config }) => [
        config.unique,
        config.columns.map((column) => "name" in column ? column.name : "").join(),
      ]).sort(([, left], [, right]) => String(left) < String(right) ? -1 : 1),
    );

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

  it("changes nothing when it runs again, and keeps what is stored", async () => {
    const client = databases.connect(databases.fileUrl());
    await migrate(client);
    await libsqlStore(client).insertUser(makeUser());
    const before = await client.execute("select type, name, sql from sqlite_master order by name");
    await migrate(client);
    const after = await client.execute("select type, name, sql from sqlite_master order by name");
    expect(after.rows).toEqual(before.rows);
    expect(after.rows.filter((row) => row["type"] === "table")).toHaveLength(2);
    expect(await libsqlStore(client).findUser("user-1")).toEqual(makeUser());
  });

  it("runs from many connections to one new file at once", async () => {
    const url = databases.fileUrl();
    const clients = Array.from({ length: 8 }, () => databases.connect(url));
    await Promise.all(clients.map((client) => migrate(client)));
    const found = await Promise.all(clients.map((client) => libsqlStore(client).findUser("1")));
    expect(found).toEqual(clients.map(() => null));
  });

  it("finishes what was half done", async () => {
    const client = databases.connect(databases.fileUrl());
    await client.execute(schemaStatements[1] ?? "");
    await migrate(client);
    const names = await client.execute(
      "select count(*) as count from sqlite_master where sql not null",
    );
    expect(names.rows[0]?.["count"]).toBe(schemaStatements.length);
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
    expect(calls.filter(({ sql }) => sql.startsWith("create table"))).toHaveLength(2);
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
