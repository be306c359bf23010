import type { Answer, Connection } from "./libsql_connection.ts";
import { classifyFailure, type Failure, toStoreError } from "./libsql_failure.ts";
import type { BoundStatement } from "./libsql_statement.ts";

/** When and how a failed statement is run again. */
export interface Repeat {
  readonly busyTimeout: number;
  readonly makeTables?: () => Promise<void>;
}

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 100;
const SELECT = /^select\b/;

/** Runs one statement, and again where it did nothing; every other failure is a `StoreError`. */
export async function run(
  connection: Connection,
  verb: string,
  statement: BoundStatement,
  { busyTimeout, makeTables }: Repeat,
): Promise<Answer> {
  try {
    return await runStatement(connection, statement, busyTimeout);
  } catch (error) {
    const failure = classifyFailure(error);
    if (failure.kind !== "no_tables" || makeTables === undefined) throw toStoreError(verb, failure);
  }
  await makeTables();
  try {
    return await runStatement(connection, statement, busyTimeout);
  } catch (error) {
    throw toStoreError(verb, classifyFailure(error));
  }
}

// The writes of each client to a file, so that none borrows a connection between the moment
// another one was kept out on it and the moment it is dropped.
const turns = new WeakMap<Connection, Promise<unknown>>();

/** Runs one statement, and again while others keep it out; throws whatever the driver threw. */
export function runStatement(
  connection: Connection,
  statement: BoundStatement,
  busyTimeout: number,
): Promise<Answer> {
  // A wait for the turn is part of the time.
  const deadline = performance.now() + busyTimeout;
  if (connection.protocol !== "file" || SELECT.test(statement.sql)) {
    return runUntil(connection, statement, deadline);
  }
  const start = () => runUntil(connection, statement, deadline);
  const turn = (turns.get(connection) ?? Promise.resolve()).then(start, start);
  turns.set(connection, turn);
  return turn;
}

async function runUntil(
  connection: Connection,
  statement: BoundStatement,
  deadline: number,
): Promise<Answer> {
  let pause = FIRST_PAUSE;
  for (;;) {
    try {
      return await connection.execute(statement);
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.kind === "busy") await dropConnections(connection, failure);
      else if (failure.code !== "CLIENT_CLOSED" || connection.closed) throw error;
      // Otherwise the connection was dropped under a statement that had not begun.
      if (performance.now() >= deadline) throw error;
    }
    await waitFor(pause * (0.5 + Math.random()));
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }
}

/**
 * Makes a client forget the connection on which a statement was kept out.
 *
 * The driver (libsql 0.5) never resets that statement, and SQLite commits
 * nothing on a connection while it lasts: later writes would succeed, be seen
 * on that connection alone and be gone with it. A database in memory is not
 * shared, lives in its one connection, and is left alone.
 */
async function dropConnections(connection: Connection, failure: Failure): Promise<void> {
  if (connection.reconnect === undefined || connection.protocol !== "file") return;
  if (!failure.code?.startsWith("SQLITE_BUSY")) return;
  const databases = await connection.execute({ sql: "pragma database_list", args: [] });
  const path = databases.rows[0]?.[2];
  if (typeof path === "string" && path !== "") await connection.reconnect();
}

function waitFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
