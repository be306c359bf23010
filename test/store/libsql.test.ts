import { type Client, createClient, type InArgs } from "@libsql/client";
import { libsqlStore, migrate } from "latchkey/libsql";
import { storeContract } from "latchkey/testing";
import { afterAll, describe, expect, it } from "vitest";
import { type Call, openDatabases, watchClient } from "./database.ts";
import { readLibsqlEvents } from "./events.ts";
import { makeLimit, makeSuccessor, makeToken, makeUser, revocation } from "./record.ts";
import { titleOf } from "./threats.ts";

type Store = ReturnType<typeof libsqlStore>;

const KEEP = { newEpoch: false };
const databases = openDatabases();
afterAll(() => databases.close());

const places = [
  { place: "a file", connect: async () => databases.connect(databases.fileUrl()) },
  { place: "memory", connect: async () => databases.connect(":memory:") },
  { place: "a server", connect: () => databases.connectToServer() },
];

describe.each(places)("libsqlStore on $place keeps the contract:", ({ connect }) => {
  const clients = new WeakMap<object, Client>();
  const laws = storeContract({
    async readEvents(store) {
      const client = clients.get(store);
      return client === undefined ? [] : await readLibsqlEvents(client);
    },
  });
  for (const law of laws) {
    it(titleOf(law), () =>
      law.run(async () => {
        const client = await connect();
        const store = libsqlStore(client);
        clients.set(store, client);
        return store;
      }));
  }
});

/** How SQLite goes about a statement, as lines. */
async function explain(client: Client, { sql, args }: Call): Promise<readonly string[]> {
  const plan = await client.execute({ sql: `explain query plan ${sql}`, args: asArgs(args) });
  return plan.rows.map((row) => String(row["detail"]));
}

/** What no statement may do: read a table from end to end. Lists of arguments are read whole. */
const WHOLE_TABLE = /SCAN (?:latchkey|t$|u$|s$|p$|old)/;

