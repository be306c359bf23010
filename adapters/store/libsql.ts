import type { Client } from "@libsql/client";
import type { Store } from "../../src/ports/store.ts";
import { type MigrateOptions, migrateTables } from "./libsql_migrate.ts";
import { createStore, type LibsqlStoreOptions } from "./libsql_store.ts";

export type { MigrateOptions } from "./libsql_migrate.ts";
export {
  type AttemptColumns,
  type Column,
  type EventColumns,
  latchkeyAttempt,
  latchkeyEvent,
  latchkeySchema,
  latchkeyToken,
  latchkeyUser,
  type SchemaColumns,
  schemaStatements,
  schemaVersion,
  type TokenColumns,
  type UserColumns,
} from "./libsql_schema.ts";
export type { LibsqlStoreOptions } from "./libsql_store.ts";

/** What the store needs of a client from `@libsql/client`: any of them has it. */
export type LibsqlClient = Pick<Client, "closed" | "execute" | "protocol" | "reconnect">;

/**
 * Keeps tokens, users, attempts and events in a libSQL or SQLite database: a file, `:memory:` or a remote server.
 *
 * Takes a client of `@libsql/client`, which stays yours to close. Every verb is
 * one statement and there are no transactions, so any number of processes may
 * share a file. The tables are made, and older ones brought up to date, before the
 * first statement; see {@link migrate} for doing that ahead.
 *
 * A statement that another writer kept out did nothing, so it is repeated after
 * short random pauses, up to `busyTimeout`. For a file, give the store a client
 * of its own, with a timeout: `createClient({ url, timeout: 1_000 })`. The
 * timeout lets the driver wait first (it blocks the process meanwhile); and a
 * connection of this driver that was kept out once no longer commits what it
 * says it wrote, so the store calls `reconnect()` on the client before it
 * repeats, which ends transactions that somebody else has open on it.
 *
 * Text with a NUL character or a lone surrogate, a scope with a space in it and
 * a time that is no integer do not survive libSQL: such records are refused
 * with a `StoreError`, and looking for such text finds nothing. Ids are ordered
 * by their UTF-8 bytes. A row whose
 * columns hold something else than a record is a `StoreError` as well.
 *
 * @throws {StoreError} from every verb, as a rejection, when the database fails; the code is
 * `conflict` when a unique value exists already. It never holds SQL, arguments or the driver's error
 * @throws {RangeError} when `busyTimeout` is not a number of milliseconds from 0 up
 *
 * @example
 * ```ts
 * import { createClient } from "@libsql/client";
 * import { libsqlStore } from "latchkey/libsql";
 *
 * const store = libsqlStore(createClient({ url: ":memory:" }));
 * console.log(await store.findUserByName("nobody")); // null
 * ```
 */
export function libsqlStore(client: LibsqlClient, options: LibsqlStoreOptions = {}): Store {
  return createStore(client, options);
}

/**
 * Makes the tables of {@link libsqlStore}, with their indexes, and brings older ones up to date.
 *
 * Idempotent, and safe when several processes start at once or one of them
 * stops halfway: each statement changes nothing when another was faster, is
 * repeated when another holds the lock, and the version is written last. Tables
 * of an older version get the columns they lack, and every row in them stays.
 * Tables of a newer version than this library's are refused, because what is
 * new in them may decide whether a token holds. A new file is switched to
 * write-ahead logging (`journal_mode=WAL`), which stays with the file and lets
 * readers read while somebody writes.
 *
 * @throws {StoreError} as a rejection, when the database fails; with `SCHEMA_TOO_NEW` in its message
 * when the tables are newer than the library
 * @throws {RangeError} as a rejection, when `busyTimeout` is not a number of milliseconds from 0 up
 *
 * @example
 * ```ts
 * import { createClient } from "@libsql/client";
 * import { libsqlStore, migrate } from "latchkey/libsql";
 *
 * const client = createClient({ url: ":memory:" });
 * await migrate(client);
 * const store = libsqlStore(client, { migrate: false });
 * console.log(await store.findUser("nobody")); // null
 * ```
 */
export async function migrate(client: LibsqlClient, options: MigrateOptions = {}): Promise<void> {
  await migrateTables(client, options);
}
