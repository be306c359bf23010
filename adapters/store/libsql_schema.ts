import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  type SQLiteColumn,
  sqliteTable,
  type SQLiteTableWithColumns,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

/** The version of the tables that this library makes and understands. */
export const schemaVersion = 3;

/** The first millisecond at which a token has been idle for too long, as the index holds it. */
export function idleEnd(table: "t." | "" = ""): string {
  return `max(${table}created_at, coalesce(${table}last_used_at, ${table}created_at))` +
    ` + ${table}idle_timeout`;
}

/** The first millisecond at which a window of attempts no longer matters, as the index holds it. */
export function attemptEnd(table: "old." | "" = ""): string {
  return `${table}ends_at + ${table}length`;
}

/**
 * The users, as a drizzle table for the application's own queries and migrations.
 *
 * Booleans are 0 or 1 and times are milliseconds since the epoch, both stored
 * as integers. `password` is what a hasher wrote: leave it out of what you select.
 *
 * @example A schema file for drizzle-kit needs one line.
 * ```ts
 * export {
 *   latchkeyAttempt,
 *   latchkeyEvent,
 *   latchkeySchema,
 *   latchkeyToken,
 *   latchkeyUser,
 * } from "latchkey/libsql";
 * ```
 */
export const latchkeyUser: SQLiteTableWithColumns<{
  name: "latchkey_user";
  schema: undefined;
  columns: UserColumns;
  dialect: "sqlite";
}> = sqliteTable("latchkey_user", {
  id: text("id").primaryKey().notNull(),
  username: text("username").notNull(),
  password: text("password"),
  isActive: integer("is_active").notNull(),
  isStaff: integer("is_staff").notNull(),
  isSuperuser: integer("is_superuser").notNull(),
  createdAt: integer("created_at").notNull(),
  epoch: integer("epoch").notNull().default(0),
}, (table) => [uniqueIndex("latchkey_user_username").on(table.username)]);

/**
 * The tokens, as a drizzle table for the application's own queries and migrations.
 *
 * `digest` is 64 hex characters, `scopes` are separated by single spaces (`""`
 * for none), times are milliseconds since the epoch as integers. `predecessor`,
 * `overlapUntil` and `nonce` are all `null` or all set. No foreign key leads to
 * {@link latchkeyUser}: an application may keep its users elsewhere.
 *
 * @example
 * ```ts
 * import { latchkeyToken } from "latchkey/libsql";
 * import { getTableName } from "drizzle-orm";
 *
 * console.log(getTableName(latchkeyToken)); // latchkey_token
 * ```
 */
export const latchkeyToken: SQLiteTableWithColumns<{
  name: "latchkey_token";
  schema: undefined;
  columns: TokenColumns;
  dialect: "sqlite";
}> = sqliteTable("latchkey_token", {
  id: text("id").primaryKey().notNull(),
  owner: text("owner").notNull(),
  digest: text("digest").notNull(),
  pepper: text("pepper"),
  scopes: text("scopes").notNull(),
  slot: text("slot"),
  createdAt: integer("created_at").notNull(),
  expiresAt: integer("expires_at"),
  revokedAt: integer("revoked_at"),
  epoch: integer("epoch").notNull().default(0),
  name: text("name").notNull().default(""),
  hint: text("hint").notNull().default(""),
  idleTimeout: integer("idle_timeout"),
  lastUsedAt: integer("last_used_at"),
  revokedReason: text("revoked_reason"),
  family: text("family").notNull().default(""),
  predecessor: text("predecessor"),
  overlapUntil: integer("overlap_until"),
  nonce: text("nonce"),
}, (table) => [
  uniqueIndex("latchkey_token_digest").on(table.digest),
  uniqueIndex("latchkey_token_owner_slot").on(table.owner, table.slot),
  uniqueIndex("latchkey_token_predecessor").on(table.predecessor),
  index("latchkey_token_owner_created").on(table.owner, table.createdAt, table.id),
  index("latchkey_token_family").on(table.family),
  index("latchkey_token_expires").on(table.expiresAt).where(sql`expires_at is not null`),
  index("latchkey_token_revoked").on(table.revokedAt).where(sql`revoked_at is not null`),
  index("latchkey_token_overlap").on(table.overlapUntil).where(sql`overlap_until is not null`),
  index("latchkey_token_idle").on(sql.raw(idleEnd())).where(sql`idle_timeout is not null`),
  check("latchkey_token_digest_length", sql`length(${table.digest}) = 64`),
]);