describe("libsqlStore asks the database", () => {
  it.each([1, 2, 5])(
    "once for a token, its owner and its successor among %i digests, by the indexes (D9)",
    async (count) => {
      const inner = databases.connect(databases.fileUrl());
      const token = makeToken();
      await libsqlStore(inner).insertUser(makeUser());
      await libsqlStore(inner).insertToken(token);
      await libsqlStore(inner).rotateToken(makeSuccessor(token, { digest: "b" }));
      const { client, calls } = watchClient(inner);
      const digests = Array.from(
        { length: count },
        (_, index) => makeToken({ digest: `a${index}` }).digest,
      );
      digests[count - 1] = token.digest;
      const found = await libsqlStore(client, { migrate: false }).findToken(digests);
      expect(found).toMatchObject({
        token: { id: "token-1" },
        user: { username: "ada" },
        epoch: 0,
        successor: { id: "token-1-2", overlapUntil: 100 },
      });

      expect(calls.map((call) => call.method)).toEqual(["execute"]);
      const [call] = calls;
      if (call === undefined) throw new Error("Expected a call");
      expect(call.sql).not.toMatch(/password|s\.digest|update|insert|delete/);
      expect(await explain(inner, call)).toEqual([
        expect.stringMatching(/^SEARCH t USING INDEX sqlite_autoindex_\w+ \(digest=\?\)/),
        expect.stringMatching(/^SEARCH u USING INDEX sqlite_autoindex_\w+ \(id=\?\)/),
        expect.stringMatching(
          /^SEARCH s USING INDEX latchkey_token_predecessor \(predecessor=\?\)/,
        ),
      ]);
    },
  );

  const after = { createdAt: 1, id: "token-1" };
  const uses = [{ id: "token-1", usedAt: 2 }, { id: "token-2", usedAt: 3 }];
  const slotToken = { ...makeToken({ id: "4", digest: "4" }), slot: "login" };
  const [limited, other] = [makeToken({ id: "3", digest: "3" }), makeUser({ id: "2" })];
  const statements: readonly (readonly [string, RegExp, (store: Store) => Promise<unknown>])[] = [
    ["insertToken", /id=/, (store) => store.insertToken(makeToken())],
    [
      "insertToken with a limit",
      /owner=/,
      (store) => store.insertToken(limited, { max: 5, now: 1 }),
    ],
    ["ensureToken", /predecessor=/, (store) => store.ensureToken(slotToken)],
    ["rotateToken", /id=/, (store) => store.rotateToken(makeSuccessor(makeToken()))],
    ["listTokens", /owner=/, (store) => store.listTokens("user-1", { limit: 2 })],
    [
      "listTokens after a position",
      /owner=\? AND \(created_at,id\)</,
      (store) => store.listTokens("user-1", { limit: 2, after }),
    ],
    ["renameToken", /id=/, (store) => store.renameToken("user-1", "token-1", "name")],
    ["revokeToken", /id=/, (store) => store.revokeToken("token-1", revocation)],
    [
      "revokeToken with an owner",
      /id=/,
      (store) => store.revokeToken("token-1", revocation, "user-1"),
    ],
    ["revokeTokens", /owner=/, (store) => store.revokeTokens("user-1", revocation)],
    [
      "revokeTokens but one",
      /owner=/,
      (store) => store.revokeTokens("user-1", revocation, "token-1"),
    ],
    ["revokeFamily", /family=/, (store) => store.revokeFamily("token-1", revocation)],
    ["touchTokens", /id=/, (store) => store.touchTokens(uses)],
    ["pruneTokens", /MULTI-INDEX OR/, (store) => store.pruneTokens(5, 100)],
    ["insertUser", /^$/, (store) => store.insertUser(other)],
    ["findUser", /id=/, (store) => store.findUser("user-1")],
    ["findUserByName", /username=/, (store) => store.findUserByName("ada")],
    ["replacePassword", /id=/, (store) => store.replacePassword("user-1", "$new$", KEEP)],
    [
      "replacePassword expecting one",
      /id=/,
      (store) => store.replacePassword("user-1", "$new$", { newEpoch: true, expected: "$old$" }),
    ],
    ["setActive", /id=/, (store) => store.setActive("user-1", false, KEEP)],
    ["startEpoch", /id=/, (store) => store.startEpoch("user-1")],
    ["deleteUser", /id=/, (store) => store.deleteUser("user-1")],
    ["takeAttempts", /key=/, (store) => store.takeAttempts([makeLimit()], 1)],
    ["findAttempts", /key=/, (store) => store.findAttempts(["key-1", "key-2"], 1)],
    [
      "returnAttempts",
      /key=/,
      (store) => store.returnAttempts([{ key: "key-1", count: 1, endsAt: 9 }]),
    ],
    [
      "pruneAttempts",
      /USING INDEX latchkey_attempt_end \(<expr><\?\)/,
      (store) => store.pruneAttempts(5, 100),
    ],
    [
      "appendEvents",
      /json_each/,
      (store) => store.appendEvents([{ type: "tokens_pruned", at: 1, count: 2 }]),
    ],
  ];
  it.each(statements)("once for %s, by an index and never in a transaction (C1, D9)", async (
    _,
    step,
    act,
  ) => {
    const inner = databases.connect(":memory:");
    await migrate(inner);
    const { client, calls } = watchClient(inner);
    await act(libsqlStore(client, { migrate: false }));
    expect(calls.map((call) => call.method)).toEqual(["execute"]);
    for (const call of calls) {
      const steps = await explain(inner, call);
      expect(steps.join("\n")).toMatch(step);
      expect(steps.filter((line) => WHOLE_TABLE.test(line))).toEqual([]);
      expect(steps.filter((line) => /ORDER BY/.test(line) && !/json_each/.test(steps.join())))
        .toEqual([]);
    }
    inner.close();
  });

  it("by an index of its own for each way in which a token ends (A13)", async () => {
    const inner = databases.connect(":memory:");
    await migrate(inner);
    const { client, calls } = watchClient(inner);
    await libsqlStore(client, { migrate: false }).pruneTokens(5, 100);
    const [call] = calls;
    if (call === undefined) throw new Error("Expected a call");
    const steps = (await explain(inner, call)).join("\n");
    for (const index of ["revoked", "expires", "idle", "overlap"]) {
      expect(steps).toMatch(new RegExp(`USING (?:COVERING )?INDEX latchkey_token_${index} `));
    }
  });

  it("once more before its first statement, for the version of the tables", async () => {
    const { client, calls } = watchClient(databases.connect(":memory:"));
    await migrate(client);
    calls.length = 0;
    const store = libsqlStore(client);
    await Promise.all([store.findUser("1"), store.findUser("2"), store.startEpoch("3")]);
    await store.findUser("4");
    expect(calls.map(({ sql }) => sql.split(" from ")[1]?.split(" ")[0] ?? sql)).toEqual([
      "latchkey_schema",
      "latchkey_user",
      "latchkey_user",
      expect.stringMatching(/^update latchkey_user/),
      "latchkey_user",
    ]);
  });

  it("nothing when there is nothing to find or to do", async () => {
    const { client, calls } = watchClient(databases.connect(":memory:"));
    const store = libsqlStore(client);
    expect(await store.findToken(["a\0b", "\ud800"])).toBeNull();
    expect(await store.findToken([])).toBeNull();
    expect(await store.listTokens("user-1", { limit: 0 })).toEqual([]);
    expect(await store.pruneTokens(5, 0)).toBe(0);
    await store.touchTokens([]);
    await store.appendEvents([]);
    expect(await store.takeAttempts([], 1)).toEqual([]);
    expect(await store.findAttempts([], 1)).toEqual([]);
    expect(await store.findAttempts(["a\0b"], 1)).toEqual([]);
    await store.returnAttempts([]);
    expect(await store.pruneAttempts(5, 0)).toBe(0);
    expect(calls).toEqual([]);
  });
});

