import process from "node:process";
import { createClient } from "@libsql/client";
import { libsqlStore, migrate } from "latchkey/libsql";
import { afterAll, describe, expect, it } from "vitest";
import { startChild } from "./child.ts";
import { openDatabases } from "./database.ts";
import { races } from "./race.ts";

/** Fewer where the same suite has run before, on another version of the runtime. */
const ROUNDS = Number(process.env["RACE_ROUNDS"] ?? 200);
const PARTS = [0, 1];
/** How far ahead the start of a round is set, so that every process waits for it. */
const LEAD = 2;

const databases = openDatabases();
afterAll(() => databases.close());

describe.each(Object.entries(races))("%s:", (id, race) => {
  it(`${race.name}, from 4 connections, ${ROUNDS} rounds (${id})`, async () => {
    const { url, store } = await open();
    const parts = PARTS.map(() =>
      [0, 1].map(() =>
        libsqlStore(createClient({ url, timeout: 1_000 }), {
          busyTimeout: 30_000,
          migrate: false,
        })
      )
    );
    const wrong: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      await race.prepare(store, round);
      const told = await Promise.all(parts.map((stores, part) => race.run(stores, part, round)));
      wrong.push(await race.check(store, round, told.flat()));
    }
    report(`${id}, 4 connections`, wrong);
  });

  it(`${race.name}, from 2 processes, ${ROUNDS} rounds (${id})`, async () => {
    const { url, store } = await open();
    const children = PARTS.map((part) => startChild("./racer.ts", [url, id, String(part)]));
    const wrong: string[] = [];
    for (const child of children) expect(await child.read()).toBe("ready");
    for (let round = 0; round < ROUNDS; round++) {
      await race.prepare(store, round);
      const time = Date.now() + LEAD;
      for (const child of children) child.write(`${round} ${time}`);
      const told = await Promise.all(children.map(async (child) => JSON.parse(await child.read())));
      wrong.push(await race.check(store, round, told.flat()));
    }
    await Promise.all(children.map((child) => child.close()));
    report(`${id}, 2 processes of 2 connections`, wrong);
  });
});

async function open() {
  const url = databases.fileUrl();
  const client = createClient({ url, timeout: 1_000 });
  await migrate(client);
  return { url, store: libsqlStore(client, { busyTimeout: 30_000 }) };
}

function report(what: string, wrong: readonly string[]): void {
  const lost = wrong.filter((text) => text !== "");
  console.log(`${what}: ${wrong.length} rounds, ${lost.length} lost`);
  expect(lost).toEqual([]);
  expect(wrong).toHaveLength(ROUNDS);
}
