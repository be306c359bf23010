import { createInterface } from "node:readline";
import { openRaceStore } from "./race_store.ts";
import { races } from "./race.ts";

/*
 * A process of its own that takes part in a race: `racer.ts <url> <race> <part> <kind> …`.
 * It says that it is ready; then, for each line `<round> <time>`, it waits for
 * that time, so that all parts start together, and prints what it was told.
 * Imports by path, because a process outside the test runner knows no aliases.
 */
const [url = "", id = "", part = "0", ...kinds] = process.argv.slice(2);
const race = races[id];
if (race === undefined) throw new Error(`Cannot run the race ${id}: unknown`);
const stores = kinds.map((kind) =>
  openRaceStore(kind === "synchronous" ? "synchronous" : "client", url)
);
await Promise.all(stores.map((store) => store.findUser("nobody")));
process.stdout.write("ready\n");

for await (const line of createInterface({ input: process.stdin })) {
  const [round = 0, time = 0] = line.split(" ").map(Number);
  while (Date.now() < time);
  const told = await race.run(stores, Number(part), round);
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
process.exit(0);
