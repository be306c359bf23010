import type { memoryStore } from "latchkey/memory";

type Store = ReturnType<typeof memoryStore>;
type Draft = Parameters<Store["insertToken"]>[0];
type Token = NonNullable<Awaited<ReturnType<Store["insertToken"]>>>;
type Owned = NonNullable<Awaited<ReturnType<Store["findToken"]>>>;
type Limit = Parameters<Store["takeAttempts"]>[0][number];
type Window = Awaited<ReturnType<Store["findAttempts"]>>[number] & { readonly length: number };

const KEEP = { newEpoch: false };
const ALL = { limit: 10_000 };
const unowned = { user: null, epoch: null, successor: null };

/** What a store would have made of a draft without asking for its owner. */
function madeOf(draft: Draft): Token {
  return { ...draft, epoch: draft.epoch ?? 0 };
}

/** Shows every token otherwise than it is stored; `null` hides it. */
function show(store: Store, change: (owned: Owned) => Owned | null): Partial<Store> {
  return {
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found === null ? null : change(found);
    },
    async listTokens(owner, page) {
      const listed = await store.listTokens(owner, page);
      return listed.flatMap((owned) => change(owned) ?? []);
    },
  };
}

/** Every token a store was given, so that a broken verb can look for them. */
function remember(
  store: Store,
): { readonly all: Map<string, Token>; readonly verbs: Partial<Store> } {
  const all = new Map<string, Token>();
  function keep(token: Token | null): Token | null {
    if (token !== null) all.set(token.id, token);
    return token;
  }
  return {
    all,
    verbs: {
      insertToken: async (token, limit) => keep(await store.insertToken(token, limit)),
      rotateToken: async (token) => keep(await store.rotateToken(token)),
      async ensureToken(token) {
        const owned = await store.ensureToken(token);
        keep(owned.token);
        return owned;
      },
    },
  };
}

/** A store that prunes what `hasEnded` says, one after the other and in any order. */
function pruneBy(
  store: Store,
  hasEnded: (owned: Owned, before: number) => boolean,
): Partial<Store> {
  const { all, verbs } = remember(store);
  const deleted = new Set<string>();
  const hide = ({ successor, ...owned }: Owned): Owned | null => {
    if (deleted.has(owned.token.id)) return null;
    return { ...owned, successor: successor && deleted.has(successor.id) ? null : successor };
  };
  return {
    ...verbs,
    ...show(store, hide),
    async pruneTokens(before, limit) {
      let count = 0;
      for (const { id, digest } of [...all.values()]) {
        const found = await store.findToken([digest]);
        const owned = found === null ? null : hide(found);
        if (owned === null || count >= limit || !hasEnded(owned, before)) continue;
        deleted.add(id);
        count++;
      }
      return count;
    },
  };
}

/** When a token stopped holding, for each reason. */
function endsOf({ token, successor }: Owned) {
  const used = Math.max(token.createdAt, token.lastUsedAt ?? token.createdAt);
  return {
    revoked: token.revokedAt ?? Infinity,
    expired: token.expiresAt ?? Infinity,
    idle: token.idleTimeout === null ? Infinity : used + token.idleTimeout,
    overlapped: successor?.overlapUntil ?? Infinity,
  };
}

/** Counts what `isCounted` says and then inserts, all in one breath. */
function limitBy(store: Store, isCounted: (owned: Owned, now: number) => boolean): Partial<Store> {
  let turn: Promise<unknown> = Promise.resolve();
  return {
    insertToken(token, limit) {
      const result = turn.then(async () => {
        const listed = limit === undefined ? [] : await store.listTokens(token.owner, ALL);
        const counted = listed.filter((owned) => isCounted(owned, limit?.now ?? 0));
        if (limit !== undefined && counted.length >= limit.max) return null;
        return await store.insertToken(token);
      });
      turn = result.catch(() => undefined);
      return result;
    },
  };
}

/** Whether a token is live, but for what `without` names. */
function isLive(
  { token, epoch, successor }: Owned,
  now: number,
  without: "" | "expiry" | "idle" | "epoch" | "successor" | "revoked",
): boolean {
  const ends = endsOf({ token, epoch, successor, user: null });
  return (without === "revoked" || token.revokedAt === null) &&
    (without === "expiry" || now < ends.expired) &&
    (without === "idle" || now < ends.idle) &&
    (without === "epoch" || epoch === null || epoch === token.epoch) &&
    (without === "successor" || successor === null);
}

/** The rules by which attempts are counted. */
interface AttemptRules {
  isOver(window: Window, now: number): boolean;
  /** Whether the window that follows is longer. */
  isFollowedByLonger(window: Window, limit: Limit, now: number): boolean;
  lengthen(window: Window, limit: Limit): number;
  /** The count after a return. */
  giveBack(window: Window, returned: { readonly count: number }): number;
  mayGo(window: Window, before: number): boolean;
}

