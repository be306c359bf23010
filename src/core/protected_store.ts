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
    insertToken: protect("insert the token", (...rest) => store.insertToken(...rest)),
    ensureToken: protect("ensure the token", (...rest) => store.ensureToken(...rest)),
    findToken: protect("find the token", (...rest) => store.findToken(...rest)),
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
    appendEvents: protect("append the events", (...rest) => store.appendEvents(...rest)),
  };
}

/** Turns whatever `run` rejects with or throws into a {@link StoreError}. */
export function protect<Arguments extends readonly unknown[], Value>(
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