const ways = [
  {
    name: "libsqlStore",
    open() {
      const client = databases.connect(":memory:");
      return { client, store: libsqlStore(client) };
    },
  },
  {
    name: "libsqlSyncStore",
    open() {
      const url = databases.fileUrl();
      return { client: databases.connect(url), store: databases.openSync(url) };
    },
  },
];

describe.each(ways)("$name checks at its boundary", ({ open }) => {
  it.each([
    ["latchkey_token", "scopes", "'a  b'"],
    ["latchkey_token", "scopes", "x'61'"],
    ["latchkey_token", "digest", "zeroblob(64)"],
    ["latchkey_token", "owner", "x'61'"],
    ["latchkey_token", "created_at", "'soon'"],
    ["latchkey_token", "expires_at", "1.5"],
    ["latchkey_token", "revoked_at", "x''"],
    ["latchkey_token", "expires_at", "9007199254740993"],
    ["latchkey_token", "epoch", "0.5"],
    ["latchkey_token", "name", "x'61'"],
    ["latchkey_token", "idle_timeout", "'long'"],
    ["latchkey_token", "last_used_at", "1.5"],
    ["latchkey_token", "family", "x'61'"],
    ["latchkey_token", "predecessor", "x'61'"],
    ["latchkey_token", "overlap_until", "'soon'"],
    ["latchkey_token", "revoked_at", "1, revoked_reason = 'boredom'"],
    ["latchkey_user", "epoch", "'now'"],
    ["latchkey_user", "is_active", "2"],
    ["latchkey_user", "is_superuser", "'true'"],
    ["latchkey_user", "username", "x'61'"],
  ])("that a stored %s has no %s of %s (C11, D1)", async (table, column, value) => {
    const { client, store } = open();
    await store.insertUser(makeUser());
    await store.insertToken(makeSuccessor(makeToken({ id: "0" }), { digest: "a1" }));
    await client.execute(`update ${table} set ${column} = ${value}`);
    const digests = [makeToken().digest];
    // A digest that is a blob equals no text, so it is simply not found.
    const found = await Promise.resolve(store.findToken(digests)).catch((error: unknown) => error);
    if (column === "digest") expect(found).toBeNull();
    else expect(found).toMatchObject({ name: "StoreError", code: "unavailable" });
  });

  it.each([
    ["count", "1.5"],
    ["count", "x'01'"],
    ["count", "9007199254740993"],
    ["ends_at", "'soon'"],
    ["ends_at", "200.5"],
  ])("that a stored window of attempts has no %s of %s (D1)", async (column, value) => {
    const { client, store } = open();
    await store.takeAttempts([makeLimit()], 1);
    await client.execute(`update latchkey_attempt set ${column} = ${value}`);
    const malformed = { name: "StoreError", code: "unavailable" };
    await expect(store.findAttempts(["key-1"], 1)).rejects.toMatchObject(malformed);
    // A count that cannot be read may be one that is exhausted, but never one to spare.
    const taken = await store.takeAttempts([makeLimit()], 1).catch((error: unknown) => error);
    if (taken !== null) expect(taken).toMatchObject(malformed);
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
  it.each(values)("that no argument is %s (D1, D2)", async (value) => {
    const { store } = open();
    const user = makeUser();
    await store.insertUser(user);
    const token = makeToken();
    await store.insertToken(token);
    const hostile = disguise(value);
    expect(await store.findUser(hostile)).toBeNull();
    expect(await store.findUserByName(hostile)).toBeNull();
    expect(await store.findToken([hostile])).toBeNull();
    expect(await store.revokeToken(hostile, revocation)).toBe(false);
    expect(await store.setActive(hostile, false, KEEP)).toBe(false);
    expect(await store.replacePassword(hostile, "b", KEEP)).toBe(false);
    expect(await store.startEpoch(hostile)).toBe(false);
    expect(await store.deleteUser(hostile)).toBe(false);
    expect(await store.revokeTokens(hostile, revocation)).toBe(0);
    expect(await store.revokeFamily(hostile, revocation)).toBe(0);
    expect(await store.listTokens(hostile, { limit: 9 })).toEqual([]);
    expect(await store.renameToken(hostile, token.id, "b")).toBe(false);
    expect(await store.renameToken("user-1", hostile, "b")).toBe(false);
    await store.touchTokens([{ id: hostile, usedAt: 1 }]);
    expect(await store.findAttempts([hostile], 1)).toEqual([]);
    await store.returnAttempts([{ key: hostile, count: 1, endsAt: 9 }]);
    const refused = { name: "StoreError", message: expect.stringContaining("UNSTORABLE_VALUE") };
    if (hostile !== undefined) {
      expect(await store.revokeToken(token.id, revocation, hostile)).toBe(false);
    }
    await expect(store.renameToken("user-1", token.id, hostile)).rejects.toMatchObject(refused);
    await expect(store.takeAttempts([makeLimit(), makeLimit({ key: hostile })], 1)).rejects
      .toMatchObject(refused);
    expect(await store.findAttempts(["key-1"], 1)).toEqual([]);
    await expect(store.appendEvents([
      { type: "tokens_pruned", at: 1, count: 1 },
      { type: "token_issued", at: 1, owner: "user-1", token: hostile },
    ])).rejects.toMatchObject(refused);
    await expect(store.replacePassword("user-1", hostile, KEEP)).rejects.toMatchObject(refused);
    await expect(store.insertUser({ ...user, id: "2", username: hostile })).rejects.toMatchObject(
      refused,
    );
    for (const field of ["id", "owner", "digest", "pepper", "slot", "name", "hint", "family"]) {
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

  it.each([1.5, Number.NaN, Infinity, 2 ** 53])("that no time is %d (A7)", async (time) => {
    const { store } = open();
    const refused = { message: expect.stringContaining("UNSTORABLE_VALUE") };
    await expect(store.insertToken(makeToken({ expiresAt: time }))).rejects.toMatchObject(refused);
    await expect(store.insertUser(makeUser({ createdAt: time }))).rejects.toMatchObject(refused);
    const later = { at: time, reason: "revoked" } as const;
    await expect(store.revokeToken("token-1", later)).rejects.toMatchObject(refused);
    await expect(store.revokeTokens("user-1", later)).rejects.toMatchObject(refused);
    await expect(store.revokeFamily("token-1", later)).rejects.toMatchObject(refused);
    await expect(store.touchTokens([{ id: "1", usedAt: time }])).rejects.toMatchObject(refused);
    await expect(store.pruneTokens(time, 1)).rejects.toMatchObject(refused);
    await expect(store.takeAttempts([makeLimit()], time)).rejects.toMatchObject(refused);
    for (const field of ["max", "window", "longest"]) {
      const limit = makeLimit({ [field]: time });
      await expect(store.takeAttempts([limit], 1)).rejects.toMatchObject(refused);
    }
    await expect(store.takeAttempts([makeLimit()], Number.MAX_SAFE_INTEGER)).rejects
      .toMatchObject(refused);
    await expect(store.findAttempts(["key-1"], time)).rejects.toMatchObject(refused);
    const window = { key: "key-1", count: 1, endsAt: time };
    await expect(store.returnAttempts([window])).rejects.toMatchObject(refused);
    await expect(store.pruneAttempts(time, 1)).rejects.toMatchObject(refused);
    const limit = { max: 1, now: time };
    await expect(store.insertToken(makeToken(), limit)).rejects.toMatchObject(refused);
    const successor = makeSuccessor(makeToken(), { lastUsedAt: time });
    await expect(store.rotateToken(successor)).rejects.toMatchObject(refused);
  });

  it.each(["", "a b", " "])("that no scope is %j, which would read as others", async (scope) => {
    const { store } = open();
    await expect(store.insertToken(makeToken({ scopes: ["a", scope] }))).rejects.toThrow(
      "UNSTORABLE_VALUE",
    );
  });

  it.each(["", "a1", `${"0".repeat(62)}A1`, `${"0".repeat(62)}a1 `, `${"0".repeat(61)}a1`])(
    "that a row with the digest %j matches no token's (K7)",
    async (digest) => {
      const { client, store } = open();
      await store.insertToken(makeToken());
      const sql = "update latchkey_token set digest = ?";
      await client.execute({ sql, args: [digest] }).catch((error: unknown) => {
        if (digest.length === 64) throw error;
      });
      const rows = await client.execute("select digest from latchkey_token");
      const isKept = digest.length !== 64;
      expect(rows.rows[0]?.[0]).toBe(isKept ? makeToken().digest : digest);
      expect(await store.findToken([makeToken().digest]) !== null).toBe(isKept);
      await expect(client.execute("update latchkey_token set digest = null")).rejects.toThrow();
    },
  );

  it("that a digest has 64 characters (K7)", async () => {
    const { store } = open();
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
    const windows = [{ key: "key-1", count: 1, endsAt: 1_700_000_000_100 }];
    expect(await store.takeAttempts([makeLimit()], 1_700_000_000_000)).toEqual(windows);
    expect(await store.findAttempts(["key-1"], 1_700_000_000_000)).toEqual(windows);
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
