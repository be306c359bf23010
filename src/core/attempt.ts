import type { AttemptLimit, AttemptWindow } from "../ports/store.ts";
import type { CheckedLimit, Throttled } from "../pure/limit.ts";
import type { Auth } from "./auth.ts";
import { ask, readOptional, readTaken, readWindows } from "./store_answer.ts";

/** The key under which attempts are counted: a digest, as people type passwords into the wrong field. */
export function attemptKey<Scope extends string>(
  auth: Auth<Scope>,
  ...parts: readonly (string | null)[]
): string {
  // No token is written like that, so the two never meet.
  return auth.digest(JSON.stringify(parts)).digest;
}

/** The limit of what the parts name, as a store takes it; none when it is off. */
export function toAttemptLimits<Scope extends string>(
  auth: Auth<Scope>,
  limit: CheckedLimit | null,
  ...parts: readonly (string | null)[]
): readonly AttemptLimit[] {
  return limit === null ? [] : [{ key: attemptKey(auth, ...parts), ...limit }];
}

/** Counts an attempt against every limit; `null` when one of them is exhausted. */
export async function takeAttempts<Scope extends string>(
  { store, now }: Auth<Scope>,
  limits: readonly AttemptLimit[],
): Promise<readonly AttemptWindow[] | null> {
  return await ask(
    store.takeAttempts(limits, now()),
    (answer) => readOptional(answer, (windows) => readTaken(windows, limits)),
  );
}

/** The windows of keys that are not over. */
export async function findAttempts<Scope extends string>(
  { store }: Auth<Scope>,
  keys: readonly string[],
  now: number,
): Promise<readonly AttemptWindow[]> {
  return await ask(store.findAttempts(keys, now), (answer) => readWindows(answer, keys));
}

/** Tells for how long an attempt would be refused, by the limit that ends last. */
export async function findThrottled<Scope extends string>(
  auth: Auth<Scope>,
  limits: readonly AttemptLimit[],
): Promise<Throttled> {
  const now = auth.now();
  const windows = await findAttempts(auth, limits.map(({ key }) => key), now);
  const waits = limits.map(({ key, max, window }) => {
    const found = windows.find((one) => one.key === key);
    const retryAfter = found === undefined || found.count < max ? 0 : found.endsAt - now;
    return { retryAfter, limit: { max, window } };
  });
  const longest = waits.reduce((one, other) => other.retryAfter > one.retryAfter ? other : one);
  // It may have ended since: then the next attempt is welcome at once.
  return { reason: "throttled", ...longest, retryAfter: Math.max(1, longest.retryAfter) };
}
