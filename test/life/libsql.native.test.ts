import { libsqlStore, migrate } from "latchkey/libsql";
import { afterAll } from "vitest";
import { openDatabases } from "../store/database.ts";
import { testLaws } from "./law.ts";
import { crashLaws } from "./crash_laws.ts";
import { goldenLaws } from "./golden_laws.ts";
import { leakLaws } from "./leak_laws.ts";
import { lifetimeLaws } from "./lifetime_laws.ts";
import { raceLaws } from "./race_laws.ts";
import { sinkLaws } from "./sink_laws.ts";

const databases = openDatabases();
afterAll(() => databases.close());

const laws = [...goldenLaws, ...leakLaws, ...lifetimeLaws, ...crashLaws, ...sinkLaws];

testLaws("a libSQL file with three clients", [...laws, ...raceLaws], async () => {
  const url = databases.fileUrl();
  const connect = () => libsqlStore(databases.connect(url), { busyTimeout: 30_000 });
  await migrate(databases.connect(url));
  return [connect(), connect(), connect()];
});

testLaws("libSQL in memory", laws, async () => [
  libsqlStore(databases.connect(":memory:")),
]);