/**
 * The windows in which attempts are counted, as a drizzle table for the application's own queries and migrations.
 *
 * One row for each key, with its last window. `endsAt` is the first millisecond
 * at which the window is over and `length` how many milliseconds it is long.
 *
 * @example
 * ```ts
 * import { latchkeyAttempt } from "latchkey/libsql";
 * import { getTableName } from "drizzle-orm";
 *
 * console.log(getTableName(latchkeyAttempt)); // latchkey_attempt
 * ```
 */
export const latchkeyAttempt: SQLiteTableWithColumns<{
  name: "latchkey_attempt";
  schema: undefined;
  columns: AttemptColumns;
  dialect: "sqlite";
}> = sqliteTable("latchkey_attempt", {
  key: text("key").primaryKey().notNull(),
  count: integer("count").notNull(),
  endsAt: integer("ends_at").notNull(),
  length: integer("length").notNull(),
}, () => [index("latchkey_attempt_end").on(sql.raw(attemptEnd()))]);

/**
 * The events of an audit, as a drizzle table for the application's own queries and migrations.
 *
 * `id` grows in the order in which events were added. `at` is in milliseconds
 * since the epoch; `owner` and `token` are ids, `null` for an event without
 * one; `detail` is a JSON object with what else the event holds.
 *
 * @example
 * ```ts
 * import { createClient } from "@libsql/client";
 * import { desc } from "drizzle-orm";
 * import { drizzle } from "drizzle-orm/libsql";
 * import { latchkeyEvent, migrate } from "latchkey/libsql";
 *
 * const client = createClient({ url: ":memory:" });
 * await migrate(client);
 * const last = await drizzle(client).select().from(latchkeyEvent)
 *   .orderBy(desc(latchkeyEvent.id)).limit(10);
 * console.log(last.length); // 0
 * ```
 */
export const latchkeyEvent: SQLiteTableWithColumns<{
  name: "latchkey_event";
  schema: undefined;
  columns: EventColumns;
  dialect: "sqlite";
}> = sqliteTable("latchkey_event", {
  id: integer("id").primaryKey().notNull(),
  at: integer("at").notNull(),
  type: text("type").notNull(),
  owner: text("owner"),
  token: text("token"),
  detail: text("detail").notNull(),
}, (table) => [
  index("latchkey_event_at").on(table.at),
  index("latchkey_event_owner").on(table.owner, table.at),
]);

/**
 * The version of these tables, as a drizzle table for the application's own migrations.
 *
 * One row with the id 1. A table of its own, because `pragma user_version`
 * is one number for the whole database and belongs to the application.
 */
export const latchkeySchema: SQLiteTableWithColumns<{
  name: "latchkey_schema";
  schema: undefined;
  columns: SchemaColumns;
  dialect: "sqlite";
}> = sqliteTable("latchkey_schema", {
  id: integer("id").primaryKey().notNull(),
  version: integer("version").notNull(),
}, () => [check("latchkey_schema_one_row", sql`id = 1`)]);

const tableStatements: readonly string[] = [
  `create table if not exists latchkey_user (
  id text primary key not null,
  username text not null,
  password text,
  is_active integer not null,
  is_staff integer not null,
  is_superuser integer not null,
  created_at integer not null,
  epoch integer not null default 0,
  constraint latchkey_user_username unique (username)
)`,
  `create table if not exists latchkey_token (
  id text primary key not null,
  owner text not null,
  digest text not null,
  pepper text,
  scopes text not null,
  slot text,
  created_at integer not null,
  expires_at integer,
  revoked_at integer,
  epoch integer not null default 0,
  name text not null default '',
  hint text not null default '',
  idle_timeout integer,
  last_used_at integer,
  revoked_reason text,
  family text not null default '',
  predecessor text,
  overlap_until integer,
  nonce text,
  constraint latchkey_token_digest unique (digest),
  constraint latchkey_token_owner_slot unique (owner, slot),
  constraint latchkey_token_digest_length check (length(digest) = 64)
)`,
  `create table if not exists latchkey_attempt (
  key text primary key not null,
  count integer not null,
  ends_at integer not null,
  length integer not null
)`,
  `create table if not exists latchkey_event (
  id integer primary key not null,
  at integer not null,
  type text not null,
  owner text,
  token text,
  detail text not null
)`,
  `create table if not exists latchkey_schema (
  id integer primary key not null,
  version integer not null,
  constraint latchkey_schema_one_row check (id = 1)
)`,
];