const attemptRules: AttemptRules = {
  isOver: ({ endsAt }, now) => endsAt <= now,
  isFollowedByLonger: ({ count, endsAt, length }, { max }, now) =>
    count >= max && now < endsAt + length,
  lengthen: ({ length }, { longest }) => Math.min(longest, 2 * length),
  giveBack: ({ count }) => Math.max(0, count - 1),
  mayGo: ({ endsAt, length }, before) => endsAt + length <= before,
};

/** Attempts counted by rules, the right ones but for `broken`, and the windows for verbs of other kinds. */
export function countBy(
  broken: Partial<AttemptRules>,
): { readonly windows: Map<string, Window>; readonly verbs: Partial<Store> } {
  const rules = { ...attemptRules, ...broken };
  const windows = new Map<string, Window>();
  const show = ({ key, count, endsAt }: Window) => ({ key, count, endsAt });
  const next = (limit: Limit, now: number): Window => {
    const { key, window } = limit;
    const old = windows.get(key);
    if (old !== undefined && !rules.isOver(old, now)) return { ...old, count: old.count + 1 };
    const isLonger = old !== undefined && rules.isFollowedByLonger(old, limit, now);
    const length = isLonger ? rules.lengthen(old, limit) : window;
    return { key, count: 1, endsAt: now + length, length };
  };
  const verbs: Partial<Store> = {
    async takeAttempts(limits, now) {
      const taken = limits.map((limit) => ({ limit, window: next(limit, now) }));
      if (taken.some(({ limit, window }) => window.count > limit.max)) return null;
      return taken.map(({ window }) => {
        windows.set(window.key, window);
        return show(window);
      });
    },
    async findAttempts(keys, now) {
      const found = keys.flatMap((key) => windows.get(key) ?? []);
      return found.filter((window) => !rules.isOver(window, now)).map(show);
    },
    async returnAttempts(returned) {
      for (const { key, endsAt, count } of returned) {
        const window = windows.get(key);
        if (window === undefined || window.endsAt !== endsAt) continue;
        windows.set(key, { ...window, count: rules.giveBack(window, { count }) });
      }
    },
    async pruneAttempts(before, limit) {
      const doomed = [...windows.values()].filter((window) => rules.mayGo(window, before));
      for (const { key } of doomed.slice(0, limit)) windows.delete(key);
      return Math.min(limit, doomed.length);
    },
  };
  return { windows, verbs };
}

/** Gives the store other keys than it is given, and takes its own back. */
function changeKeys(store: Store, change: (key: string) => string): Partial<Store> {
  return {
    async takeAttempts(limits, now) {
      const changed = limits.map((limit) => ({ ...limit, key: change(limit.key) }));
      const taken = await store.takeAttempts(changed, now);
      return taken?.map((window, index) => ({
        ...window,
        key: limits[index]?.key ?? window.key,
      })) ?? null;
    },
    async findAttempts(keys, now) {
      const found = await Promise.all(keys.map(async (key) => {
        const windows = await store.findAttempts([change(key)], now);
        return windows.map((window) => ({ ...window, key }));
      }));
      return found.flat();
    },
    returnAttempts: (windows) =>
      store.returnAttempts(windows.map((window) => ({ ...window, key: change(window.key) }))),
  };
}

