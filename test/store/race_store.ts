import { createClient } from "@libsql/client";
import { libsqlStore } from "../../adapters/store/libsql.ts";
import { libsqlSyncStore } from "../../adapters/store/libsql_sync.ts";
import type { Store } from "../../src/ports/store.ts";
import { pathOf } from "./database.ts";

/** The two ways to a file. */
export type ConnectionKind = "client" | "synchronous";

/** A store on a connection of its own, for a race in which others keep it out for long. */
export function openRaceStore(kind: ConnectionKind, url: string): Store {
  const options = { busyTimeout: 30_000, migrate: false };
  if (kind === "synchronous") return libsqlSyncStore(pathOf(url), options);
  return libsqlStore(createClient({ url, timeout: 1_000 }), options);
}
