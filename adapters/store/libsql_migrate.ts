import { StoreError } from "../../src/ports/store_error.ts";
import type { Connection } from "./libsql_connection.ts";
import { classifyFailure, toStoreError } from "./libsql_failure.ts";
import { type AddedColumns, addedColumns, schemaParts, schemaVersion } from "./libsql_schema.ts";
import { readInteger } from "./libsql_row.ts";
import { type Repeat, run, runStatement } from "./libsql_run.ts";

/** Options of `migrate`, which a store takes too. */
export interface MigrateOptions {
  /**
   * For how many milliseconds a statement is repeated that another writer kept
   * out (`SQLITE_BUSY`, `SQLITE_LOCKED`). Default 5 000; 0 to try once.
   */
  readonly busyTimeout?: number;
}

/** Makes the tables and brings older ones up to date, as `migrate` says. */
export async function migrateTables(
  connection: Connection,
  options: MigrateOptions = {},
): Promise<void> {
  const repeat = { busyTimeout: checkBusyTimeout(options.busyTimeout) };
  const version = await readVersion(connection, repeat);
  if (version > schemaVersion) throw new StoreError(VERB, "unavailable", "SCHEMA_TOO_NEW");
  if (version === schemaVersion) return;
  // A server keeps its own journal. Where the switch is refused everything works, only slower;
  // where the database is broken the next statement says so.
  if (connection.protocol === "file") {
    const journal = { sql: "pragma journal_mode = wal", args: [] };
    await run(connection, VERB, journal, repeat).catch(() => undefined);
  }
  for (const sql of schemaParts.tables) await run(connection, VERB, { sql, args: [] }, repeat);
  for (const added of addedColumns) await addColumns(connection, added, repeat);
  for (const sql of schemaParts.rest) await run(connection, VERB, { sql, args: [] }, repeat);
}

/** Checks the option of that name and returns it, or its default. */
export function checkBusyTimeout(busyTimeout: number = BUSY_TIMEOUT): number {
  if (!Number.isFinite(busyTimeout) || busyTimeout < 0) {
    throw new RangeError("Cannot open the store: busyTimeout must be milliseconds, 0 or more");
  }
  return busyTimeout;
}

const BUSY_TIMEOUT = 5_000;
const VERB = "migrate";

/** The version that the tables say, 0 for none: no tables, older ones, or half a migration. */
async function readVersion(connection: Connection, repeat: Repeat): Promise<number> {
  const statement = { sql: "select version from latchkey_schema", args: [] };
  try {
    const row = (await runStatement(connection, statement, repeat.busyTimeout)).rows[0];
    return row === undefined ? 0 : readInteger(row[0], VERB);
  } catch (error) {
    const failure = classifyFailure(error);
    if (failure.kind === "no_tables") return 0;
    throw error instanceof StoreError ? error : toStoreError(VERB, failure);
  }
}

/** Gives a table the columns it lacks, and fills them. */
async function addColumns(
  connection: Connection,
  { table, columns, fill }: AddedColumns,
  repeat: Repeat,
): Promise<void> {
  for (const name of await findMissing(connection, table, columns, repeat)) {
    const sql = `alter table ${table} add column ${name} ${columns[name]}`;
    try {
      await run(connection, VERB, { sql, args: [] }, repeat);
    } catch (error) {
      // Another process may have been faster.
      const missing = await findMissing(connection, table, columns, repeat);
      if (missing.includes(name)) throw error;
    }
  }
  for (const sql of fill) await run(connection, VERB, { sql, args: [] }, repeat);
}

async function findMissing(
  connection: Connection,
  table: string,
  columns: Readonly<Record<string, string>>,
  repeat: Repeat,
): Promise<readonly string[]> {
  // Not `pragma table_info`, which a server may refuse.
  const sql = `select * from ${table} limit 0`;
  const present = new Set((await run(connection, VERB, { sql, args: [] }, repeat)).columns);
  return Object.keys(columns).filter((name) => !present.has(name));
}
