import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { join } from "node:path";
import * as v from "valibot";
import { callable, importPeer } from "./peers.ts";

/** Verifies the key it was made with; throws when that does not hold. */
export type VerifyKey = () => Promise<void>;

const Tables = v.record(
  v.string(),
  v.object({
    modelName: v.string(),
    fields: v.record(
      v.string(),
      v.object({ type: v.unknown(), fieldName: v.optional(v.string()) }),
    ),
  }),
);
const Library = v.object({
  api: v.looseObject({ createApiKey: callable, verifyApiKey: callable }),
  $context: v.promise(),
});
const Context = v.object({
  internalAdapter: v.looseObject({ createUser: callable }),
});

/** better-auth's API keys on its adapter in memory, with one key. */
export async function createMemoryRival(): Promise<VerifyKey> {
  const { memoryAdapter } = await importPeer(
    "better-auth/adapters/memory",
    v.object({ memoryAdapter: callable }),
  );
  const tables = await describeTables();
  return await createRival(
    memoryAdapter(Object.fromEntries(tables.map(({ name }) => [name, []]))),
  );
}

/** better-auth's API keys on drizzle and a libSQL file with write-ahead logging, with one key. */
export async function createLibsqlRival(folder: string): Promise<VerifyKey> {
  const { drizzleAdapter } = await importPeer(
    "better-auth/adapters/drizzle",
    v.object({ drizzleAdapter: callable }),
  );
  const client = createClient({
    url: `file:${join(folder, "better-auth.db")}`,
    timeout: 1_000,
  });
  await client.execute("pragma journal_mode = wal");
  const tables = await describeTables();
  const columns = tables.flatMap((table) =>
    table.columns.map(({ name }) => `${table.name}.${name}`)
  );
  const indexed = new Set(
    ["apikey.key", "user.email"].filter((name) => columns.includes(name)),
  );
  for (const table of tables) {
    const list = table.columns.map(({ name, isNumber }) =>
      `"${name}" ${isNumber ? "integer" : "text"}`
    );
    await client.execute(
      `create table "${table.name}" (id text primary key, ${list.join(", ")})`,
    );
  }
  for (const name of indexed) {
    const [table, column] = name.split(".");
    await client.execute(
      `create unique index "${name}" on "${table}" ("${column}")`,
    );
  }
  const schema = Object.fromEntries(
    tables.map((table) => [table.name, toDrizzle(table)]),
  );
  return await createRival(
    drizzleAdapter(drizzle(client), { provider: "sqlite", schema }),
  );
}

/** A table as better-auth describes it; its `id` is not among the columns. */
interface Table {
  readonly name: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: string;
    readonly isNumber: boolean;
  }[];
}

async function describeTables(): Promise<readonly Table[]> {
  const { getAuthTables } = await importPeer(
    "better-auth/db",
    v.object({ getAuthTables: callable }),
  );
  const tables = v.parse(Tables, getAuthTables(await readOptions()));
  return Object.values(tables).map(({ modelName, fields }) => ({
    name: modelName,
    columns: Object.entries(fields).map((
      [name, { type, fieldName = name }],
    ) => ({
      name: fieldName,
      type: String(type),
      isNumber: ["number", "boolean", "date"].includes(String(type)),
    })),
  }));
}

function toDrizzle({ name, columns }: Table) {
  return sqliteTable(name, {
    id: text("id").primaryKey(),
    ...Object.fromEntries(
      columns.map((column) => [column.name, toColumn(column)]),
    ),
  });
}

function toColumn({ name, type }: Table["columns"][number]) {
  if (type === "boolean") return integer(name, { mode: "boolean" });
  if (type === "date") return integer(name, { mode: "timestamp_ms" });
  return type === "number" ? integer(name) : text(name);
}

/** Its own limit of ten requests a day is off: what is compared is the lookup. */
async function readOptions(): Promise<object> {
  const { apiKey } = await importPeer(
    "@better-auth/api-key",
    v.object({ apiKey: callable }),
  );
  return {
    secret: "benchmark-secret-benchmark-secret",
    baseURL: "http://127.0.0.1",
    plugins: [apiKey({ rateLimit: { enabled: false } })],
    logger: { disabled: true },
    telemetry: { enabled: false },
  };
}

async function createRival(database: unknown): Promise<VerifyKey> {
  const { betterAuth } = await importPeer(
    "better-auth",
    v.object({ betterAuth: callable }),
  );
  const { api, $context } = v.parse(
    Library,
    betterAuth({ ...await readOptions(), database }),
  );
  const { internalAdapter } = v.parse(Context, await $context);
  const user = v.parse(
    v.object({ id: v.string() }),
    await internalAdapter.createUser({
      email: "ada@example.com",
      name: "ada",
      emailVerified: true,
    }),
  );
  const { key } = v.parse(
    v.object({ key: v.string() }),
    await api.createApiKey({ body: { userId: user.id } }),
  );
  const Verified = v.object({ valid: v.literal(true) });
  v.parse(Verified, await api.verifyApiKey({ body: { key } }));
  return async () => {
    const answer = await api.verifyApiKey({ body: { key } });
    if (
      typeof answer !== "object" || answer === null || !("valid" in answer) ||
      !answer.valid
    ) {
      throw new Error("Cannot go on: better-auth refused its own key");
    }
  };
}
