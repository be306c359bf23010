// deno-lint-ignore-file require-await -- the port is asynchronous
import { createClient, type InArgs } from "@libsql/client";
import { libsqlStore, migrate } from "latchkey/libsql";
import { storeContract } from "latchkey/testing";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabases, watchClient } from "./database.ts";
import { makeToken, makeUser } from "./record.ts";

const databases = openDatabases();
afterAll(() => databases.close());

const places = [
  { place: "a file", connect: async () => databases.connect(databases.fileUrl()) },
  { place: "memory", connect: async () => databases.connect(":memory:") },
  { place: "a server", connect: () => databases.connectToServer() },
];

describe.each(places)("libsqlStore on $place keeps the contract:", ({ connect }) => {
  for (const law of storeContract()) {
    it(law.name, () => law.run(async () => libsqlStore(await connect())));
  }
});

describe("libsqlStore asks the database", () => {
  it.each([1, 2, 5])(
    "once for a token and its owner among %i digests, by the indexes",
    async (count) => {
      const inner = databases.connect(databases.fileUrl());
      await libsqlStore(inner).insertUser(makeUser());
      await libsqlStore(inner).insertToken(makeToken());
      const { client, calls } = watchClient(inner);
      const digests = Array.from(
        { length: count },
        (_, index) => makeToken({ digest: `a${index}` }).digest,
      );
      digests[count - 1] = makeToken().digest;
      const found = await libsqlStore(client).findToken(digests);
      expect(found).toMatchObject({ token: { id: "token-1" }, user: { username: "ada" } });

      expect(calls.map((call) => call.method)).toEqual(["execute"]);
      const [call] = calls;
      expect(call?.sql).not.toMatch(/password/);
      const plan = await inner.execute({ sql: `explain query plan ${call?.sql}`, args: digests });
      const steps = plan.rows.map((row) => String(row["detail"]));
      expect(steps).toEqual([
        expect.stringMatching(
          /^SEARCH latchkey_token USING INDEX sqlite_autoindex_\w+ \(digest=\?\)/,
        ),
        expect.stringMatching(/^SEARCH latchkey_user USING INDEX sqlite_autoindex_\w+ \(id=\?\)/),
      ]);
    },
  );

  it("once for every other verb, by an index and never in a transaction", async () => {
    const inner = databases.connect(databases.fileUrl());
    await migrate(inner);
    const { client, calls } = watchClient(inner);
    const store = libsqlStore(client);
    await store.insertUser(makeUser());
    await store.insertUser(makeUser({ id: "user-2" }));
    await store.findUser("user-1");
    await store.findUserByName("ada");
    await store.replacePassword("user-1", "$new$");
    await store.replacePassword("user-1", "$newer$", "$new$");
    await store.setActive("user-1", false);
    await store.insertToken(makeToken());
    await store.ensureToken({ ...makeToken({ id: "token-2", digest: "b" }), slot: "login" });
    await store.ensureToken({ ...makeToken({ id: "token-3", digest: "c" }), slot: "login" });
    await store.revokeToken("token-2", 1);
    expect(calls.map((call) => call.method)).toEqual(Array.from({ length: 11 }, () => "execute"));

    for (const call of calls.filter(({ sql }) => !sql.startsWith("insert"))) {
      const plan = await inner.execute({
        sql: `explain query plan ${call.sql}`,
        args: asArgs(call.args),
      });
      const steps = plan.rows.map((row) => String(row["detail"]));
      const index = call.sql.includes('"username" = ?') ? /INDEX \w+ \(username=\?\)/ : /INDEX/;
      expect(steps).toEqual([expect.stringMatching(index)]);
      expect(steps.join()).toMatch(/^SEARCH/);
    }
    const sql = "explain query plan select id from latchkey_token where owner = 'user-1'";
    const plan = await inner.execute(sql);
    expect(String(plan.rows[0]?.["detail"])).toMatch(/INDEX \w+ \(owner=\?\)/);
  });

  it("nothing when no digest could be stored", async () => {
    const { client, calls } = watchClient(databases.connect(":memory:"));
    expect(await libsqlStore(client).findToken(["a\0b", "\ud800"])).toBeNull();
    expect(calls).toEqual([]);
  });
});

