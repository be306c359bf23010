import { findThrottled, takeAttempts, toAttemptLimits } from "../core/attempt.ts";
import type { Auth } from "../core/auth.ts";
import type { AttemptLimit } from "../ports/store.ts";
import type { CheckedLimit, Throttled } from "../pure/limit.ts";
import { type Rate, readRate } from "../pure/rate.ts";
import type { Principal } from "../pure/record.ts";
import { findClientAddress } from "./client_address.ts";
import type { GuardRequest } from "./guard_request.ts";

/** How many requests a route lets pass. All that are given apply. */
export interface ThrottleRates {
  /** For each client address, together with every other route that has such a rate of the same period; authenticated requests are not counted. */
  readonly anonymous?: Rate;
  /** For each user, or client address where there is none, together with every other route that has such a rate of the same period. */
  readonly user?: Rate;
  /** The same, but only together with routes of the same scope, by the name of the scope. */
  readonly scoped?: Readonly<Record<string, Rate>>;
}

/** Counts a request; `null` when it may pass. */
export type Throttle = <Scope extends string>(
  auth: Auth<Scope>,
  request: GuardRequest,
  principal: Principal | null,
) => Promise<Throttled | null>;

/**
 * Makes the throttle of a route, for the guard or an endpoint.
 *
 * Django REST framework's `AnonRateThrottle`, `UserRateThrottle` and
 * `ScopedRateThrottle`, with counters in the store, so that all processes share
 * them. A window begins with its first request. Requests that fail to
 * authenticate, or are not permitted, are not counted, nor are those that are
 * refused here. A request of nobody from an unknown address passes: one count
 * for all of them would let anybody lock everybody out; see `trustedProxies`.
 *
 * @throws {RangeError} when a rate allows nothing or is no rate
 *
 * @example
 * ```ts
 * import { allowAny, createGuard, defineAuth, throttle } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const guard = createGuard(auth, {
 *   permissions: [allowAny],
 *   throttle: throttle({ anonymous: "1/min" }),
 * });
 * const request = { method: "GET", headers: new Headers(), address: "192.0.2.1" };
 * await guard(request);
 * const second = await guard(request);
 * console.log(second.ok || second.failure.headers["Retry-After"]); // 60
 * ```
 */
export function throttle({ anonymous, user, scoped = {} }: ThrottleRates): Throttle {
  const anonymousLimit = anonymous === undefined ? null : readRate(anonymous, "anonymous rate");
  const limits = new Map<string, CheckedLimit>();
  for (const [scope, rate] of Object.entries(scoped)) {
    limits.set(`scope ${scope}`, readRate(rate, `scoped rate of ${scope}`));
  }
  if (user !== undefined) limits.set("user", readRate(user, "user rate"));
  return async (auth, request, principal) => {
    const address = findClientAddress(request, auth.trustedProxies);
    const client = principal === null ? address : `user ${principal.user.id}`;
    if (client === null) return null;
    const wanted = [...limits].flatMap(([name, limit]) =>
      toThrottleLimits(auth, limit, name, client)
    );
    if (principal === null) {
      wanted.push(...toThrottleLimits(auth, anonymousLimit, "anonymous", client));
    }
    if (wanted.length === 0) return null;
    const taken = await takeAttempts(auth, wanted);
    return taken === null ? await findThrottled(auth, wanted) : null;
  };
}

/** One counter for each period: in a window that a longer rate began, a shorter one would refuse for as long. */
function toThrottleLimits<Scope extends string>(
  auth: Auth<Scope>,
  limit: CheckedLimit | null,
  name: string,
  client: string,
): readonly AttemptLimit[] {
  return toAttemptLimits(auth, limit, name, client, String(limit?.window));
}
