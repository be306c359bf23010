import type { Store } from "../../src/ports/store.ts";
import { StoreError } from "../../src/ports/store_error.ts";
import type { Answer, Connection, Row } from "./libsql_connection.ts";
import { checkBusyTimeout, type MigrateOptions, migrateTables } from "./libsql_migrate.ts";
import {
  isStorable,
  readFoundToken,
  readOwnedToken,
  readToken,
  readUserRecord,
  readWindow,
  readWindows,
  writeEvents,
  writeFlag,
  writeInteger,
  writeLimits,
  writeRevocation,
  writeText,
  writeToken,
  writeUser,
  writeUses,
  writeWindows,
} from "./libsql_row.ts";
import { type Repeat, run } from "./libsql_run.ts";
import { bind, type BoundStatement, findTokenSql, statements } from "./libsql_statement.ts";

/** Options of a store in a libSQL or SQLite database. */
export interface LibsqlStoreOptions extends MigrateOptions {
  /**
   * Whether the store runs `migrate` before its first statement, and when
   * a table is missing later. Default `true`; `false` when your own migrations
   * own the schema: nothing is checked and a missing table is a `StoreError`.
   */
  readonly migrate?: boolean;
}

/** The store on a connection, whichever it is. */
export function createStore(connection: Connection, options: LibsqlStoreOptions): Store {
  const busyTimeout = checkBusyTimeout(options.busyTimeout);
  const migrates = options.migrate !== false;
  let migration: Promise<void> | null = null;
  let isChecked = !migrates;

  /** One migration for all statements that wait for the tables at the same time. */
  function makeTables(): Promise<void> {
    migration ??= migrateTables(connection, { busyTimeout }).then(() => {
      isChecked = true;
    }).finally(() => {
      migration = null;
    });
    return migration;
  }

  const repeat: Repeat = migrates ? { busyTimeout, makeTables } : { busyTimeout };
  async function execute(verb: string, statement: BoundStatement): Promise<Answer> {
    if (!isChecked) await makeTables();
    return await run(connection, verb, statement, repeat);
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
    findToken(digests) {
      const verb = "find token";
      const args = digests.filter(isStorable);
      if (args.length === 0) return null;
      const statement = { sql: findTokenSql(args.length), args };
      if (isChecked && connection.readRow !== undefined) {
        try {
          const row = connection.readRow(statement);
          return row === undefined ? null : readFoundToken(row, verb);
        } catch {
          // Asked once more below, where failures are sorted and what can be repeated is.
        }
      }
      return findRow(verb, statement, readFoundToken);
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
      return (await execute(verb, statement)).rows.map((row) => readFoundToken(row, verb));
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
    async takeAttempts(limits, now) {
      const verb = "take attempts";
      const values = {
        limits: writeLimits(limits, writeInteger(now, verb), verb),
        now,
      };
      if (limits.length === 0) return [];
      const { rows } = await execute(verb, bind(statements.takeAttempts, values));
      return rows.length === 0 ? null : readWindows(rows, limits.map(({ key }) => key), verb);
    },
    async findAttempts(keys, now) {
      const verb = "find attempts";
      const storable = keys.filter(isStorable);
      const values = { keys: JSON.stringify(storable), now: writeInteger(now, verb) };
      if (storable.length === 0) return [];
      const { rows } = await execute(verb, bind(statements.findAttempts, values));
      return rows.map((row) => readWindow(row, verb));
    },
    async returnAttempts(windows) {
      const verb = "return attempts";
      if (windows.length === 0) return;
      const values = { windows: writeWindows(windows, verb) };
      await change(verb, bind(statements.returnAttempts, values));
    },
    async pruneAttempts(before, limit) {
      const verb = "prune attempts";
      const values = { before: writeInteger(before, verb), limit: writeInteger(limit, verb) };
      if (limit <= 0) return 0;
      return await change(verb, bind(statements.pruneAttempts, values));
    },
    async appendEvents(events) {
      const verb = "append events";
      if (events.length === 0) return;
      await change(verb, bind(statements.appendEvents, { events: writeEvents(events, verb) }));
    },
  };
}