describe("libsqlStore checks at its boundary", () => {
  it.each([
    ["latchkey_token", "scopes", "'a  b'"],
    ["latchkey_token", "scopes", "x'61'"],
    ["latchkey_token", "digest", "zeroblob(64)"],
    ["latchkey_token", "owner", "x'61'"],
    ["latchkey_token", "created_at", "'soon'"],
    ["latchkey_token", "expires_at", "1.5"],
    ["latchkey_token", "revoked_at", "x''"],
    ["latchkey_token", "expires_at", "9007199254740993"],
    ["latchkey_user", "is_active", "2"],
    ["latchkey_user", "is_superuser", "'true'"],
    ["latchkey_user", "username", "x'61'"],
  ])("that a stored %s has no %s of %s", async (table, column, value) => {
    const client = databases.connect(":memory:");
    const store = libsqlStore(client);
    await store.insertUser(makeUser());
    await store.insertToken(makeToken());
    await client.execute(`update ${table} set ${column} = ${value}`);
    const digests = [makeToken().digest];
    // A digest that is a blob equals no text, so it is simply not found.
    const found = await store.findToken(digests).catch((error: unknown) => error);
    if (column === "digest") expect(found).toBeNull();
    else expect(found).toMatchObject({ name: "StoreError", code: "unavailable" });
  });

  const values: readonly unknown[] = [
    5,
    true,
    { $ne: null },
    ["a"],
    new Date(0),
    1n,
    undefined,
    "a\0b",
  ];
  it.each(values)("that no argument is %s", async (value) => {
    const store = libsqlStore(databases.connect(":memory:"));
    const user = makeUser();
    await store.insertUser(user);
    const token = makeToken();
    await store.insertToken(token);
    const hostile = disguise(value);
    expect(await store.findUser(hostile)).toBeNull();
    expect(await store.findUserByName(hostile)).toBeNull();
    expect(await store.findToken([hostile])).toBeNull();
    expect(await store.revokeToken(hostile, 1)).toBe(false);
    expect(await store.setActive(hostile, false)).toBe(false);
    expect(await store.replacePassword(hostile, "b")).toBe(false);
    const refused = { name: "StoreError", message: expect.stringContaining("UNSTORABLE_VALUE") };
    await expect(store.replacePassword("user-1", hostile)).rejects.toMatchObject(refused);
    await expect(store.insertUser({ ...user, id: "2", username: hostile })).rejects.toMatchObject(
      refused,
    );
    for (const field of ["id", "owner", "digest", "pepper", "slot"]) {
      await expect(store.insertToken({ ...token, [field]: hostile })).rejects.toMatchObject(
        refused,
      );
    }
    await expect(store.insertToken({ ...token, id: "2", scopes: [hostile] })).rejects.toMatchObject(
      refused,
    );
    expect(await store.findUser("user-1")).toEqual(user);
    expect((await store.findToken([token.digest]))?.token).toEqual(token);
  });

  it.each([1.5, Number.NaN, Infinity, 2 ** 53])("that no time is %d", async (time) => {
    const store = libsqlStore(databases.connect(":memory:"));
    const refused = { message: expect.stringContaining("UNSTORABLE_VALUE") };
    await expect(store.insertToken(makeToken({ expiresAt: time }))).rejects.toMatchObject(refused);
    await expect(store.insertUser(makeUser({ createdAt: time }))).rejects.toMatchObject(refused);
    await expect(store.revokeToken("token-1", time)).rejects.toMatchObject(refused);
  });

  it.each(["", "a b", " "])("that no scope is %j, which would read as others", async (scope) => {
    const store = libsqlStore(databases.connect(":memory:"));
    await expect(store.insertToken(makeToken({ scopes: ["a", scope] }))).rejects.toThrow(
      "UNSTORABLE_VALUE",
    );
  });

  it("that a digest has 64 characters", async () => {
    const store = libsqlStore(databases.connect(":memory:"));
    const short = { ...makeToken(), digest: "abc" };
    await expect(store.insertToken(short)).rejects.toMatchObject({ code: "unavailable" });
  });
});

it.each(["number", "bigint", "string"] as const)(
  "integers read as %s make the same records",
  async (intMode) => {
    const client = createClient({ url: ":memory:", intMode });
    const store = libsqlStore(client);
    const [user, token] = [
      makeUser({ isStaff: true }),
      makeToken({ expiresAt: 1_700_000_000_000 }),
    ];
    await store.insertUser(user);
    await store.insertToken(token);
    expect(await store.findUser(user.id)).toEqual(user);
    expect((await store.findToken([token.digest]))?.token).toEqual(token);
    client.close();
  },
);

it.each([-1, Number.NaN, Infinity])(
  "libsqlStore refuses a busyTimeout of %d",
  async (busyTimeout) => {
    const client = databases.connect(":memory:");
    expect(() => libsqlStore(client, { busyTimeout })).toThrow(RangeError);
    await expect(migrate(client, { busyTimeout })).rejects.toThrow(RangeError);
  },
);

/** What a caller without types may hand over. */
function disguise(value: unknown): string {
  const disguised: string[] = [];
  Reflect.set(disguised, 0, value);
  for (const text of disguised) return text;
  return "";
}

function asArgs(args: unknown): InArgs {
  return Array.isArray(args) ? args : [];
}
