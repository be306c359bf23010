import { type Duration, toMilliseconds } from "../pure/duration.ts";
import type { Auth } from "./auth.ts";
import { emit } from "./emit.ts";
import { ask, readCount } from "./store_answer.ts";

/** What is pruned, and in which steps. */
export interface PruneOptions {
  /** For how long a token is kept after it stopped holding; 30 days when absent. */
  readonly retention?: Duration;
  /** How many tokens one statement deletes at most; 1,000 when absent. */
  readonly batch?: number;
}

const DEFAULT_RETENTION = 30 * 24 * 60 * 60 * 1000;
const DEFAULT_BATCH = 1_000;

/**
 * Deletes tokens that stopped holding longer ago than the retention; returns how many.
 * Counts of attempts that no longer matter go as well.
 *
 * Run it from a timer or a cron job, never while a request waits. It works in
 * bounded steps, so others write in between. While a token is kept its reuse
 * after a rotation is noticed. One that still holds or never ends is not touched.
 *
 * @throws {RangeError} when an option is not a positive whole number
 * @throws {StoreError} when the store fails; what was deleted before stays deleted
 */
export async function pruneTokens<Scope extends string>(
  auth: Auth<Scope>,
  { retention = DEFAULT_RETENTION, batch = DEFAULT_BATCH }: PruneOptions = {},
): Promise<number> {
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new RangeError("Cannot prune: batch must be a whole number from 1 up");
  }
  const at = auth.now();
  const before = at - toMilliseconds(retention, "retention");
  let count = 0;
  for (let deleted = batch; deleted === batch;) {
    deleted = await ask(auth.store.pruneTokens(before, batch), readCount);
    count += deleted;
  }
  for (let deleted = batch; deleted === batch;) {
    deleted = await ask(auth.store.pruneAttempts(at, batch), readCount);
  }
  emit(auth, { type: "tokens_pruned", at, count });
  return count;
}
