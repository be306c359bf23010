import { type Client, createClient, type InStatement } from "@libsql/client";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LibsqlSyncStore, libsqlSyncStore } from "../../adapters/store/libsql_sync.ts";
import { startHranaServer } from "./hrana_server.ts";

type SyncOptions = Parameters<typeof libsqlSyncStore>[1];

/** Opens databases, and closes and deletes all of them together. */
export interface Databases {
  /** The URL of a file that does not exist yet. */
  fileUrl(): string;
  /** A client of `url`. */
  connect(url: string): Client;
  /** A synchronous store in the file of `url`. */
  openSync(url: string, options?: SyncOptions): LibsqlSyncStore;
  /** A client of a new database on a server. */
  connectToServer(): Promise<Client>;
  close(): Promise<void>;
}

/** Makes an empty folder for databases. */
export function openDatabases(): Databases {
  const folder = mkdtempSync(join(tmpdir(), "latchkey-"));
  const closing: (() => void | Promise<void>)[] = [];
  let count = 0;
  function fileUrl(): string {
    return `file:${join(folder, `${count++}.db`)}`;
  }
  function connect(url: string): Client {
    const client = createClient({ url });
    closing.push(() => client.close());
    return client;
  }
  return {
    fileUrl,
    connect,
    openSync(url, options) {
      const store = libsqlSyncStore(pathOf(url), options);
      closing.push(() => store.close());
      return store;
    },
    async connectToServer() {
      const server = await startHranaServer(fileUrl());
      const client = connect(server.url);
      closing.push(() => server.close());
      return client;
    },
    async close() {
      for (const close of closing) await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Something a client was asked to do. */
export interface Call {
  readonly method: string;
  readonly sql: string;
  readonly args: unknown;
}

/**
 * Wraps a client so that everything it is asked to do is noted, and so that
 * `intercept` may throw instead or wait before it is done.
 */
export function watchClient(
  client: Client,
  intercept: (call: Call, count: number) => void | Promise<void> = () => {},
): { readonly client: Client; readonly calls: Call[] } {
  const calls: Call[] = [];
  const watched = new Proxy(client, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return async (...args: readonly InStatement[]) => {
        const statement = args[0];
        const isText = statement === undefined || typeof statement === "string";
        const call = {
          method: String(name),
          sql: isText ? String(statement) : statement.sql,
          args: isText ? [] : statement.args,
        };
        // How the store recovers is not what it was asked to do.
        if (call.method === "execute" && call.sql !== "pragma database_list") {
          calls.push(call);
          await intercept(call, calls.length);
        } else if (call.method === "batch" || call.method === "transaction") calls.push(call);
        return await Reflect.apply(member, target, args);
      };
    },
  });
  return { client: watched, calls };
}

/** The path in a URL of `fileUrl`. */
export function pathOf(url: string): string {
  return url.slice("file:".length);
}
