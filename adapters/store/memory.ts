// deno-lint-ignore-file require-await -- a failure must be a rejection, never a throw
import type { Store } from "../../src/ports/store.ts";
import { StoreError } from "../../src/ports/store_error.ts";
import type { TokenRecord } from "../../src/pure/record.ts";
import { toUser, type UserRecord } from "../../src/pure/user.ts";

/**
 * Keeps tokens and users in the memory of this process.
 *
 * For tests, examples and tools: everything is gone when the process ends, and
 * no other process or Worker isolate sees it. Records are copied on the way in
 * and on the way out, so changing one afterwards changes nothing here. Each
 * verb does its work before it returns its promise, so no two can interleave.
 *
 * @throws {StoreError} from `insertToken`, `ensureToken` and `insertUser` with the code `conflict`,
 * as rejections, when an id or a digest exists already or a slot is filled
 *
 * @example
 * ```ts
 * import { memoryStore } from "latchkey/memory";
 *
 * const store = memoryStore();
 * console.log(await store.findUserByName("nobody")); // null
 * ```
 */
export function memoryStore(): Store {
  const tokens = new Map<string, TokenRecord>();
  const idsByDigest = new Map<string, string>();
  const idsBySlot = new Map<string, string>();
  const users = new Map<string, UserRecord>();
  const idsByUsername = new Map<string, string>();

  function addToken(token: TokenRecord, verb: string): void {
    const slot = slotKey(token);
    if (tokens.has(token.id) || idsByDigest.has(token.digest)) {
      throw new StoreError(verb, "conflict");
    }
    if (slot !== null && idsBySlot.has(slot)) throw new StoreError(verb, "conflict");
    tokens.set(token.id, copyToken(token));
    idsByDigest.set(token.digest, token.id);
    if (slot !== null) idsBySlot.set(slot, token.id);
  }

  function findUser(id: string | undefined): UserRecord | null {
    const user = id === undefined ? undefined : users.get(id);
    return user === undefined ? null : copyUser(user);
  }

  return {
    async insertToken(token) {
      addToken(token, "insert token");
    },
    async ensureToken(token) {
      const id = idsBySlot.get(slotKey(token) ?? "");
      const found = id === undefined ? undefined : tokens.get(id);
      if (found !== undefined) return copyToken(found);
      addToken(token, "ensure token");
      return copyToken(token);
    },
    async findToken(digests) {
      for (const digest of digests) {
        const id = idsByDigest.get(digest);
        const token = id === undefined ? undefined : tokens.get(id);
        if (token === undefined) continue;
        const user = users.get(token.owner);
        return { token: copyToken(token), user: user === undefined ? null : toUser(user) };
      }
      return null;
    },
    async revokeToken(id, revokedAt) {
      const token = tokens.get(id);
      if (token === undefined || token.revokedAt !== null) return false;
      const slot = slotKey(token);
      if (slot !== null) idsBySlot.delete(slot);
      tokens.set(id, { ...token, slot: null, revokedAt });
      return true;
    },
    async insertUser(user) {
      if (idsByUsername.has(user.username)) return false;
      if (users.has(user.id)) throw new StoreError("insert user", "conflict");
      users.set(user.id, copyUser(user));
      idsByUsername.set(user.username, user.id);
      return true;
    },
    async findUser(id) {
      return findUser(id);
    },
    async findUserByName(username) {
      return findUser(idsByUsername.get(username));
    },
    async replacePassword(id, password, expected) {
      const user = users.get(id);
      if (user === undefined) return false;
      if (expected !== undefined && user.password !== expected) return false;
      users.set(id, { ...user, password });
      return true;
    },
    async setActive(id, isActive) {
      const user = users.get(id);
      if (user === undefined) return false;
      users.set(id, { ...user, isActive });
      return true;
    },
  };
}

/** One text per pair; `null` when the token fills no slot. Any separator could be part of a name. */
function slotKey({ owner, slot }: TokenRecord): string | null {
  return slot === null ? null : JSON.stringify([owner, slot]);
}

/** Exactly the fields of a record, so nothing else that a caller hangs on one is kept. */
function copyToken(token: TokenRecord): TokenRecord {
  const { id, owner, digest, pepper, slot, createdAt, expiresAt, revokedAt } = token;
  const scopes = [...token.scopes];
  return { id, owner, digest, pepper, scopes, slot, createdAt, expiresAt, revokedAt };
}

function copyUser(user: UserRecord): UserRecord {
  return { ...toUser(user), password: user.password, createdAt: user.createdAt };
}
