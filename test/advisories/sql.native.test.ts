import type { Client } from "@libsql/client";
import type { Store } from "latchkey";
import { libsqlStore, migrate } from "latchkey/libsql";
import { afterAll, expect, it } from "vitest";
import { START } from "../fixture.ts";
import { makeSuccessor, makeToken, makeUser } from "../store/record.ts";
import { openDatabases, watchClient } from "../store/database.ts";

const databases = openDatabases();
afterAll(() => databases.close());

const CORPUS = [
  "'",
  "''",
  '"',
  "`",
  "');drop table latchkey_token;--",
  "' or '1'='1",
  "%",
  "_",
  "*",
  "a\\",
  "?",
  ":id",
  "$1",
  "@x",
  "/*",
  "--",
  "[id]",
  "latchkey_user.password",
  "null",
  "🔑",
  "x".repeat(10_000),
];

const KEEP = { newEpoch: false };
const revocation = { at: START, reason: "revoked" } as const;

/** Every verb with one hostile text in every place that takes a text. */
function callEverything(store: Store, text: string): readonly (() => Promise<unknown>)[] {
  const successor = makeSuccessor(makeToken({ id: text }), { id: `${text}2`, digest: text });
  const user = makeUser({ id: text, username: text, password: text });
  const limit = { key: text, max: 1, window: 1_000, longest: 1_000 };
  const draft = makeToken({
    id: text,
    owner: text,
    digest: text,
    pepper: text,
    name: text,
    hint: text,
    family: text,
  });
  return [
    () => store.insertToken(draft),
    () => store.insertToken(draft, { max: 5, now: START }),
    () => store.ensureToken({ ...draft, slot: text }),
    () => store.rotateToken({ ...successor, owner: text, name: text }),
    async () => await store.findToken([text, text]),
    () => store.listTokens(text, { limit: 5, after: { createdAt: START, id: text } }),
    () => store.renameToken(text, text, text),
    () => store.revokeToken(text, revocation, text),
    () => store.revokeTokens(text, revocation, text),
    () => store.revokeFamily(text, revocation),
    () => store.touchTokens([{ id: text, usedAt: START }]),
    () => store.insertUser({ ...user, id: `${text}1` }),
    () => store.findUser(text),
    () => store.findUserByName(text),
    () => store.replacePassword(text, text, { ...KEEP, expected: text }),
    () => store.setActive(text, false, KEEP),
    () => store.startEpoch(text),
    () => store.deleteUser(text),
    () => store.takeAttempts([limit], START),
    () => store.findAttempts([text], START),
    () => store.returnAttempts([{ key: text, count: 1, endsAt: START + 1_000 }]),
    () =>
      store.appendEvents([
        { type: "token_revoked", at: START, owner: text, token: text, reason: "revoked" },
      ]),
  ];
}

async function readSchema(client: Client): Promise<string> {
  const { rows } = await client.execute("select type, name, sql from sqlite_schema order by name");
  return JSON.stringify(rows);
}

it("CVE-2026-39356 / GHSA-gpj5-g38j-94v9: whatever a text says, it is an argument and never a part of a statement (D1, D3)", async () => {
  const inner = databases.connect(":memory:");
  await migrate(inner);
  const { client, calls } = watchClient(inner);
  const store = libsqlStore(client, { migrate: false });
  // The statements are those for harmless text, however hostile the text is.
  for (const run of callEverything(store, "harmless")) await run().catch(() => null);
  const statements = new Set(calls.map(({ sql }) => sql));
  expect(statements.size).toBeGreaterThan(15);
  const schema = await readSchema(inner);
  for (const text of CORPUS) {
    calls.length = 0;
    for (const run of callEverything(store, text)) await run().catch(() => null);
    expect(calls.length).toBeGreaterThan(15);
    expect(calls.filter(({ sql }) => !statements.has(sql)), text).toEqual([]);
    expect(await readSchema(inner)).toBe(schema);
  }
});

it("CVE-2026-33468 and GHSA-8cpq-38p9-67gx, GHSA-wmrf-hv6w-mr66: hostile text comes back as it was, and finds and changes nothing but itself (D1)", async () => {
  const store = libsqlStore(databases.connect(":memory:"));
  const users = CORPUS.map((text, index) => makeUser({ id: `${index}${text}`, username: text }));
  for (const user of users) expect(await store.insertUser(user)).toBe(true);
  for (const [index, user] of users.entries()) {
    const token = makeToken({
      id: user.id,
      owner: user.id,
      digest: String(index).padStart(64, "0"),
      name: user.username,
      family: user.id,
    });
    expect(await store.insertToken(token)).toMatchObject({ name: user.username });
  }
  for (const user of users) {
    expect(await store.findUserByName(user.username)).toEqual(user);
    expect(await store.findUser(user.id)).toEqual(user);
    const listed = await store.listTokens(user.id, { limit: 100 });
    expect(listed.map(({ token }) => token.name)).toEqual([user.username]);
  }
  for (const [index, user] of users.entries()) {
    expect(await store.revokeTokens(user.id, revocation)).toBe(1);
    expect(await store.deleteUser(user.id)).toBe(true);
    for (const [other, { id }] of users.entries()) {
      const [kept] = await store.listTokens(id, { limit: 1 });
      expect(kept?.token.revokedAt === null).toBe(other > index);
      expect(await store.findUser(id) === null).toBe(other <= index);
    }
  }
});
