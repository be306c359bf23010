import type { Client, ResultSet } from "@libsql/client";
import { classifyFailure, type Failure, toStoreError } from "./libsql_failure.ts";
import type { BoundStatement } from "./libsql_statement.ts";

/** When and how a failed statement is run again. */
export interface Repeat {
  readonly busyTimeout: number;
  readonly makeTables?: () => Promise<void>;
}

type RunClient = Pick<Client, "closed" | "execute" | "protocol" | "reconnect">;

const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 100;
const SELECT = /^select\b/;

/** Runs one statement, and again where it did nothing; every other failure is a `StoreError`. */
export async function run(
  client: RunClient,
  verb: string,
  statement: BoundStatement,
  { busyTimeout, makeTables }: Repeat,
): Promise<ResultSet> {
  try {
    return await runStatement(client, statement, busyTimeout);
  } catch (error) {
    const failure = classifyFailure(error);
    if (failure.kind !== "no_tables" || makeTables === undefined) throw toStoreError(verb, failure);
  }
  await makeTables();
  try {
    return await runStatement(client, statement, busyTimeout);
  } catch (error) {
    throw toStoreError(verb, classifyFailure(error));
  }
}

// The writes of each client to a file, so that none borrows a connection between the moment
// another one was kept out on it and the moment it is dropped.
const turns = new WeakMap<RunClient, Promise<unknown>>();

/** Runs one statement, and again while others keep it out; throws whatever the driver threw. */
export function runStatement(
  client: RunClient,
  statement: BoundStatement,
  busyTimeout: number,
): Promise<ResultSet> {
  // A wait for the turn is part of the time.
  const deadline = performance.now() + busyTimeout;
  if (client.protocol !== "file" || SELECT.test(statement.sql)) {
    return runUntil(client, statement, deadline);
  }
  const start = () => runUntil(client, statement, deadline);
  const turn = (turns.get(client) ?? Promise.resolve()).then(start, start);
  turns.set(client, turn);
  return turn;
}

async function runUntil(
  client: RunClient,
  statement: BoundStatement,
  deadline: number,
): Promise<ResultSet> {
  let pause = FIRST_PAUSE;
  for (;;) {
    try {
      return await client.execute(statement);
    } catch (error) {
      const failure = classifyFailure(error);
      if (failure.kind === "busy") await dropConnections(client, failure);
      else if (failure.code !== "CLIENT_CLOSED" || client.closed) throw error;
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
async function dropConnections(client: RunClient, failure: Failure): Promise<void> {
  if (client.protocol !== "file" || !failure.code?.startsWith("SQLITE_BUSY")) return;
  const databases = await client.execute("pragma database_list");
  const path = databases.rows[0]?.[2];
  if (typeof path === "string" && path !== "") await client.reconnect();
}

function waitFor(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
