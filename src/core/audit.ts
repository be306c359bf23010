import type { EventStore } from "../ports/store.ts";
import type { AuthEvent, EventSink } from "../pure/event.ts";

/** How many events wait at most while a write hangs; further ones are lost. */
const MAX_GATHERED = 10_000;

/**
 * Makes a sink that keeps every event in a store, for `onEvent`.
 *
 * Events are written after the answer, in their order; while one write is under
 * way the next ones gather. A write that fails loses its events and nothing
 * else: the requests they tell of were answered before.
 *
 * @throws {TypeError} when there is no store
 *
 * @example
 * ```ts
 * import { auditSink, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const store = memoryStore();
 * const auth = defineAuth({ store, passwords: [pbkdf2()], onEvent: auditSink(store) });
 * ```
 */
export function auditSink(store: EventStore): EventSink {
  if (typeof store?.appendEvents !== "function") {
    throw new TypeError("Cannot audit: no store given, expected one such as memoryStore()");
  }
  let gathered: AuthEvent[] = [];
  let writing: Promise<void> | null = null;
  const append = async (events: readonly AuthEvent[]) => await store.appendEvents(events);
  async function write(): Promise<void> {
    await Promise.resolve();
    while (gathered.length > 0) {
      const events = gathered;
      gathered = [];
      await append(events).catch(() => undefined);
    }
    writing = null;
  }
  return (event) => {
    if (gathered.length < MAX_GATHERED) gathered.push(event);
    writing ??= write();
    return writing;
  };
}
