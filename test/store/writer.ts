import { createClient } from "@libsql/client";
import { libsqlStore } from "../../adapters/store/libsql.ts";
import { makeToken, revocation } from "./record.ts";

/*
 * A process of its own that writes to a database: `writer.ts <url> <name> <count>`.
 * It says that it is ready, waits for a line, so that all writers start
 * together, and prints what it was told as JSON. Imports by path, because a
 * process outside the test runner knows no aliases.
 */
const [url = "", name = "", count = "0"] = process.argv.slice(2);
const client = createClient({ url });
const store = libsqlStore(client, { busyTimeout: 30_000 });

process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));

const slots: string[] = [];
let revoked = 0;

async function write(index: number): Promise<void> {
  const digest = `${Buffer.from(name).toString("hex")}f${index}`;
  await store.insertToken(makeToken({ id: `${name}-${index}`, digest }));
  const slot = `slot-${index}`;
  const shared = makeToken({ id: `${name}-slot-${index}`, digest: `e${digest}`, owner: "shared" });
  const { token: { id } } = await store.ensureToken({ ...shared, slot });
  slots.push(id);
  // Where two writers meet in a slot, both revoke the one token, and only one may be told so.
  if (await store.revokeToken(id, revocation)) revoked++;
}

// Several at a time, as a server writes.
async function writeEvery(step: number, start: number): Promise<void> {
  for (let index = start; index < Number(count); index += step) await write(index);
}
await Promise.all([0, 1, 2, 3, 4].map((start) => writeEvery(5, start)));
client.close();
process.stdout.write(`${JSON.stringify({ slots, revoked })}\n`);
process.exit(0);
