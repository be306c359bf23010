import type { Store } from "../../src/ports/store.ts";
import { type DatabaseConnection, openDatabase } from "./libsql_database.ts";
import { classifyFailure, toStoreError } from "./libsql_failure.ts";
import { checkBusyTimeout } from "./libsql_migrate.ts";
import { createStore, type LibsqlStoreOptions } from "./libsql_store.ts";

export type { MigrateOptions } from "./libsql_migrate.ts";
export type { LibsqlStoreOptions } from "./libsql_store.ts";

/** A {@link libsqlSyncStore}, with its connection. */
export interface LibsqlSyncStore extends Store {
  /** Closes the connection; every verb is a `StoreError` from then on. Again, it does nothing. */
  close(): void;
}

/**
 * The store of `latchkey/libsql` for a file on this machine, or memory, without a client in between.
 *
 * Takes a path, or `:memory:`, and opens it at once with the package `libsql`,
 * which comes with `@libsql/client`. A token is looked up with a statement that
 * is prepared once, and its answer is there without a promise, several times as
 * soon as through a client. Tables, rows and what is refused are those of
 * `libsqlStore`: either store may open what the other one made, at the same
 * time too, from any number of processes.
 *
 * The connection belongs to the store, because one on which a statement was
 * kept out has to be replaced: this driver commits nothing on it any more. To
 * use the same file yourself, open another. Each statement runs on the thread
 * of the program, which a lookup by key never holds up for long; a lock is
 * waited for with short random pauses in which everything else goes on, up to
 * `busyTimeout`. A write takes the lock, does its one statement and commits,
 * before anything else can run on the connection.
 *
 * @throws {TypeError} when `path` is empty, no text, holds a NUL or is a URL
 * @throws {RangeError} when `busyTimeout` is not a number of milliseconds from 0 up
 * @throws {StoreError} when there can be no file at `path`; and from every verb, as a rejection,
 * when the database fails; the code is `conflict` when a unique value exists already
 *
 * @example
 * ```ts
 * import { libsqlSyncStore } from "latchkey/libsql-sync";
 *
 * const store = libsqlSyncStore(":memory:");
 * console.log(await store.findUserByName("nobody")); // null
 * store.close();
 * ```
 */
export function libsqlSyncStore(path: string, options: LibsqlStoreOptions = {}): LibsqlSyncStore {
  checkPath(path);
  checkBusyTimeout(options.busyTimeout);
  const connection = open(path);
  return { ...createStore(connection, options), close: () => connection.close() };
}

const URL = /^[a-z][a-z\d+.-]+:/i;

function checkPath(path: string): void {
  // The driver ends the whole process over a NUL, and SQLite takes no text for a passing database.
  if (typeof path !== "string" || path === "" || path.includes("\0")) {
    throw new TypeError("Cannot open the store: it needs the path of a file, or :memory:");
  }
  if (URL.test(path)) {
    throw new TypeError(
      "Cannot open the store: it takes the path of a file and no URL; leave out file:, and give " +
        "a server to libsqlStore of latchkey/libsql",
    );
  }
}

function open(path: string): DatabaseConnection {
  try {
    return openDatabase(path);
  } catch (error) {
    throw toStoreError("open the store", classifyFailure(error));
  }
}
