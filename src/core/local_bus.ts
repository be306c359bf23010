import type { RevocationBus, TokenChange } from "../ports/revocation_bus.ts";

/**
 * Makes a bus within one process, for several stores with caches of their own.
 *
 * A change has reached every listener when `publish` returns. The first
 * implementation of the contract, and the one to test another one against.
 *
 * @example
 * ```ts
 * import { defineAuth, localBus, verificationCache } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const bus = localBus();
 * const store = memoryStore();
 * const [one, other] = [1, 2].map(() =>
 *   defineAuth({
 *     store,
 *     passwords: [pbkdf2()],
 *     cache: verificationCache({ staleness: 5_000, bus }),
 *   })
 * );
 * ```
 */
export function localBus(): RevocationBus {
  const listeners: ((change: TokenChange) => void)[] = [];
  return {
    publish(change) {
      for (const listener of listeners) {
        try {
          listener(change);
        } catch {
          // A listener that breaks its contract must not keep the change from the others.
        }
      }
    },
    subscribe(listener) {
      listeners.push(listener);
    },
  };
}
