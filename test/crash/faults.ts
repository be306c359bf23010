import type { Store } from "latchkey";

/**
 * Stores with a fault that a crash must bring to light, by name.
 *
 * The checker is proven with them: a run on any but `none` must find losses.
 */
export const faults: Readonly<Record<string, (store: Store) => Store>> = {
  none: (store) => store,
  /** Says that a token was revoked, and does nothing. */
  "revokes nothing": (store) => ({ ...store, revokeToken: async () => true }),
  /** Says that a token was added before it is. */
  "answers early": (store) => ({
    ...store,
    async insertToken(token, limit) {
      void pause().then(() => store.insertToken(token, limit)).catch(() => undefined);
      return { ...token, epoch: token.epoch ?? 0 };
    },
  }),
  /** Ends tokens by marking them after the change, and not in the same statement. */
  "knows no epoch": (store) => ({
    ...store,
    async replacePassword(id, password, change) {
      const replaced = await store.replacePassword(id, password, { ...change, newEpoch: false });
      await pause();
      return replaced;
    },
    async setActive(id, isActive) {
      const found = await store.setActive(id, isActive, { newEpoch: false });
      await pause();
      return found;
    },
    startEpoch: async () => true,
  }),
  /** Makes a reusable token at every login. */
  "keeps no slot": (store) => ({
    ...store,
    async ensureToken(token) {
      const record = await store.insertToken({ ...token, slot: null });
      const user = await store.findUser(token.owner);
      if (record === null) throw new Error("Cannot insert");
      return { token: record, user, epoch: user?.epoch ?? null, successor: null };
    },
  }),
  /** Forgets what a token came from, so that a second rotation makes a second successor. */
  "rotates twice": (store) => ({
    ...store,
    async rotateToken(token) {
      const record = await store.insertToken({ ...token, rotation: null });
      return record === null ? null : { ...record, rotation: token.rotation };
    },
  }),
  /** Revokes one after another in place of all at once. */
  "revokes one by one": (store) => ({
    ...store,
    async revokeTokens(owner, revocation, except) {
      let count = 0;
      for (const { token } of await store.listTokens(owner, { limit: 1_000 })) {
        if (token.id === except || token.revokedAt !== null) continue;
        if (await store.revokeToken(token.id, revocation)) count++;
        await pause();
      }
      return count;
    },
  }),
};

/** Long enough for a kill to fall into it. */
function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
