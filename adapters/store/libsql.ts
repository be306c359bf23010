import type { Client, ResultSet } from "@libsql/client";
import type { Store } from "../../src/ports/store.ts";
import { toStoreError } from "./libsql_failure.ts";
import {
  isStorable,
  readOwnedToken,
  readToken,
  readUserRecord,
  writeFlag,
  writeInteger,
  writeText,
  writeToken,
  writeUser,
} from "./libsql_row.ts";
import { schemaStatements } from "./libsql_schema.ts";
import { type Repeat, run } from "./libsql_run.ts";
import { bind, type BoundStatement, compileStatements } from "./libsql_statement.ts";

export {
  type Column,
  latchkeyToken,
  latchkeyUser,
  schemaStatements,
  type TokenColumns,
  type UserColumns,
} from "./libsql_schema.ts";

/** What the store needs of a client from `@libsql/client`: any of them has it. */
export type LibsqlClient = Pick<Client, "closed" | "execute" | "protocol" | "reconnect">;

/** Options of {@link libsqlStore}. */
export interface LibsqlStoreOptions extends MigrateOptions {
  /**
   * Whether a statement that finds no tables makes them with {@link migrate}
   * and runs again. Default `true`; `false` when your own migrations own the
   * schema, and then a missing table is a `StoreError`.
   */
  readonly migrate?: boolean;
}

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /**
   * For how many milliseconds a statement is repeated that another writer kept
   * out (`SQLITE_BUSY`, `SQLITE_LOCKED`). Default 5 000; 0 to try once.
   */
  readonly busyTimeout?: number;
}

/**
 * Keeps tokens and users in a libSQL or SQLite database: a file, `:memory:` or a remote server.
 *
 * Takes a client of `@libsql/client`, which stays yours to close. Every verb is
 * one statement and there are no transactions, so any number of processes may
 * share a file. The tables are made when the first statement misses them; see
 * {@link migrate} for making them ahead.
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
 * with a `StoreError`, and looking for such text finds nothing. A row whose
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
  const busyTimeout = checkBusyTimeout(options.busyTimeout);
  const statements = compileStatements();
  let migration: Promise<void> | null = null;

  /** One migration for all statements that miss the tables at the same time. */
  function makeTables(): Promise<void> {
    migration ??= migrate(client, { busyTimeout }).finally(() => {
      migration = null;
    });
    return migration;
  }

  const repeat: Repeat = options.migrate === false ? { busyTimeout } : { busyTimeout, makeTables };
  function execute(verb: string, statement: BoundStatement): Promise<ResultSet> {
    return run(client, verb, statement, repeat);
  }

  return {
    async insertToken(token) {
      const verb = "insert token";
      await execute(verb, bind(statements.insertToken, writeToken(token, verb)));
    },
    async ensureToken(token) {
      const verb = "ensure token";
      const found = await execute(verb, bind(statements.ensureToken, writeToken(token, verb)));
      const row = found.rows[0];
      if (row === undefined) throw toStoreError(verb, { kind: "other", code: "MALFORMED_ROW" });
      return readToken(row, verb);
    },
    async findToken(digests) {
      const verb = "find token";
      const args = digests.filter(isStorable);
      if (args.length === 0) return null;
      const found = await execute(verb, { sql: statements.findToken(args.length), args });
      const row = found.rows[0];
      return row === undefined ? null : readOwnedToken(row, verb);
    },
    async revokeToken(id, revokedAt) {
      const verb = "revoke token";
      if (!isStorable(id)) return false;
      const values = { id, revokedAt: writeInteger(revokedAt, verb) };
      return (await execute(verb, bind(statements.revokeToken, values))).rowsAffected > 0;
    },
    async insertUser(user) {
      const verb = "insert user";
      const statement = bind(statements.insertUser, writeUser(user, verb));
      return (await execute(verb, statement)).rowsAffected > 0;
    },
    async findUser(id) {
      const verb = "find user";
      if (!isStorable(id)) return null;
      const row = (await execute(verb, bind(statements.findUser, { id }))).rows[0];
      return row === undefined ? null : readUserRecord(row, verb);
    },
    async findUserByName(username) {
      const verb = "find user by name";
      if (!isStorable(username)) return null;
      const row = (await execute(verb, bind(statements.findUserByName, { username }))).rows[0];
      return row === undefined ? null : readUserRecord(row, verb);
    },
    async replacePassword(id, password, expected) {
      const verb = "replace password";
      const text = password === null ? null : writeText(password, verb);
      if (!isStorable(id)) return false;
      if (typeof expected === "string" && !isStorable(expected)) return false;
      const statement = expected === undefined
        ? bind(statements.replacePassword, { id, password: text })
        : bind(statements.replaceExpectedPassword, { id, password: text, expected });
      return (await execute(verb, statement)).rowsAffected > 0;
    },
    async setActive(id, isActive) {
      const verb = "set active";
      const values = { id, isActive: writeFlag(isActive, verb) };
      if (!isStorable(id)) return false;
      return (await execute(verb, bind(statements.setActive, values))).rowsAffected > 0;
    },
  };
}

/**
 * Makes the tables of {@link libsqlStore}, with their indexes, where they do not exist.
 *
 * Idempotent, and safe when several processes start at once: each statement
 * changes nothing when another was faster, and is repeated when another holds
 * the lock. A file is switched to write-ahead logging (`journal_mode=WAL`), which
 * stays with the file and lets readers read while somebody writes. Existing
 * tables are left as they are.
 *
 * @throws {StoreError} as a rejection, when the database fails
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
  const repeat = { busyTimeout: checkBusyTimeout(options.busyTimeout) };
  // A server keeps its own journal. Where the switch is refused everything works, only slower;
  // where the database is broken the next statement says so.
  if (client.protocol === "file") {
    const journal = { sql: "pragma journal_mode = wal", args: [] };
    await run(client, "migrate", journal, repeat).catch(() => undefined);
  }
  for (const sql of schemaStatements) await run(client, "migrate", { sql, args: [] }, repeat);
}

const BUSY_TIMEOUT = 5_000;

function checkBusyTimeout(busyTimeout: number = BUSY_TIMEOUT): number {
  if (!Number.isFinite(busyTimeout) || busyTimeout < 0) {
    throw new RangeError("Cannot open the store: busyTimeout must be milliseconds, 0 or more");
  }
  return busyTimeout;
}
