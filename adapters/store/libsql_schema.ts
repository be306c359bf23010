import { sql } from "drizzle-orm";
import {
  check,
  integer,
  type SQLiteColumn,
  sqliteTable,
  type SQLiteTableWithColumns,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

/**
 * The users, as a drizzle table for the application's own queries and migrations.
 *
 * Booleans are 0 or 1 and times are milliseconds since the epoch, both stored
 * as integers. `password` is what a hasher wrote: leave it out of what you select.
 *
 * @example A schema file for drizzle-kit needs one line.
 * ```ts
 * export { latchkeyToken, latchkeyUser } from "latchkey/libsql";
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
}, (table) => [uniqueIndex("latchkey_user_username").on(table.username)]);

/**
 * The tokens, as a drizzle table for the application's own queries and migrations.
 *
 * `digest` is 64 hex characters, `scopes` are separated by single spaces (`""`
 * for none), times are milliseconds since the epoch as integers. No foreign
 * key leads to {@link latchkeyUser}: an application may keep its users elsewhere.
 * The unique pair of owner and slot also serves every search by owner.
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
}, (table) => [
  uniqueIndex("latchkey_token_digest").on(table.digest),
  uniqueIndex("latchkey_token_owner_slot").on(table.owner, table.slot),
  check("latchkey_token_digest_length", sql`length(${table.digest}) = 64`),
]);

/**
 * The same two tables as SQL, one statement an entry, in the order to run them.
 *
 * Running them again changes nothing. A table comes with its unique
 * constraints in one statement, so nobody ever meets it without them.
 * `migrate` runs these; a tool that keeps migrations as SQL files can write
 * them out instead.
 *
 * @example
 * ```ts
 * import { schemaStatements } from "latchkey/libsql";
 *
 * console.log(schemaStatements.join(";\n\n") + ";");
 * ```
 */
export const schemaStatements: readonly string[] = [
  `create table if not exists latchkey_user (
  id text primary key not null,
  username text not null,
  password text,
  is_active integer not null,
  is_staff integer not null,
  is_superuser integer not null,
  created_at integer not null,
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
  constraint latchkey_token_digest unique (digest),
  constraint latchkey_token_owner_slot unique (owner, slot),
  constraint latchkey_token_digest_length check (length(digest) = 64)
)`,
];

/** The columns of {@link latchkeyUser}. */
export type UserColumns = {
  readonly id: Column<"latchkey_user", "id", string, "required", true>;
  readonly username: Column<"latchkey_user", "username", string, "required">;
  readonly password: Column<"latchkey_user", "password", string, "optional">;
  readonly isActive: Column<"latchkey_user", "is_active", number, "required">;
  readonly isStaff: Column<"latchkey_user", "is_staff", number, "required">;
  readonly isSuperuser: Column<"latchkey_user", "is_superuser", number, "required">;
  readonly createdAt: Column<"latchkey_user", "created_at", number, "required">;
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
};

/** One text or integer column, in the words of drizzle's types. */
export type Column<
  Table extends string,
  Name extends string,
  Data extends string | number,
  Presence extends "required" | "optional",
  Primary extends boolean = false,
> = SQLiteColumn<
  {
    name: Name;
    tableName: Table;
    dataType: Data extends string ? "string" : "number";
    columnType: Data extends string ? "SQLiteText" : "SQLiteInteger";
    data: Data;
    driverParam: Data;
    notNull: Presence extends "required" ? true : false;
    hasDefault: false;
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
