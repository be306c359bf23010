import type { Token } from "../pure/record.ts";
import type { Auth } from "./auth.ts";

/** How many uses are written in one statement. */
const BATCH = 500;
/** How many tokens wait at most; the use of further ones is not written down. */
const MAX_PENDING = 10_000;

/**
 * Notes that a token was used, at most once per interval, and starts writing.
 *
 * Nothing waits for it: while one write is under way further uses gather for
 * the next. A write that fails is given up; the next use is written again.
 *
 * @returns what a platform that ends with the answer must wait for; `null` when there is nothing
 */
export function recordUse<Scope extends string>(
  auth: Auth<Scope>,
  { id, lastUsedAt }: Token,
  usedAt: number,
): Promise<void> | null {
  const { touchInterval, uses } = auth;
  if (touchInterval === null) return null;
  const known = Math.max(lastUsedAt ?? -Infinity, uses.latest.get(id)?.usedAt ?? -Infinity);
  if (usedAt - known < touchInterval || uses.latest.size >= MAX_PENDING) return null;
  uses.latest.set(id, { id, usedAt });
  uses.writing ??= writeUses(auth);
  return uses.writing;
}

/**
 * Waits until every use of a token that was noted is written down, or has failed to be.
 *
 * Call it before a process ends.
 */
export async function flushUses<Scope extends string>({ uses }: Auth<Scope>): Promise<void> {
  while (uses.writing !== null) await uses.writing;
}

async function writeUses<Scope extends string>({ store, uses }: Auth<Scope>): Promise<void> {
  // The answer goes first.
  await Promise.resolve();
  while (uses.latest.size > 0) {
    const batch = [...uses.latest.values()].slice(0, BATCH);
    await store.touchTokens(batch).catch(() => undefined);
    for (const use of batch) if (uses.latest.get(use.id) === use) uses.latest.delete(use.id);
  }
  uses.writing = null;
}