// Behind the columns that an older table is given first, so not in its `create table`. While the
// unique one is missing, a rotation fails for want of its conflict target.
const indexStatements: readonly string[] = [
  `create unique index if not exists latchkey_token_predecessor
  on latchkey_token (predecessor)`,
  `create index if not exists latchkey_token_owner_created
  on latchkey_token (owner, created_at, id)`,
  `create index if not exists latchkey_token_family
  on latchkey_token (family)`,
  `create index if not exists latchkey_token_expires
  on latchkey_token (expires_at) where expires_at is not null`,
  `create index if not exists latchkey_token_revoked
  on latchkey_token (revoked_at) where revoked_at is not null`,
  `create index if not exists latchkey_token_overlap
  on latchkey_token (overlap_until) where overlap_until is not null`,
  `create index if not exists latchkey_token_idle
  on latchkey_token (${idleEnd()}) where idle_timeout is not null`,
  `create index if not exists latchkey_attempt_end
  on latchkey_attempt (${attemptEnd()})`,
  `create index if not exists latchkey_event_at
  on latchkey_event (at)`,
  `create index if not exists latchkey_event_owner
  on latchkey_event (owner, at)`,
];

/** Makes what does not exist; the columns that an older table lacks come between the two parts. */
export const schemaParts: {
  readonly tables: readonly string[];
  readonly rest: readonly string[];
} = {
  tables: tableStatements,
  rest: [
    ...indexStatements,
    // Last, so that a database says the version only when it has all of it.
    `insert into latchkey_schema (id, version) values (1, ${schemaVersion})
  on conflict (id) do update set version = max(version, excluded.version)`,
  ],
};

/**
 * The same tables as SQL for a new database, one statement an entry, in the order to run them.
 *
 * Running them again changes nothing. A table comes with its unique
 * constraints in one statement, so nobody ever meets it without them.
 * `migrate` runs these, and brings older tables up to them; a tool that keeps
 * migrations as SQL files can write them out instead.
 *
 * @example
 * ```ts
 * import { schemaStatements } from "latchkey/libsql";
 *
 * console.log(schemaStatements.join(";\n\n") + ";");
 * ```
 */
export const schemaStatements: readonly string[] = [...schemaParts.tables, ...schemaParts.rest];

/** What versions added to tables of the ones before. Tables that are new in a version need nothing. */
export const addedColumns: readonly AddedColumns[] = [
  {
    table: "latchkey_user",
    columns: { epoch: "integer not null default 0" },
    fill: [],
  },
  {
    table: "latchkey_token",
    columns: {
      epoch: "integer not null default 0",
      name: "text not null default ''",
      hint: "text not null default ''",
      idle_timeout: "integer",
      last_used_at: "integer",
      revoked_reason: "text",
      family: "text not null default ''",
      predecessor: "text",
      overlap_until: "integer",
      nonce: "text",
    },
    fill: [
      "update latchkey_token set family = id where family = ''",
      `update latchkey_token set revoked_reason = 'revoked'
  where revoked_at is not null and revoked_reason is null`,
    ],
  },
];

/** Columns of one table, and what fills them in rows that were there before. */
export interface AddedColumns {
  readonly table: string;
  /** The definition of each, by name. */
  readonly columns: Readonly<Record<string, string>>;
  readonly fill: readonly string[];
}

/** The columns of {@link latchkeyUser}. */
export type UserColumns = {
  readonly id: Column<"latchkey_user", "id", string, "required", true>;
  readonly username: Column<"latchkey_user", "username", string, "required">;
  readonly password: Column<"latchkey_user", "password", string, "optional">;
  readonly isActive: Column<"latchkey_user", "is_active", number, "required">;
  readonly isStaff: Column<"latchkey_user", "is_staff", number, "required">;
  readonly isSuperuser: Column<"latchkey_user", "is_superuser", number, "required">;
  readonly createdAt: Column<"latchkey_user", "created_at", number, "required">;
  readonly epoch: Column<"latchkey_user", "epoch", number, "defaulted">;
};

