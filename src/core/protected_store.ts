import { withDeadline } from "../data/deadline.ts";
import type { Store } from "../ports/store.ts";
import { StoreError } from "../ports/store_error.ts";
import type { OwnedToken } from "../pure/record.ts";

/** Makes a call to something outside fail in one way only. */
export type Protect = <Arguments extends readonly unknown[], Value>(
  verb: string,
  run: (...rest: Arguments) => Promise<Value>,
) => (...rest: Arguments) => Promise<Value>;

/**
 * Turns whatever a call rejects with or throws, and its taking longer than
 * `timeout` milliseconds, into a {@link StoreError}.
 *
 * Nothing of the original error is kept but its code: drivers write SQL and
 * bound parameters into messages, stacks and causes. What a call that took too
 * long does in the end is unknown, as with any that fails.
 */
export function createProtection(timeout: number | null): Protect {
  return (verb, run) => async (...rest) => {
    try {
      const work = run(...rest);
      return await (timeout === null ? work : withDeadline(work, timeout, () => {
        throw new StoreError(verb, "unavailable", "TIMEOUT");
      }));
    } catch (error) {
      throw toStoreError(verb, error);
    }
  };
}

/**
 * The same store, with every verb protected.
 *
 * @throws {TypeError} when a verb is missing
 */
export function protectStore(store: Store, protect: Protect): Store {
  const whole = wrapVerbs(store, protect);
  for (const verb of Object.keys(whole)) {
    if (typeof Reflect.get(store, verb) !== "function") {
      throw new TypeError(`Cannot use this store: it must have ${verb}()`);
    }
  }
  return whole;
}

function wrapVerbs(store: Store, protect: Protect): Store {
  const waitFor = protect("find the token", (answer: Promise<OwnedToken | null>) => answer);
  return {
    findToken(digests) {
      try {
        // An answer that is at hand needs neither a promise nor a timer.
        const answer = store.findToken(digests);
        return answer === null || !("then" in answer) ? answer : waitFor(answer);
      } catch (error) {
        throw toStoreError("find the token", error);
      }
    },
    insertToken: protect("insert the token", (...rest) => store.insertToken(...rest)),
    ensureToken: protect("ensure the token", (...rest) => store.ensureToken(...rest)),
    listTokens: protect("list the tokens", (...rest) => store.listTokens(...rest)),
    renameToken: protect("rename the token", (...rest) => store.renameToken(...rest)),
    rotateToken: protect("rotate the token", (...rest) => store.rotateToken(...rest)),
    revokeToken: protect("revoke the token", (...rest) => store.revokeToken(...rest)),
    revokeTokens: protect("revoke the tokens", (...rest) => store.revokeTokens(...rest)),
    revokeFamily: protect("revoke the family", (...rest) => store.revokeFamily(...rest)),
    touchTokens: protect("touch the tokens", (...rest) => store.touchTokens(...rest)),
    pruneTokens: protect("prune the tokens", (...rest) => store.pruneTokens(...rest)),
    insertUser: protect("insert the user", (...rest) => store.insertUser(...rest)),
    findUser: protect("find the user", (...rest) => store.findUser(...rest)),
    findUserByName: protect("find the user", (...rest) => store.findUserByName(...rest)),
    replacePassword: protect("replace the password", (...rest) => store.replacePassword(...rest)),
    setActive: protect("set the user active", (...rest) => store.setActive(...rest)),
    startEpoch: protect("start an epoch", (...rest) => store.startEpoch(...rest)),
    deleteUser: protect("delete the user", (...rest) => store.deleteUser(...rest)),
    takeAttempts: protect("count the attempt", (...rest) => store.takeAttempts(...rest)),
    findAttempts: protect("find the attempts", (...rest) => store.findAttempts(...rest)),
    returnAttempts: protect("return the attempt", (...rest) => store.returnAttempts(...rest)),
    pruneAttempts: protect("prune the attempts", (...rest) => store.pruneAttempts(...rest)),
    appendEvents: protect("append the events", (...rest) => store.appendEvents(...rest)),
  };
}

/** The same store, verb by verb, so that some of them can be replaced. */
export function forwardStore(store: Store): Store {
  return wrapVerbs(store, (_verb, run) => run);
}

function toStoreError(verb: string, error: unknown): StoreError {
  let code: unknown;
  try {
    if (error instanceof StoreError) return error;
    if (typeof error === "object" && error !== null && "code" in error) code = error.code;
  } catch {
    // Whatever was thrown throws once more when it is looked at.
  }
  return new StoreError(verb, "unavailable", code);
}
