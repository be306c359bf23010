/** A store that an application can also change in ways the library has no verb for. */
import type { Store, TokenRecord, UserRecord } from "latchkey";

/** What an application's own SQL does to the rows; `null` deletes one. */
export interface Change {
  readonly user?: (user: UserRecord) => UserRecord | null;
  readonly token?: (token: TokenRecord) => TokenRecord | null;
}

/** A store whose rows can be listed, changed and thrown away. */
export interface RecordingStore {
  /** Stays the same object while what it stands for is replaced. */
  readonly store: Store;
  /** Starts again with an empty store. */
  readonly clear: () => Promise<void>;
  readonly listUsers: () => Promise<readonly UserRecord[]>;
  readonly listTokens: () => Promise<readonly TokenRecord[]>;
  /** Copies all rows into an empty store, changing them on the way. */
  readonly change: (change: Change) => Promise<void>;
}

/** Wraps a store; `open` makes an empty one each time. */
export async function recordStore(open: () => Promise<Store>): Promise<RecordingStore> {
  let inner = await open();
  let ids = new Set<string>();
  let digests = new Set<string>();

  const store: Store = {
    async insertToken(...rest) {
      const inserted = await inner.insertToken(...rest);
      if (inserted !== null) digests.add(inserted.digest);
      return inserted;
    },
    async ensureToken(token) {
      const found = await inner.ensureToken(token);
      digests.add(found.token.digest);
      return found;
    },
    async insertUser(user) {
      const inserted = await inner.insertUser(user);
      if (inserted) ids.add(user.id);
      return inserted;
    },
    findToken: (wanted) => inner.findToken(wanted),
    listTokens: (...rest) => inner.listTokens(...rest),
    renameToken: (...rest) => inner.renameToken(...rest),
    async rotateToken(token) {
      const successor = await inner.rotateToken(token);
      if (successor !== null) digests.add(successor.digest);
      return successor;
    },
    revokeToken: (...rest) => inner.revokeToken(...rest),
    revokeTokens: (...rest) => inner.revokeTokens(...rest),
    revokeFamily: (...rest) => inner.revokeFamily(...rest),
    touchTokens: (uses) => inner.touchTokens(uses),
    pruneTokens: (...rest) => inner.pruneTokens(...rest),
    findUser: (id) => inner.findUser(id),
    findUserByName: (username) => inner.findUserByName(username),
    replacePassword: (...rest) => inner.replacePassword(...rest),
    setActive: (...rest) => inner.setActive(...rest),
    startEpoch: (id) => inner.startEpoch(id),
    deleteUser: (id) => inner.deleteUser(id),
    takeAttempts: (...rest) => inner.takeAttempts(...rest),
    findAttempts: (...rest) => inner.findAttempts(...rest),
    returnAttempts: (windows) => inner.returnAttempts(windows),
    pruneAttempts: (...rest) => inner.pruneAttempts(...rest),
    appendEvents: (events) => inner.appendEvents(events),
  };

  async function clear(): Promise<void> {
    inner = await open();
    ids = new Set();
    digests = new Set();
  }

  async function listUsers(): Promise<readonly UserRecord[]> {
    const found = await Promise.all([...ids].map((id) => inner.findUser(id)));
    return found.filter((user) => user !== null);
  }

  async function listTokens(): Promise<readonly TokenRecord[]> {
    const found = await Promise.all([...digests].map((digest) => inner.findToken([digest])));
    return found.flatMap((owned) => (owned === null ? [] : [owned.token]));
  }

  async function change(
    { user: changeUser = (user) => user, token: changeToken = (token) => token }: Change,
  ): Promise<void> {
    const [users, tokens] = [await listUsers(), await listTokens()];
    await clear();
    for (const user of users) {
      const changed = changeUser(user);
      if (changed !== null && !await store.insertUser(changed)) {
        throw new Error(`Cannot change ${user.username}: the name is taken`);
      }
    }
    for (const token of tokens) {
      const changed = changeToken(token);
      if (changed !== null) await store.insertToken(changed);
    }
  }

  return { store, clear, listUsers, listTokens, change };
}
