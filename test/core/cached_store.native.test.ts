import type { Client } from "@libsql/client";
import { type Store, verificationCache } from "latchkey";
import { libsqlStore } from "latchkey/libsql";
import { storeContract } from "latchkey/testing";
import { afterAll, describe, it } from "vitest";
import { openDatabases } from "../store/database.ts";
import { readLibsqlEvents } from "../store/events.ts";

const MINUTE = 60_000;
const databases = openDatabases();
afterAll(() => databases.close());

describe("libsqlStore behind a cache keeps the contract:", () => {
  const clients = new WeakMap<Store, Client>();
  const laws = storeContract({
    async readEvents(store) {
      const client = clients.get(store);
      return client === undefined ? [] : await readLibsqlEvents(client);
    },
  });
  for (const law of laws) {
    it(law.name, () =>
      law.run(async () => {
        const client = databases.connect(databases.fileUrl());
        const cache = verificationCache({ staleness: MINUTE });
        const store = cache.attach(libsqlStore(client), () => 0);
        clients.set(store, client);
        return store;
      }));
  }
});
