import type { Store } from "../ports/store.ts";
import type { AuthEvent } from "../pure/event.ts";
import { expectEqual, settle } from "./expectation.ts";
import { hostileTexts } from "./hostile_text.ts";
import { law, type StoreLaw } from "./law.ts";

const RACERS = 10;

/** Reads the events of a store in the order in which they were added. */
export type ReadEvents = (store: Store) => Promise<readonly AuthEvent[]>;

/** One of each type, with each way in which an event may differ from others of its type. */
const samples: readonly AuthEvent[] = [
  { type: "logged_in", at: 9, owner: "user-1", token: "token-1" },
  { type: "login_refused", at: 1, owner: null, reason: "unknown_user" },
  { type: "login_refused", at: 2, owner: "user-1", reason: "wrong_password" },
  { type: "token_issued", at: 0, owner: "user-1", token: "token-1" },
  {
    type: "token_refused",
    at: Number.MAX_SAFE_INTEGER,
    owner: null,
    token: null,
    reason: "unknown_token",
  },
  { type: "token_refused", at: 5, owner: "user-1", token: "token-1", reason: "idle_token" },
  { type: "token_rotated", at: 5, owner: "user-1", token: "token-1", successor: "token-2" },
  {
    type: "token_reused",
    at: 5,
    owner: "user-1",
    token: "token-1",
    family: "token-0",
    count: 0,
  },
  { type: "token_revoked", at: 6, owner: null, token: "token-1", reason: "logged_out" },
  { type: "tokens_revoked", at: 6, owner: "user-1", reason: "password_changed", count: 3 },
  { type: "tokens_pruned", at: 7, count: 1_000 },
];

/** The contract of `EventStore`. The port cannot be asked for events, so the runner says how to. */
export function eventLaws(readEvents: ReadEvents): readonly StoreLaw[] {
  return [
    law("appendEvents keeps every event in its order, exactly as it was", async (store) => {
      expectEqual(await readEvents(store), [], "the events of a new store");
      await store.appendEvents(samples);
      expectEqual(await readEvents(store), samples, "the events");
      await store.appendEvents([]);
      const more = samples.toReversed();
      for (const event of more) await store.appendEvents([event]);
      await store.appendEvents(samples.slice(0, 2));
      const all = [...samples, ...more, ...samples.slice(0, 2)];
      expectEqual(await readEvents(store), all, "all events");
    }),

    law("appendEvents keeps the order of a long list", async (store) => {
      const events = Array.from({ length: 300 }, (_, index): AuthEvent => ({
        type: "tokens_pruned",
        at: index % 7,
        count: index,
      }));
      await store.appendEvents(events);
      expectEqual(await readEvents(store), events, "the events");
    }),

    law("appendEvents adds all events of a list or none, whatever they contain", async (store) => {
      let kept: readonly AuthEvent[] = [];
      for (const { name, text, mayBeRefused } of hostileTexts) {
        const events: readonly AuthEvent[] = [
          { type: "token_issued", at: 1, owner: text, token: "token-1" },
          { type: "token_rotated", at: 1, owner: "a", token: text, successor: `${text}2` },
          { type: "token_reused", at: 1, owner: "a", token: "b", family: text, count: 2 },
        ];
        for (const list of [events, ...events.map((event) => [...samples, event])]) {
          const { isRejected } = await settle(store.appendEvents(list));
          expectEqual(isRejected && !mayBeRefused, false, `${name} refused`);
          if (!isRejected) kept = [...kept, ...list];
          expectEqual((await readEvents(store)).length, kept.length, `the events beside ${name}`);
        }
      }
      expectEqual(await readEvents(store), kept, "the events");
    }),

    law(
      "appendEvents loses no event and splits no list, however many callers race",
      async (store) => {
        const lists = Array.from(
          { length: RACERS },
          (_, racer) =>
            Array.from({ length: 5 }, (_, index): AuthEvent => ({
              type: "tokens_pruned",
              at: racer,
              count: index,
            })),
        );
        await Promise.all(lists.map((list) => store.appendEvents(list)));
        const stored = await readEvents(store);
        const order = stored.filter((_, index) => index % 5 === 0).map(({ at }) => lists[at] ?? []);
        expectEqual(stored, order.flat(), "whole lists, one after the other");
        expectEqual(new Set(stored.map(({ at }) => at)).size, RACERS, "the lists");
      },
    ),

    law("an event changed outside the store changes nothing inside it", async (store) => {
      const given = samples.map((event) => ({ ...event }));
      await store.appendEvents(given);
      for (const event of given) Reflect.set(event, "at", 99);
      for (const event of await readEvents(store)) Reflect.set(event, "owner", "spoiled");
      expectEqual(await readEvents(store), samples, "the events");
    }),
  ];
}
