import process from "node:process";
import { createClient } from "@libsql/client";
import { libsqlStore, migrate } from "latchkey/libsql";
import { afterAll, describe, expect, it } from "vitest";
import { startChild } from "./child.ts";
import { openDatabases } from "./database.ts";
import { type ConnectionKind, openRaceStore } from "./race_store.ts";
import { races } from "./race.ts";

/** Fewer where the same suite has run before, on another version of the runtime. */
const ROUNDS = Number(process.env["RACE_ROUNDS"] ?? 200);
const PARTS = [0, 1];
/** How far ahead the start of a round is set, so that every process waits for it. */
const LEAD = 2;

const databases = openDatabases();
afterAll(() => databases.close());

/** What the two connections of a part are. */
const pairs: readonly (readonly [ConnectionKind, ConnectionKind])[] = [
  ["client", "client"],
  ["synchronous", "client"],
  ["synchronous", "synchronous"],
];
const cases = Object.entries(races).flatMap(([id, race]) =>
  pairs.map((kinds) => {
    // Each kind races itself in full; together they only have to respect each other's locks.
    const rounds = kinds[0] === kinds[1] ? ROUNDS : Math.ceil(ROUNDS / 4);
    return { id, race, kinds, rounds, name: kinds.join(" and ") };
  })
);

describe.each(cases)("$id, $name:", ({ id, race, kinds, rounds, name }) => {
  it(`${race.name}, from 4 connections, ${rounds} rounds (${id})`, async () => {
    const { url, store } = await open();
    const parts = PARTS.map(() => kinds.map((kind) => openRaceStore(kind, url)));
    const wrong: string[] = [];
    for (let round = 0; round < rounds; round++) {
      await race.prepare(store, round);
      const told = await Promise.all(parts.map((stores, part) => race.run(stores, part, round)));
      wrong.push(await race.check(store, round, told.flat()));
    }
    report(`${id}, ${name}, 4 connections`, wrong, rounds);
  });

  it(`${race.name}, from 2 processes, ${rounds} rounds (${id})`, async () => {
    const { url, store } = await open();
    const children = PARTS.map((part) =>
      startChild("./racer.ts", [url, id, String(part), ...kinds])
    );
    const wrong: string[] = [];
    for (const child of children) expect(await child.read()).toBe("ready");
    for (let round = 0; round < rounds; round++) {
      await race.prepare(store, round);
      const time = Date.now() + LEAD;
      for (const child of children) child.write(`${round} ${time}`);
      const told = await Promise.all(children.map(async (child) => JSON.parse(await child.read())));
      wrong.push(await race.check(store, round, told.flat()));
    }
    await Promise.all(children.map((child) => child.close()));
    report(`${id}, ${name}, 2 processes of 2 connections`, wrong, rounds);
  });
});

async function open() {
  const url = databases.fileUrl();
  const client = createClient({ url, timeout: 1_000 });
  await migrate(client);
  return { url, store: libsqlStore(client, { busyTimeout: 30_000 }) };
}

function report(what: string, wrong: readonly string[], rounds: number): void {
  const lost = wrong.filter((text) => text !== "");
  console.log(`${what}: ${wrong.length} rounds, ${lost.length} lost`);
  expect(lost).toEqual([]);
  expect(wrong).toHaveLength(rounds);
}