/** Stores that are right but for one thing, each a mistake somebody has made or could make. */
export const brokenStores: readonly (readonly [string, (store: Store) => Partial<Store>])[] = [
  ["revoke overwrites the time", (store) => {
    const times = new Map<string, number>();
    return {
      async revokeToken(id, revocation, owner) {
        const isRevoked = await store.revokeToken(id, revocation, owner);
        if (isRevoked || times.has(id)) times.set(id, revocation.at);
        return isRevoked;
      },
      async findToken(digests) {
        const found = await store.findToken(digests);
        const revokedAt = times.get(found?.token.id ?? "");
        if (found === null || revokedAt === undefined) return found;
        return { ...found, token: { ...found.token, revokedAt } };
      },
    };
  }],
  ["revoke answers true twice", (store) => ({
    async revokeToken(id, revocation, owner) {
      await store.revokeToken(id, revocation, owner);
      return true;
    },
  })],
  ["ensure looks and then inserts", (store) => {
    const slots = new Map<string, string>();
    return {
      async ensureToken(token) {
        const digest = slots.get(`${token.owner} ${token.slot}`);
        const found = digest === undefined ? null : await store.findToken([digest]);
        await Promise.resolve();
        if (found !== null && found.token.revokedAt === null) return found;
        const { slot, ...rest } = token;
        const added = await store.insertToken({ ...rest, slot: null });
        slots.set(`${token.owner} ${slot}`, token.digest);
        return { ...unowned, token: { ...(added ?? madeOf(token)), slot } };
      },
    };
  }],
  ["ensure returns what it was given", (store) => ({
    async ensureToken(token) {
      const owned = await store.ensureToken(token);
      return { ...owned, token: madeOf(token) };
    },
  })],
  ["digests are compared in any case", (store) => ({
    findToken: (digests) => store.findToken(digests.map((digest) => digest.toLowerCase())),
  })],
  ["usernames are compared in any case", (store) => ({
    findUserByName: (username) => store.findUserByName(username.toLowerCase()),
  })],
  ["usernames are trimmed", (store) => ({
    insertUser: (user) => store.insertUser({ ...user, username: user.username.trim() }),
  })],
  ["only the first digest is looked for", (store) => ({
    findToken: (digests) => store.findToken(digests.slice(0, 1)),
  })],
  ["find returns the password", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found?.user ? { ...found, user: await store.findUser(found.user.id) } : found;
    },
  })],
  ["find hides revoked tokens", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found?.token.revokedAt === null ? found : null;
    },
  })],
  ["find hides tokens without a user", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      return found?.user === null ? null : found;
    },
  })],
  ["find returns what others may change", (store) => {
    const kept = new Map<string, Awaited<ReturnType<Store["findToken"]>>>();
    return {
      async findToken(digests) {
        const key = digests.join();
        const found = kept.get(key) ?? await store.findToken(digests);
        kept.set(key, found);
        return found;
      },
    };
  }],
  ["find reads every text as a pattern", (store) => ({
    findUserByName: async (username) =>
      await store.findUserByName(username) ??
        (username === "%" ? await store.findUser("a") : null),
  })],
  ["conditional replace ignores what is expected", (store) => ({
    replacePassword: (id, password, { newEpoch }) =>
      store.replacePassword(id, password, { newEpoch }),
  })],
  ["conditional replace takes null for no condition", (store) => ({
    replacePassword: (id, password, { newEpoch, expected }) =>
      store.replacePassword(id, password, expected == null ? { newEpoch } : { newEpoch, expected }),
  })],
  ["conditional replace looks and then writes", (store) => ({
    async replacePassword(id, password, { newEpoch, expected }) {
      const user = await store.findUser(id);
      if (expected !== undefined && user?.password !== expected) return false;
      return await store.replacePassword(id, password, { newEpoch });
    },
  })],
  ["insertUser overwrites", (store) => ({
    async insertUser(user) {
      if (await store.insertUser(user)) return true;
      const existing = await store.findUserByName(user.username);
      return existing !== null && await store.replacePassword(existing.id, user.password, KEEP);
    },
  })],
  ["insertUser answers false for an existing id", (store) => ({
    insertUser: (user) => store.insertUser(user).catch(() => false),
  })],
  ["insertToken hides a conflict", (store) => ({
    insertToken: (token, limit) => store.insertToken(token, limit).catch(() => null),
  })],
  ["setActive answers false when nothing differs", (store) => ({
    async setActive(id, isActive, change) {
      const user = await store.findUser(id);
      return user?.isActive !== isActive && await store.setActive(id, isActive, change);
    },
  })],
  ["text is cut at a NUL", (store) => ({
    findUser: (id) => store.findUser(id.split("\0")[0] ?? ""),
  })],
  ["scopes are sorted", (store) => ({
    insertToken: (token, limit) =>
      store.insertToken({ ...token, scopes: token.scopes.toSorted() }, limit),
  })],
  ["times are kept in seconds", (store) => ({
    insertUser: (user) =>
      store.insertUser({ ...user, createdAt: Math.floor(user.createdAt / 1_000) * 1_000 }),
  })],
  ["revoke ignores the owner", (store) => ({
    revokeToken: (id, revocation) => store.revokeToken(id, revocation),
  })],
  ["revoke forgets the reason", (store) => ({
    revokeToken: (id, { at }, owner) => store.revokeToken(id, { at, reason: "revoked" }, owner),
  })],
  ["revoke keeps the slot", (store) => {
    const slots = new Map<string, string>();
    return {
      ...show(store, (owned) => {
        const { token } = owned;
        if (token.slot !== null) slots.set(token.id, token.slot);
        return { ...owned, token: { ...token, slot: slots.get(token.id) ?? null } };
      }),
      async ensureToken(token) {
        slots.set(token.id, token.slot);
        return await store.ensureToken(token);
      },
    };
  }],
  ["revokeTokens forgets one", (store) => ({
    async revokeTokens(owner, revocation, except) {
      const [first] = await store.listTokens(owner, ALL);
      return await store.revokeTokens(owner, revocation, except ?? first?.token.id);
    },
  })],
  ["revokeTokens leaves out none", (store) => ({
    revokeTokens: (owner, revocation) => store.revokeTokens(owner, revocation),
  })],
  ["revokeTokens counts what was revoked before", (store) => ({
    async revokeTokens(owner, revocation, except) {
      await store.revokeTokens(owner, revocation, except);
      return (await store.listTokens(owner, ALL)).length;
    },
  })],
  ["revokeTokens revokes one after the other", (store) => ({
    async revokeTokens(owner, revocation, except) {
      const listed = await store.listTokens(owner, ALL);
      const ids = listed.filter(({ token }) => token.revokedAt === null && token.id !== except);
      for (const { token } of ids) await store.revokeToken(token.id, revocation);
      return ids.length;
    },
  })],
  ["revokeFamily revokes the first only", (store) => ({
    revokeFamily: async (family, revocation) => Number(await store.revokeToken(family, revocation)),
  })],
  ["revokeFamily compares in any case", (store) => {
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      async revokeFamily(family, revocation) {
        let count = 0;
        for (const token of all.values()) {
          if (token.family.toLowerCase() !== family.toLowerCase()) continue;
          if (await store.revokeToken(token.id, revocation)) count++;
        }
        return count;
      },
    };
  }],
  ["a limit is counted and then inserted under", (store) => ({
    async insertToken(token, limit) {
      const listed = await store.listTokens(token.owner, ALL);
      const live = listed.filter((owned) => isLive(owned, limit?.now ?? 0, ""));
      if (limit !== undefined && live.length >= limit.max) return null;
      return await store.insertToken(token);
    },
  })],
  ["a limit is ignored", (store) => ({ insertToken: (token) => store.insertToken(token) })],
  ["a limit counts everything", (store) => limitBy(store, () => true)],
  [
    "a limit counts revoked tokens",
    (store) => limitBy(store, (owned, now) => isLive(owned, now, "revoked")),
  ],
  [
    "a limit counts expired tokens",
    (store) => limitBy(store, (owned, now) => isLive(owned, now, "expiry")),
  ],
  [
    "a limit counts idle tokens",
    (store) => limitBy(store, (owned, now) => isLive(owned, now, "idle")),
  ],
  [
    "a limit counts tokens of former epochs",
    (store) => limitBy(store, (owned, now) => isLive(owned, now, "epoch")),
  ],
  [
    "a limit counts tokens that were rotated",
    (store) => limitBy(store, (owned, now) => isLive(owned, now, "successor")),
  ],
  ["a limit is one too high", (store) => ({
    insertToken: (token, limit) =>
      store.insertToken(token, limit && { ...limit, max: limit.max + 1 }),
  })],
  [
    "a limit counts no token without a user",
    (store) => limitBy(store, (owned, now) => owned.user !== null && isLive(owned, now, "")),
  ],
  ["insert ignores the owner's epoch", (store) => ({
    insertToken: (token, limit) => store.insertToken({ ...token, epoch: token.epoch ?? 0 }, limit),
  })],
  ["insert ignores the epoch it is given", (store) => ({
    insertToken: (token, limit) => store.insertToken({ ...token, epoch: null }, limit),
  })],
  ["insert returns what it was given", (store) => ({
    async insertToken(token, limit) {
      return await store.insertToken(token, limit) && madeOf(token);
    },
  })],
  ["insert looks for the epoch first", (store) => ({
    async insertToken(token, limit) {
      const user = token.epoch === null ? await store.findUser(token.owner) : null;
      await store.insertToken({ ...token, epoch: user?.epoch ?? token.epoch ?? 0 }, limit);
      const now = await store.findUser(token.owner);
      return { ...token, epoch: now?.epoch ?? 0 };
    },
  })],
  ["ensure ignores the owner's epoch", (store) => ({
    ensureToken: (token) => store.ensureToken({ ...token, epoch: token.epoch ?? 0 }),
  })],
  ["ensure returns no owner", (store) => ({
    async ensureToken(token) {
      return { ...(await store.ensureToken(token)), user: null, epoch: null };
    },
  })],
  ["find takes no digests for no condition", (store) => {
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      findToken: (digests) =>
        store.findToken(
          digests.length === 0 ? [...all.values()].map(({ digest }) => digest) : digests,
        ),
    };
  }],
  ["find writes", (store) => ({
    async findToken(digests) {
      const found = await store.findToken(digests);
      if (found !== null) await store.touchTokens([{ id: found.token.id, usedAt: 1 }]);
      return await store.findToken(digests);
    },
  })],
  ["find deletes what has expired", (store) => ({
    async findToken(digests) {
      await store.pruneTokens(1_000, 1_000);
      return await store.findToken(digests);
    },
  })],
  ["find tells no successor", (store) => show(store, (owned) => ({ ...owned, successor: null }))],
  [
    "find tells the token's epoch for the owner's",
    (store) => show(store, (owned) => ({ ...owned, epoch: owned.user && owned.token.epoch })),
  ],
  ["list leaks the tokens of another owner", (store) => ({
    async listTokens(owner, page) {
      const own = await store.listTokens(owner, page);
      return [...own, ...await store.listTokens("user-2", page)].slice(0, page.limit);
    },
  })],
  ["list hides revoked tokens", (store) => ({
    async listTokens(owner, page) {
      const listed = await store.listTokens(owner, page);
      return listed.filter(({ token }) => token.revokedAt === null);
    },
  })],
  ["list begins with the oldest", (store) => ({
    async listTokens(owner, page) {
      return (await store.listTokens(owner, page)).toReversed();
    },
  })],
  ["list ignores the limit", (store) => ({
    listTokens: (owner, page) => store.listTokens(owner, { ...page, ...ALL }),
  })],
  ["list skips the tokens of one instant", (store) => ({
    async listTokens(owner, { limit, after }) {
      const listed = await store.listTokens(owner, after ? { ...ALL, after } : ALL);
      return listed.filter(({ token }) => token.createdAt !== after?.createdAt).slice(0, limit);
    },
  })],
  ["list counts pages and not positions", (store) => {
    let seen = 0;
    return {
      async listTokens(owner, { limit, after }) {
        seen = after === undefined ? 0 : seen;
        const listed = await store.listTokens(owner, ALL);
        const page = listed.slice(seen, seen + limit);
        seen += page.length;
        return page;
      },
    };
  }],
  ["list begins behind a token that must exist", (store) => ({
    async listTokens(owner, { limit, after }) {
      const listed = await store.listTokens(owner, ALL);
      const start = after ? listed.findIndex(({ token }) => token.id === after.id) + 1 : 0;
      return after && start === 0 ? [] : listed.slice(start, start + limit);
    },
  })],
  ["rename ignores the owner", (store) => {
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      renameToken: (owner, id, name) => store.renameToken(all.get(id)?.owner ?? owner, id, name),
    };
  }],
  ["rename answers true for a revoked token", (store) => {
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      async renameToken(owner, id, name) {
        return await store.renameToken(owner, id, name) || all.get(id)?.owner === owner;
      },
    };
  }],
  ["rename changes all tokens of that name", (store) => {
    const names = new Map<string, string>();
    return {
      ...show(store, (owned) => {
        const name = names.get(owned.token.name) ?? owned.token.name;
        return { ...owned, token: { ...owned.token, name } };
      }),
      async renameToken(owner, id, name) {
        names.set("a", name);
        return await store.renameToken(owner, id, name);
      },
    };
  }],
  ["rotate adds a second successor", (store) => ({
    async rotateToken(token) {
      const successor = await store.rotateToken(token);
      if (successor === null || successor.id === token.id) return successor;
      return await store.insertToken({ ...token, rotation: null });
    },
  })],
  ["rotate fails for all but the first", (store) => ({
    async rotateToken(token) {
      const successor = await store.rotateToken(token);
      if (successor !== null && successor.id !== token.id) throw new Error("conflict");
      return successor;
    },
  })],
  ["rotate returns what it was given", (store) => ({
    async rotateToken(token) {
      return await store.rotateToken(token) && token;
    },
  })],
  ["rotate takes a revoked predecessor", (store) => ({
    async rotateToken(token) {
      return await store.rotateToken(token) ?? await store.insertToken(token);
    },
  })],
  ["rotate revokes the predecessor", (store) => ({
    async rotateToken(token) {
      const successor = await store.rotateToken(token);
      const id = token.id.replace(/-\d+$/, "-1");
      await store.revokeToken(id, { at: 1, reason: "superseded" });
      return successor;
    },
  })],
  ["rotate refuses an expired predecessor", (store) => {
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      async rotateToken(token) {
        const old = [...all.values()].find(({ family }) => family === token.family);
        return (old?.expiresAt ?? Infinity) < 5 ? null : await store.rotateToken(token);
      },
    };
  }],
  ["rotate works once in a family", (store) => {
    const families = new Set<string>();
    return {
      async rotateToken(token) {
        if (families.has(token.family) && token.id === "token-3") return null;
        families.add(token.family);
        return await store.rotateToken(token);
      },
    };
  }],
  ["insert takes a second successor", (store) => ({
    insertToken: (token, limit) =>
      store.insertToken(token, limit).catch((error: unknown) => {
        if (token.rotation === null) throw error;
        return store.insertToken({ ...token, rotation: null });
      }),
  })],
  ["rotate keeps what it returned", (store) => {
    const kept = new Map<string, Token>();
    return {
      ...show(store, (owned) => ({ ...owned, token: kept.get(owned.token.id) ?? owned.token })),
      async rotateToken(token) {
        const successor = await store.rotateToken(token);
        if (successor !== null) kept.set(successor.id, successor);
        return successor;
      },
    };
  }],
  ["list shows what others may change", (store) => {
    const kept = new Map<string, Token>();
    return {
      async findToken(digests) {
        const found = await store.findToken(digests);
        return found && { ...found, token: kept.get(found.token.id) ?? found.token };
      },
      async listTokens(owner, page) {
        const listed = await store.listTokens(owner, page);
        for (const { token } of listed) kept.set(token.id, token);
        return listed;
      },
    };
  }],
  ["touch revives", (store) => {
    const touched = new Set<string>();
    return {
      ...show(store, (owned) => {
        if (!touched.has(owned.token.id)) return owned;
        return { ...owned, token: { ...owned.token, revokedAt: null, revokedReason: null } };
      }),
      async touchTokens(uses) {
        for (const { id } of uses) touched.add(id);
        await store.touchTokens(uses);
      },
    };
  }],
  ["touch moves backwards", (store) => {
    const times = new Map<string, number>();
    return {
      ...show(store, (owned) => {
        const lastUsedAt = times.get(owned.token.id) ?? owned.token.lastUsedAt;
        return { ...owned, token: { ...owned.token, lastUsedAt } };
      }),
      async touchTokens(uses) {
        for (const { id, usedAt } of uses) times.set(id, usedAt);
        await store.touchTokens(uses);
      },
    };
  }],
  ["touch takes the last of several uses", (store) => ({
    touchTokens: (uses) => {
      const last = new Map(uses.map(({ id, usedAt }) => [id, usedAt]));
      return store.touchTokens([...last].map(([id, usedAt]) => ({ id, usedAt })));
    },
  })],
  ["touch notes one use only", (store) => ({
    touchTokens: (uses) => store.touchTokens(uses.slice(0, 1)),
  })],
  ["touch fails at an unknown id", (store) => {
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      async touchTokens(uses) {
        if (uses.some(({ id }) => !all.has(id))) throw new Error("no such token");
        await store.touchTokens(uses);
      },
    };
  }],
  ["touch notes the use of revoked tokens", (store) => {
    const times = new Map<string, number>();
    return {
      ...show(store, (owned) => {
        const { revokedAt, lastUsedAt } = owned.token;
        const usedAt = revokedAt === null ? lastUsedAt : times.get(owned.token.id) ?? lastUsedAt;
        return { ...owned, token: { ...owned.token, lastUsedAt: usedAt } };
      }),
      async touchTokens(uses) {
        for (const { id, usedAt } of uses) times.set(id, usedAt);
        await store.touchTokens(uses);
      },
    };
  }],
  ["touch extends the expiry", (store) =>
    show(store, (owned) => {
      const { expiresAt, lastUsedAt } = owned.token;
      const later = expiresAt === null || lastUsedAt === null ? expiresAt : expiresAt + lastUsedAt;
      return { ...owned, token: { ...owned.token, expiresAt: later } };
    })],
  ["touches that race lose some", (store) => {
    let isBusy = false;
    return {
      async touchTokens(uses) {
        if (isBusy) return;
        isBusy = true;
        await Promise.resolve();
        await store.touchTokens(uses);
        isBusy = false;
      },
    };
  }],
  ["prune deletes tokens without an expiry", (store) =>
    pruneBy(store, (owned, before) => {
      const { revoked, expired, idle, overlapped } = endsOf(owned);
      const end = owned.token.expiresAt === null ? 0 : expired;
      return Math.min(revoked, end, idle, overlapped) <= before;
    })],
  ["prune forgets revoked tokens", (store) =>
    pruneBy(store, (owned, before) => {
      const { expired, idle, overlapped } = endsOf(owned);
      return Math.min(expired, idle, overlapped) <= before;
    })],
  ["prune forgets idle tokens", (store) =>
    pruneBy(store, (owned, before) => {
      const { revoked, expired, overlapped } = endsOf(owned);
      return Math.min(revoked, expired, overlapped) <= before;
    })],
  ["prune forgets rotated tokens", (store) =>
    pruneBy(store, (owned, before) => {
      const { revoked, expired, idle } = endsOf(owned);
      return Math.min(revoked, expired, idle) <= before;
    })],
  ["prune deletes rotated tokens in their overlap", (store) =>
    pruneBy(store, (owned, before) => {
      const { revoked, expired, idle } = endsOf(owned);
      return owned.successor !== null || Math.min(revoked, expired, idle) <= before;
    })],
  ["prune counts idle time from the making", (store) =>
    pruneBy(store, (owned, before) => {
      const { revoked, expired, overlapped } = endsOf(owned);
      const { createdAt, idleTimeout } = owned.token;
      const idle = idleTimeout === null ? Infinity : createdAt + idleTimeout;
      return Math.min(revoked, expired, idle, overlapped) <= before;
    })],
  [
    "prune deletes a successor before its predecessor",
    (store) =>
      pruneBy(store, (owned, before) => Math.min(...Object.values(endsOf(owned))) <= before),
  ],
  ["prune waits a millisecond", (store) => ({
    pruneTokens: (before, limit) => store.pruneTokens(before - 1, limit),
  })],
  ["prune ignores the limit", (store) => ({
    pruneTokens: (before) => store.pruneTokens(before, 1_000),
  })],
  ["prune hides and does not delete", (store) => {
    const hidden = new Set<string>();
    const { all, verbs } = remember(store);
    return {
      ...verbs,
      ...show(store, (owned) => hidden.has(owned.token.id) ? null : owned),
      async pruneTokens(before, limit) {
        const ended = [...all.values()].filter(({ id, expiresAt }) =>
          !hidden.has(id) && (expiresAt ?? Infinity) <= before
        ).slice(0, limit);
        for (const { id } of ended) hidden.add(id);
        return ended.length;
      },
    };
  }],
  ["prunes that race count twice", (store) => {
    let last: Promise<number> | null = null;
    return {
      pruneTokens(before, limit) {
        last ??= store.pruneTokens(before, limit).finally(() => last = null);
        return last;
      },
    };
  }],
  ["replacePassword never moves the epoch", (store) => ({
    replacePassword: (id, password, change) =>
      store.replacePassword(id, password, { ...change, newEpoch: false }),
  })],
  ["replacePassword always moves the epoch", (store) => ({
    replacePassword: (id, password, change) =>
      store.replacePassword(id, password, { ...change, newEpoch: true }),
  })],
  ["replacePassword moves the epoch though it replaces nothing", (store) => ({
    async replacePassword(id, password, change) {
      const isReplaced = await store.replacePassword(id, password, { ...change, newEpoch: false });
      if (change.newEpoch) await store.startEpoch(id);
      return isReplaced;
    },
  })],
  ["setActive never moves the epoch", (store) => ({
    setActive: (id, isActive) => store.setActive(id, isActive, KEEP),
  })],
  ["startEpoch does nothing", (store) => ({
    startEpoch: async (id) => await store.findUser(id) !== null,
  })],
  ["startEpochs that race count once", (store) => {
    let last: Promise<boolean> | null = null;
    return {
      startEpoch(id) {
        last ??= store.startEpoch(id).finally(() => last = null);
        return last;
      },
    };
  }],
  ["startEpoch moves the tokens along", (store) =>
    show(store, (owned) => ({
      ...owned,
      token: { ...owned.token, epoch: owned.epoch ?? owned.token.epoch },
    }))],
  ["deleteUser deactivates", (store) => ({
    deleteUser: (id) => store.setActive(id, false, KEEP),
  })],
  ["deleteUser answers true twice", (store) => {
    const deleted = new Set<string>();
    return {
      async deleteUser(id) {
        const isDeleted = await store.deleteUser(id);
        if (isDeleted) deleted.add(id);
        return isDeleted || deleted.has(id);
      },
    };
  }],
  ["one attempt more than the limit counts", (store) => ({
    takeAttempts: (limits, now) =>
      store.takeAttempts(limits.map((limit) => ({ ...limit, max: limit.max + 1 })), now),
  })],
  ["attempts are counted against one limit after the other", (store) => ({
    async takeAttempts(limits, now) {
      const taken = [];
      for (const limit of limits) {
        const windows = await store.takeAttempts([limit], now);
        if (windows === null) return null;
        taken.push(...windows);
      }
      return taken;
    },
  })],
  ["limits are looked at together and counted one after the other", (store) => ({
    async takeAttempts(limits, now) {
      const found = await store.findAttempts(limits.map(({ key }) => key), now);
      const isExhausted = limits.some(({ key, max }) =>
        found.some((window) => window.key === key && window.count >= max)
      );
      if (isExhausted) return null;
      const taken = [];
      for (const limit of limits) {
        const windows = await store.takeAttempts([limit], now);
        if (windows === null) return null;
        taken.push(...windows);
      }
      return taken;
    },
  })],
  ["attempts are looked at and then counted", (store) => ({
    async takeAttempts(limits, now) {
      const found = await store.findAttempts(limits.map(({ key }) => key), now);
      const isExhausted = limits.some(({ key, max }) =>
        found.some((window) => window.key === key && window.count >= max)
      );
      if (isExhausted) return null;
      return await store.takeAttempts(limits.map((limit) => ({ ...limit, max: Infinity })), now);
    },
  })],
  ["attempts that race share one count", (store) => {
    let last: ReturnType<Store["takeAttempts"]> | null = null;
    return {
      takeAttempts(limits, now) {
        last ??= store.takeAttempts(limits, now).finally(() => last = null);
        return last;
      },
    };
  }],
  ["windows come in the order of their keys", (store) => ({
    async takeAttempts(limits, now) {
      const taken = await store.takeAttempts(limits, now);
      return taken?.toSorted((left, right) => left.key < right.key ? -1 : 1) ?? null;
    },
  })],
  ["a refused attempt lengthens the window", () => {
    const { windows, verbs } = countBy({});
    return {
      ...verbs,
      async takeAttempts(limits, now) {
        const taken = await verbs.takeAttempts?.(limits, now) ?? null;
        for (const { key } of taken === null ? limits : []) {
          const window = windows.get(key);
          if (window !== undefined) windows.set(key, { ...window, endsAt: now + window.length });
        }
        return taken;
      },
    };
  }],
  [
    "a window lasts until after its end",
    () => countBy({ isOver: ({ endsAt }, now) => endsAt < now }).verbs,
  ],
  ["windows never grow", () => countBy({ isFollowedByLonger: () => false }).verbs],
  ["windows grow without end", () => countBy({ lengthen: ({ length }) => 2 * length }).verbs],
  [
    "windows grow by the first length",
    () =>
      countBy({ lengthen: (old, limit) => Math.min(limit.longest, old.length + limit.window) })
        .verbs,
  ],
  ["windows grow though attempts were to spare", () =>
    countBy({
      isFollowedByLonger: ({ endsAt, length }, _, now) => now < endsAt + length,
    }).verbs],
  [
    "windows grow after a quiet time",
    () => countBy({ isFollowedByLonger: ({ count }, { max }) => count >= max }).verbs,
  ],
  ["windows grow at the end of the quiet time", () =>
    countBy({
      isFollowedByLonger: ({ count, endsAt, length }, { max }, now) =>
        count >= max && now <= endsAt + length,
    }).verbs],
  ["keys of attempts have no case", (store) => changeKeys(store, (key) => key.toLowerCase())],
  [
    "keys of attempts are cut at a NUL",
    (store) => changeKeys(store, (key) => key.replace(/\0.*/s, "")),
  ],
  [
    "keys of attempts are put into SQL as they are",
    (store) => changeKeys(store, (key) => key.replaceAll("'", "")),
  ],
  ["find shows windows that are over", (store) => ({
    findAttempts: (keys) => store.findAttempts(keys, 0),
  })],
  ["find deletes windows that are over", () => {
    const { windows, verbs } = countBy({});
    return {
      ...verbs,
      async findAttempts(keys, now) {
        for (const [key, { endsAt }] of windows) if (endsAt <= now) windows.delete(key);
        return await verbs.findAttempts?.(keys, now) ?? [];
      },
    };
  }],
  ["find counts an attempt", () => {
    const { windows, verbs } = countBy({});
    return {
      ...verbs,
      async findAttempts(keys, now) {
        const found = await verbs.findAttempts?.(keys, now) ?? [];
        for (const window of windows.values()) {
          if (keys.includes(window.key)) {
            windows.set(window.key, { ...window, count: window.count + 1 });
          }
        }
        return found;
      },
    };
  }],
  ["return does nothing", () => ({
    returnAttempts: () => Promise.resolve(),
  })],
  ["return empties the window", () => countBy({ giveBack: () => 0 }).verbs],
  ["return counts below 0", () => countBy({ giveBack: ({ count }) => count - 1 }).verbs],
  [
    "return takes back as many as it is told",
    () => countBy({ giveBack: ({ count }, returned) => Math.max(0, count - returned.count) }).verbs,
  ],
  [
    "return sets the count to one less than it is told",
    () => countBy({ giveBack: (_, returned) => Math.max(0, returned.count - 1) }).verbs,
  ],
  ["return goes by the key alone", (store) => ({
    async returnAttempts(windows) {
      await store.returnAttempts(await store.findAttempts(windows.map(({ key }) => key), 0));
    },
  })],
  ["return takes the first window only", (store) => ({
    returnAttempts: (windows) => store.returnAttempts(windows.slice(0, 1)),
  })],
  ["returns that race lose some", (store) => {
    let isBusy = false;
    return {
      async returnAttempts(windows) {
        if (isBusy) return;
        isBusy = true;
        await Promise.resolve();
        await store.returnAttempts(windows);
        isBusy = false;
      },
    };
  }],
  [
    "prune deletes windows that are over",
    () => countBy({ mayGo: ({ endsAt }, before) => endsAt <= before }).verbs,
  ],
  ["prune of attempts waits a millisecond", (store) => ({
    pruneAttempts: (before, limit) => store.pruneAttempts(before - 1, limit),
  })],
  ["prune of attempts ignores the limit", (store) => ({
    pruneAttempts: (before) => store.pruneAttempts(before, 1_000),
  })],
  ["prunes of attempts that race count twice", (store) => {
    let last: Promise<number> | null = null;
    return {
      pruneAttempts(before, limit) {
        last ??= store.pruneAttempts(before, limit).finally(() => last = null);
        return last;
      },
    };
  }],
  ["windows are shown as they are kept", (store) => {
    const kept = new Map<string, Awaited<ReturnType<Store["findAttempts"]>>[number]>();
    return {
      async takeAttempts(limits, now) {
        const taken = await store.takeAttempts(limits, now);
        for (const window of taken ?? []) kept.set(window.key, window);
        return taken;
      },
      async findAttempts(keys, now) {
        const found = await store.findAttempts(keys, now);
        return found.map((window) => {
          const old = kept.get(window.key);
          return old !== undefined && old.count > window.count ? old : window;
        });
      },
    };
  }],
  ["events are lost", (store) => ({
    appendEvents: (events) => store.appendEvents(events.slice(0, 10)),
  })],
  ["events are sorted by time", (store) => ({
    appendEvents: (events) =>
      store.appendEvents(events.toSorted((left, right) => left.at - right.at)),
  })],
  ["events are appended one by one", (store) => ({
    async appendEvents(events) {
      for (const event of events) {
        await Promise.resolve();
        await store.appendEvents([event]);
      }
    },
  })],
  ["events are kept until one cannot be", (store) => ({
    async appendEvents(events) {
      for (const event of events) {
        if (JSON.stringify(event).includes("\\u0000")) throw new Error("not storable");
        void store.appendEvents([event]);
      }
    },
  })],
  ["events are kept as they were given", () => {
    const events: Store["events"][number][] = [];
    return {
      events,
      appendEvents: async (added) => void events.push(...added),
    };
  }],
];