/** The columns of {@link latchkeyToken}. */
export type TokenColumns = {
  readonly id: Column<"latchkey_token", "id", string, "required", true>;
  readonly owner: Column<"latchkey_token", "owner", string, "required">;
  readonly digest: Column<"latchkey_token", "digest", string, "required">;
  readonly pepper: Column<"latchkey_token", "pepper", string, "optional">;
  readonly scopes: Column<"latchkey_token", "scopes", string, "required">;
  readonly slot: Column<"latchkey_token", "slot", string, "optional">;
  readonly createdAt: Column<"latchkey_token", "created_at", number, "required">;
  readonly expiresAt: Column<"latchkey_token", "expires_at", number, "optional">;
  readonly revokedAt: Column<"latchkey_token", "revoked_at", number, "optional">;
  readonly epoch: Column<"latchkey_token", "epoch", number, "defaulted">;
  readonly name: Column<"latchkey_token", "name", string, "defaulted">;
  readonly hint: Column<"latchkey_token", "hint", string, "defaulted">;
  readonly idleTimeout: Column<"latchkey_token", "idle_timeout", number, "optional">;
  readonly lastUsedAt: Column<"latchkey_token", "last_used_at", number, "optional">;
  readonly revokedReason: Column<"latchkey_token", "revoked_reason", string, "optional">;
  readonly family: Column<"latchkey_token", "family", string, "defaulted">;
  readonly predecessor: Column<"latchkey_token", "predecessor", string, "optional">;
  readonly overlapUntil: Column<"latchkey_token", "overlap_until", number, "optional">;
  readonly nonce: Column<"latchkey_token", "nonce", string, "optional">;
};

/** The columns of {@link latchkeyAttempt}. */
export type AttemptColumns = {
  readonly key: Column<"latchkey_attempt", "key", string, "required", true>;
  readonly count: Column<"latchkey_attempt", "count", number, "required">;
  readonly endsAt: Column<"latchkey_attempt", "ends_at", number, "required">;
  readonly length: Column<"latchkey_attempt", "length", number, "required">;
};

/** The columns of {@link latchkeyEvent}. */
export type EventColumns = {
  readonly id: Column<"latchkey_event", "id", number, "required", true>;
  readonly at: Column<"latchkey_event", "at", number, "required">;
  readonly type: Column<"latchkey_event", "type", string, "required">;
  readonly owner: Column<"latchkey_event", "owner", string, "optional">;
  readonly token: Column<"latchkey_event", "token", string, "optional">;
  readonly detail: Column<"latchkey_event", "detail", string, "required">;
};

/** The columns of {@link latchkeySchema}. */
export type SchemaColumns = {
  readonly id: Column<"latchkey_schema", "id", number, "required", true>;
  readonly version: Column<"latchkey_schema", "version", number, "required">;
};

/** One text or integer column, in the words of drizzle's types. */
export type Column<
  Table extends string,
  Name extends string,
  Data extends string | number,
  Presence extends "required" | "defaulted" | "optional",
  Primary extends boolean = false,
> = SQLiteColumn<
  {
    name: Name;
    tableName: Table;
    dataType: Data extends string ? "string" : "number";
    columnType: Data extends string ? "SQLiteText" : "SQLiteInteger";
    data: Data;
    driverParam: Data;
    notNull: Presence extends "optional" ? false : true;
    // SQLite numbers the rows of an integer primary key by itself.
    hasDefault: Presence extends "defaulted" ? true
      : Primary extends true ? Data extends number ? true : false
      : false;
    isPrimaryKey: Primary;
    isAutoincrement: false;
    hasRuntimeDefault: false;
    enumValues: Data extends string ? [string, ...string[]] : undefined;
    baseColumn: never;
    identity: undefined;
    generated: undefined;
  },
  // deno-lint-ignore ban-types -- what drizzle itself writes there
  {},
  // deno-lint-ignore ban-types
  Data extends string ? { length: number | undefined } : {}
>;
