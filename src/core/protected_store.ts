import type { Store } from "../ports/store.ts";
import { StoreError } from "../ports/store_error.ts";

/**
 * Wraps a store so that every failure of it, of whatever kind, is a {@link StoreError}.
 *
 * Nothing of the original error is kept but its code: drivers write SQL and
 * bound parameters into messages, stacks and causes.
 */
export function protectStore(store: Store): Store {
  return {
    insertToken: protect("insert the token", (token) => store.insertToken(token)),
    ensureToken: protect("ensure the token", (token) => store.ensureToken(token)),
    findToken: protect("find the token", (digests) => store.findToken(digests)),
    revokeToken: protect("revoke the token", (id, at) => store.revokeToken(id, at)),
    insertUser: protect("insert the user", (user) => store.insertUser(user)),
    findUser: protect("find the user", (id) => store.findUser(id)),
    findUserByName: protect("find the user", (username) => store.findUserByName(username)),
    replacePassword: protect("replace the password", (...rest) => store.replacePassword(...rest)),
    setActive: protect("set the user active", (id, isActive) => store.setActive(id, isActive)),
  };
}

function protect<Arguments extends readonly unknown[], Value>(
  verb: string,
  run: (...rest: Arguments) => Promise<Value>,
): (...rest: Arguments) => Promise<Value> {
  return async (...rest) => {
    try {
      return await run(...rest);
    } catch (error) {
      throw error instanceof StoreError
        ? error
        : new StoreError(verb, "unavailable", codeOf(error));
    }
  };
}

function codeOf(error: unknown): unknown {
  return typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
}
