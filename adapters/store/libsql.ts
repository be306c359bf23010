import type { ResultSet, Row } from "@libsql/client";
import type { Store } from "../../src/ports/store.ts";
import { StoreError } from "../../src/ports/store_error.ts";
import {
  checkBusyTimeout,
  type LibsqlClient,
  migrate,
  type MigrateOptions,
} from "./libsql_migrate.ts";
import {
  isStorable,
  readOwnedToken,
  readToken,
  readUserRecord,
  writeEvents,
  writeFlag,
  writeInteger,
  writeRevocation,
  writeText,
  writeToken,
  writeUser,
  writeUses,
} from "./libsql_row.ts";
import { type Repeat, run } from "./libsql_run.ts";
import { bind, type BoundStatement, findTokenSql, statements } from "./libsql_statement.ts";

export { type LibsqlClient, migrate, type MigrateOptions } from "./libsql_migrate.ts";
export {
  type Column,
  type EventColumns,
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

/** Options of {@link libsqlStore}. */
export interface LibsqlStoreOptions extends MigrateOptions {
  /**
   * Whether the store runs {@link migrate} before its first statement, and when
   * a table is missing later. Default `true`; `false` when your own migrations
   * own the schema: nothing is checked and a missing table is a `StoreError`.
   */
  readonly migrate?: boolean;
}

/**
 * Keeps tokens, users and events in a libSQL or SQLite database: a file, `:memory:` or a remote server.
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
  const busyTimeout = checkBusyTimeout(options.busyTimeout);
  const migrates = options.migrate !== false;
  let migration: Promise<void> | null = null;
  let isChecked = !migrates;

  /** One migration for all statements that wait for the tables at the same time. */
  function makeTables(): Promise<void> {
    migration ??= migrate(client, { busyTimeout }).then(() => {
      isChecked = true;
    }).finally(() => {
      migration = null;
    });
    return migration;
  }

  const repeat: Repeat = migrates ? { busyTimeout, makeTables } : { busyTimeout };
  async function execute(verb: string, statement: BoundStatement): Promise<ResultSet> {
    if (!isChecked) await makeTables();
    return await run(client, verb, statement, repeat);
  }

  async function findRow<T>(
    verb: string,
    statement: BoundStatement,
    read: (row: Row, verb: string) => T,
  ): Promise<T | null> {
    const row = (await execute(verb, statement)).rows[0];
    return row === undefined ? null : read(row, verb);
  }

  async function change(verb: string, statement: BoundStatement): Promise<number> {
    return (await execute(verb, statement)).rowsAffected;
  }

  return {
    async insertToken(token, limit) {
      const verb = "insert token";
      const values = writeToken(token, verb);
      const statement = limit === undefined
        ? bind(statements.insertToken, values)
        : bind(statements.insertLimitedToken, {
          ...values,
          max: writeInteger(limit.max, verb),
          now: writeInteger(limit.now, verb),
        });
      return await findRow(verb, statement, readToken);
    },
    async ensureToken(token) {
      const verb = "ensure token";
      const statement = bind(statements.ensureToken, writeToken(token, verb));
      const found = await findRow(verb, statement, readOwnedToken);
      if (found === null) throw new StoreError(verb, "unavailable", "MALFORMED_ROW");
      return found;
    },
    async findToken(digests) {
      const args = digests.filter(isStorable);
      if (args.length === 0) return null;
      return await findRow("find token", { sql: findTokenSql(args.length), args }, readOwnedToken);
    },
    async listTokens(owner, { limit, after }) {
      const verb = "list tokens";
      const page = { owner, limit: writeInteger(limit, verb) };
      if (!isStorable(owner) || limit <= 0) return [];
      const statement = after === undefined
        ? bind(statements.listTokens, page)
        : bind(statements.listMoreTokens, {
          ...page,
          after_created_at: writeInteger(after.createdAt, verb),
          after_id: writeText(after.id, verb),
        });
      return (await execute(verb, statement)).rows.map((row) => readOwnedToken(row, verb));
    },
    async renameToken(owner, id, name) {
      const verb = "rename token";
      const values = { owner, id, name: writeText(name, verb) };
      if (!isStorable(owner) || !isStorable(id)) return false;
      return await change(verb, bind(statements.renameToken, values)) > 0;
    },
    async rotateToken(token) {
      const verb = "rotate token";
      return await findRow(
        verb,
        bind(statements.rotateToken, writeToken(token, verb)),
        readToken,
      );
    },
    async revokeToken(id, revocation, owner) {
      const verb = "revoke token";
      const values = { id, ...writeRevocation(revocation, verb) };
      if (!isStorable(id)) return false;
      if (owner === undefined) return await change(verb, bind(statements.revokeToken, values)) > 0;
      if (!isStorable(owner)) return false;
      return await change(verb, bind(statements.revokeOwnToken, { ...values, owner })) > 0;
    },
    async revokeTokens(owner, revocation, except) {
      const verb = "revoke tokens";
      const values = { owner, ...writeRevocation(revocation, verb) };
      if (!isStorable(owner)) return 0;
      // No token has an id that cannot be stored, so none is left out for it.
      const kept = except !== undefined && isStorable(except) ? except : null;
      return await change(verb, bind(statements.revokeTokens, { ...values, except: kept }));
    },
    async revokeFamily(family, revocation) {
      const verb = "revoke family";
      const values = { family, ...writeRevocation(revocation, verb) };
      // Rows of a program of the version before, during an upgrade, have no family at all.
      if (!isStorable(family) || family === "") return 0;
      return await change(verb, bind(statements.revokeFamily, values));
    },
    async touchTokens(uses) {
      const verb = "touch tokens";
      if (uses.length === 0) return;
      await change(verb, bind(statements.touchTokens, { uses: writeUses(uses, verb) }));
    },
    async pruneTokens(before, limit) {
      const verb = "prune tokens";
      const values = { before: writeInteger(before, verb), limit: writeInteger(limit, verb) };
      if (limit <= 0) return 0;
      return await change(verb, bind(statements.pruneTokens, values));
    },
    async insertUser(user) {
      const verb = "insert user";
      return await change(verb, bind(statements.insertUser, writeUser(user, verb))) > 0;
    },
    async findUser(id) {
      if (!isStorable(id)) return null;
      return await findRow("find user", bind(statements.findUser, { id }), readUserRecord);
    },
    async findUserByName(username) {
      if (!isStorable(username)) return null;
      const statement = bind(statements.findUserByName, { username });
      return await findRow("find user by name", statement, readUserRecord);
    },
    async replacePassword(id, password, { newEpoch, expected }) {
      const verb = "replace password";
      const values = {
        id,
        password: password === null ? null : writeText(password, verb),
        steps: writeFlag(newEpoch, verb),
      };
      if (!isStorable(id)) return false;
      if (typeof expected === "string" && !isStorable(expected)) return false;
      const statement = expected === undefined
        ? bind(statements.replacePassword, values)
        : bind(statements.replaceExpectedPassword, { ...values, expected });
      return await change(verb, statement) > 0;
    },
    async setActive(id, isActive, { newEpoch }) {
      const verb = "set active";
      const values = {
        id,
        is_active: writeFlag(isActive, verb),
        steps: writeFlag(newEpoch, verb),
      };
      if (!isStorable(id)) return false;
      return await change(verb, bind(statements.setActive, values)) > 0;
    },
    async startEpoch(id) {
      if (!isStorable(id)) return false;
      return await change("start epoch", bind(statements.startEpoch, { id })) > 0;
    },
    async deleteUser(id) {
      if (!isStorable(id)) return false;
      return await change("delete user", bind(statements.deleteUser, { id })) > 0;
    },
    async appendEvents(events) {
      const verb = "append events";
      if (events.length === 0) return;
      await change(verb, bind(statements.appendEvents, { events: writeEvents(events, verb) }));
    },
  };
}
