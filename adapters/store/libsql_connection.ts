import type { BoundStatement } from "./libsql_statement.ts";

/** One row of an answer: its values by position. A client's rows and arrays are both. */
export interface Row {
  readonly [position: number]: unknown;
}

/** What a statement answers. */
export interface Answer {
  /** The names of its columns. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** How many rows it changed, where it returns none. */
  readonly rowsAffected: number;
}

/** A way to a database: a client of `@libsql/client` is one, and so is a database of `libsql`. */
export interface Connection {
  /** Whether it was closed, so that nothing works any more. */
  readonly closed: boolean;
  /** `file` for a file or memory; anything else is a server. */
  readonly protocol: string;
  execute(statement: BoundStatement): Promise<Answer>;
  /** Opens it anew after a statement was kept out. Absent where that leaves nothing behind. */
  reconnect?(): void | Promise<void>;
  /** The first row of a select, at once. Absent where every answer is a promise. */
  readRow?(statement: BoundStatement): Row | undefined;
}
