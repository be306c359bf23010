import Database from "libsql";
import type { Answer, Connection, Row } from "./libsql_connection.ts";
import { classifyFailure } from "./libsql_failure.ts";
import type { BoundStatement } from "./libsql_statement.ts";

/** A connection to a file or memory that answers before it returns. */
export interface DatabaseConnection extends Connection {
  readRow(statement: BoundStatement): Row | undefined;
  /** Closes it for good; again does nothing. */
  close(): void;
}

/**
 * Opens a connection of `libsql`.
 *
 * This driver never resets a statement that was kept out (`SQLITE_BUSY`), and
 * on a connection with such a statement SQLite sees no newer data and commits
 * nothing, whatever it says. So a write first takes the lock by itself, with
 * `begin immediate`, which the driver does clean up after; and where anything
 * else is kept out, the connection is given up and the next statement opens
 * another. The driver is told not to wait for locks, because it would stop the
 * whole process meanwhile.
 *
 * @throws whatever the driver throws, when there can be no such file
 */
export function openDatabase(path: string): DatabaseConnection {
  let isClosed = false;
  let database: Database.Database | null = openFile(path);
  // Prepared once. Only lookups, of which there are few texts.
  const lookups = new Map<string, Database.Statement>();

  function use(): Database.Database {
    if (isClosed) throw new ConnectionError("CLIENT_CLOSED");
    database ??= openFile(path);
    return database;
  }

  function prepareLookup(sql: string): Database.Statement {
    const statement = use().prepare(sql).raw(true);
    lookups.set(sql, statement);
    return statement;
  }

  /** Leaves nothing behind of a statement that failed. */
  function recover(error: unknown): void {
    // One that failed is not reset by the driver, and keeps the arguments it has.
    lookups.clear();
    if (database === null) return;
    try {
      if (database.inTransaction) database.exec("rollback");
    } catch {
      giveUp(database);
      return;
    }
    if (classifyFailure(error).kind === "busy") giveUp(database);
  }

  function giveUp(broken: Database.Database): void {
    // Nobody else can lock a database in memory, and it would be gone.
    if (path === MEMORY) return;
    database = null;
    broken.close();
  }

  return {
    protocol: "file",
    get closed() {
      return isClosed;
    },
    async execute({ sql, args }) {
      const current = use();
      if (!WRITES.test(sql)) return attempt(() => answer(current, sql, args), recover);
      // Outside of the attempt: when the lock is not to be had, nothing was left behind.
      current.exec("begin immediate");
      return attempt(() => {
        const result = answer(current, sql, args);
        current.exec("commit");
        return result;
      }, recover);
    },
    readRow({ sql, args }) {
      try {
        const row = (lookups.get(sql) ?? prepareLookup(sql)).get(args);
        return Array.isArray(row) ? row : undefined;
      } catch (error) {
        recover(error);
        throw error;
      }
    },
    close() {
      isClosed = true;
      // They would go on answering.
      lookups.clear();
      database?.close();
      database = null;
    },
  };
}

const MEMORY = ":memory:";
/** A pragma may not be part of a transaction, and a select needs no lock. */
const WRITES = /^(?!select\b|pragma\b)/;

/** What the driver tells without a code. */
class ConnectionError extends Error {
  readonly code: string;

  constructor(code: string) {
    super("Cannot use the database");
    this.code = code;
  }
}

function openFile(path: string): Database.Database {
  try {
    return new Database(path, { timeout: 0 });
  } catch {
    throw new ConnectionError("SQLITE_CANTOPEN");
  }
}

function answer(database: Database.Database, sql: string, args: BoundStatement["args"]): Answer {
  const statement = database.prepare(sql);
  const columns = statement.columns().map(({ name }) => name);
  if (columns.length === 0) {
    return { columns, rows: [], rowsAffected: statement.run(args).changes };
  }
  return { columns, rows: statement.raw(true).all(args).filter(isRow), rowsAffected: 0 };
}

function attempt<T>(act: () => T, recover: (error: unknown) => void): T {
  try {
    return act();
  } catch (error) {
    recover(error);
    throw error;
  }
}

function isRow(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
