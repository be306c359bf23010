import { OverloadError } from "../ports/overload_error.ts";
import type { Auth } from "./auth.ts";

/**
 * Hashes or verifies a password, now or in its turn.
 *
 * @throws {OverloadError} when too many wait already
 */
export async function hashInTurn<Scope extends string, Value>(
  { hashes }: Auth<Scope>,
  work: () => Promise<Value>,
): Promise<Value> {
  if (hashes.running < hashes.concurrency) hashes.running++;
  else if (hashes.waiting.length >= hashes.queue) throw new OverloadError();
  // Whoever ends hands its place on, so the number of those that run stays as it is.
  else await new Promise<void>((resolve) => hashes.waiting.push(resolve));
  try {
    return await work();
  } finally {
    const next = hashes.waiting.shift();
    if (next === undefined) hashes.running--;
    else next();
  }
}
