import {
  auditSink,
  type EventSink,
  flushUses,
  issueToken,
  login,
  rotateToken,
  type Store,
} from "latchkey";
import { expect } from "vitest";
import { must, principalOf, reasonOf } from "../fixture.ts";
import type { LifeLaw } from "./law.ts";
import { addUser, openWorld, PASSWORD, surround } from "./world.ts";

const sinks: readonly (readonly [string, EventSink])[] = [
  ["throws", () => {
    throw new Error("the log is full");
  }],
  ["throws no error", () => {
    throw null;
  }],
  ["rejects", () => Promise.reject(new Error("the log is full"))],
  ["rejects late", async () => {
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    throw new Error("the log is full");
  }],
  ["hangs", () => new Promise(() => {})],
  ["gives something that is then thrown at", () => ({
    then(_resolve: unknown, reject: (error: unknown) => void) {
      reject(new Error("the log is full"));
    },
  })],
  ["gives something whose then cannot be read", () =>
    Object.defineProperty({}, "then", {
      get() {
        throw new Error("the log is full");
      },
    })],
];

const touches: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["rejects", () => Promise.reject(new Error("locked"))],
  ["throws", () => {
    throw new Error("locked");
  }],
  ["hangs", () => new Promise(() => {})],
];

/** A store of which only some verbs work otherwise. */
function replaceVerb(store: Store, name: keyof Store, run: () => Promise<unknown>): Store {
  return surround(store, (verb, inner) => verb === name ? run() : inner());
}

/** The test runners fail a run in which a rejection goes unhandled, so these laws need not look. */
export const sinkLaws: readonly LifeLaw[] = [
  ...sinks.map(([name, onEvent]): LifeLaw => ({
    name: `C3: a sink of events that ${name} changes no answer`,
    async run(open) {
      const { auth, store } = await openWorld(open, { onEvent });
      const user = await addUser(store);
      const { username } = user;
      const issued = must(await login(auth, { username, password: PASSWORD }));
      expect(await reasonOf(auth, issued)).toBe("ok");
      expect(await reasonOf(auth, "lk_typo")).toBe("malformed_token");
      expect(await login(auth, { username, password: "nope" }))
        .toEqual({ ok: false, failure: { reason: "wrong_password" } });
      must(await rotateToken(auth, issued.text.reveal()));
    },
  })),
  ...touches.map(([name, run]): LifeLaw => ({
    name: `C3: an audit and a touch whose store ${name} change no answer`,
    async run(open) {
      const [store] = await open();
      const touchless = replaceVerb(store, "touchTokens", run);
      const onEvent = auditSink(replaceVerb(store, "appendEvents", run));
      const options = { onEvent, touchInterval: 1 };
      const { auth, clock } = await openWorld(async () => [touchless], options);
      const user = await addUser(store);
      const issued = must(await issueToken(auth, user));
      for (let use = 0; use < 5; use++) {
        expect((await principalOf(auth, issued)).user.id).toBe(user.id);
        clock.now += 10;
      }
      if (name !== "hangs") await flushUses(auth);
      expect((await principalOf(auth, issued)).token.lastUsedAt).toBeNull();
    },
  })),
  {
    name: "C3: an audit keeps what happened, in its order, on this store too",
    async run(open) {
      const [store] = await open();
      const written: string[] = [];
      const watched = {
        appendEvents: async (events: Parameters<Store["appendEvents"]>[0]) => {
          await store.appendEvents(events);
          written.push(...events.map(({ type }) => type));
        },
      };
      const sink = auditSink(watched);
      const pending: unknown[] = [];
      const { auth } = await openWorld(async () => [store], {
        onEvent: (event) => void pending.push(sink(event)),
      });
      const { username } = await addUser(store);
      must(await login(auth, { username, password: PASSWORD }));
      await login(auth, { username, password: "nope" });
      await Promise.all(pending);
      expect(written).toEqual(["token_issued", "logged_in", "login_refused"]);
    },
  },
];
