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
    async insertToken(token) {
      await inner.insertToken(token);
      digests.add(token.digest);
    },
    async ensureToken(token) {
      const found = await inner.ensureToken(token);
      digests.add(found.digest);
      return found;
    },
    async insertUser(user) {
      const inserted = await inner.insertUser(user);
      if (inserted) ids.add(user.id);
      return inserted;
    },
    findToken: (wanted) => inner.findToken(wanted),
    revokeToken: (id, revokedAt) => inner.revokeToken(id, revokedAt),
    findUser: (id) => inner.findUser(id),
    findUserByName: (username) => inner.findUserByName(username),
    replacePassword: (...rest) => inner.replacePassword(...rest),
    setActive: (id, isActive) => inner.setActive(id, isActive),
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
