import type { Client } from "@libsql/client";
import { StoreError } from "../../src/ports/store_error.ts";
import { classifyFailure, toStoreError } from "./libsql_failure.ts";
import { type AddedColumns, addedColumns, schemaParts, schemaVersion } from "./libsql_schema.ts";
import { readInteger } from "./libsql_row.ts";
import { type Repeat, run, runStatement } from "./libsql_run.ts";

/** What the store needs of a client from `@libsql/client`: any of them has it. */
export type LibsqlClient = Pick<Client, "closed" | "execute" | "protocol" | "reconnect">;

/** Options of {@link migrate}. */
export interface MigrateOptions {
  /**
   * For how many milliseconds a statement is repeated that another writer kept
   * out (`SQLITE_BUSY`, `SQLITE_LOCKED`). Default 5 000; 0 to try once.
   */
  readonly busyTimeout?: number;
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
  const repeat = { busyTimeout: checkBusyTimeout(options.busyTimeout) };
  const version = await readVersion(client, repeat);
  if (version > schemaVersion) throw new StoreError(VERB, "unavailable", "SCHEMA_TOO_NEW");
  if (version === schemaVersion) return;
  // A server keeps its own journal. Where the switch is refused everything works, only slower;
  // where the database is broken the next statement says so.
  if (client.protocol === "file") {
    const journal = { sql: "pragma journal_mode = wal", args: [] };
    await run(client, VERB, journal, repeat).catch(() => undefined);
  }
  for (const sql of schemaParts.tables) await run(client, VERB, { sql, args: [] }, repeat);
  for (const added of addedColumns) await addColumns(client, added, repeat);
  for (const sql of schemaParts.rest) await run(client, VERB, { sql, args: [] }, repeat);
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
async function readVersion(client: LibsqlClient, repeat: Repeat): Promise<number> {
  const statement = { sql: "select version from latchkey_schema", args: [] };
  try {
    const row = (await runStatement(client, statement, repeat.busyTimeout)).rows[0];
    return row === undefined ? 0 : readInteger(row[0], VERB);
  } catch (error) {
    const failure = classifyFailure(error);
    if (failure.kind === "no_tables") return 0;
    throw error instanceof StoreError ? error : toStoreError(VERB, failure);
  }
}

/** Gives a table the columns it lacks, and fills them. */
async function addColumns(
  client: LibsqlClient,
  { table, columns, fill }: AddedColumns,
  repeat: Repeat,
): Promise<void> {
  for (const name of await findMissing(client, table, columns, repeat)) {
    const sql = `alter table ${table} add column ${name} ${columns[name]}`;
    try {
      await run(client, VERB, { sql, args: [] }, repeat);
    } catch (error) {
      // Another process may have been faster.
      const missing = await findMissing(client, table, columns, repeat);
      if (missing.includes(name)) throw error;
    }
  }
  for (const sql of fill) await run(client, VERB, { sql, args: [] }, repeat);
}

async function findMissing(
  client: LibsqlClient,
  table: string,
  columns: Readonly<Record<string, string>>,
  repeat: Repeat,
): Promise<readonly string[]> {
  // Not `pragma table_info`, which a server may refuse.
  const sql = `select * from ${table} limit 0`;
  const present = new Set((await run(client, VERB, { sql, args: [] }, repeat)).columns);
  return Object.keys(columns).filter((name) => !present.has(name));
}
