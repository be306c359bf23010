import type { AttemptLimit, AttemptWindow, Revocation, Store } from "../../src/ports/store.ts";
import { StoreError } from "../../src/ports/store_error.ts";
import type { AuthEvent } from "../../src/pure/event.ts";
import type { OwnedToken, TokenDraft, TokenRecord } from "../../src/pure/record.ts";
import { toUser, type UserRecord } from "../../src/pure/user.ts";
import { idleEnd } from "../../src/pure/verify.ts";

/** A window of attempts without its key. */
interface Span {
  readonly count: number;
  readonly endsAt: number;
  readonly length: number;
}

const MAX_WINDOWS = 100_000;

/** A store in memory, which also shows the events it keeps. */
export interface MemoryStore extends Store {
  /** The events added so far, in their order. A copy at every reading. */
  readonly events: readonly AuthEvent[];
}

/**
 * Keeps tokens, users, attempts and events in the memory of this process.
 *
 * For tests, examples and tools: everything is gone when the process ends, and
 * no other process or Worker isolate sees it. Records are copied on the way in
 * and on the way out, so changing one afterwards changes nothing here. Each
 * verb does its work before it returns its promise, so no two can interleave.
 *
 * It keeps at most 100 000 windows of attempts, so that whoever thinks of new
 * keys cannot fill the memory. When there would be more, it drops those that no
 * longer matter, and where these are too few, the ones that end first, until a
 * tenth of the room is free: what was counted in them is forgotten.
 *
 * @throws {StoreError} from the verbs that add something, with the code `conflict`, as rejections,
 * when an id or a digest exists already, a slot is filled or a token has a successor
 *
 * @example
 * ```ts
 * import { memoryStore } from "latchkey/memory";
 *
 * const store = memoryStore();
 * console.log(await store.findUserByName("nobody")); // null
 * ```
 */
export function memoryStore(): MemoryStore {
  const tokens = new Map<string, TokenRecord>();
  const idsByDigest = new Map<string, string>();
  const idsBySlot = new Map<string, string>();
  const idsByPredecessor = new Map<string, string>();
  const users = new Map<string, UserRecord>();
  const idsByUsername = new Map<string, string>();
  const attempts = new Map<string, Span>();
  const events: AuthEvent[] = [];

  function addToken(draft: TokenDraft, verb: string): TokenRecord {
    const token = copyToken(draft, draft.epoch ?? users.get(draft.owner)?.epoch ?? 0);
    const slot = slotKey(token);
    const predecessor = token.rotation?.predecessor;
    if (
      tokens.has(token.id) || idsByDigest.has(token.digest) ||
      (slot !== null && idsBySlot.has(slot)) ||
      (predecessor !== undefined && idsByPredecessor.has(predecessor))
    ) throw new StoreError(verb, "conflict");
    tokens.set(token.id, token);
    idsByDigest.set(token.digest, token.id);
    if (slot !== null) idsBySlot.set(slot, token.id);
    if (predecessor !== undefined) idsByPredecessor.set(predecessor, token.id);
    return copyToken(token, token.epoch);
  }

  function tokenOf(id: string | undefined): TokenRecord | undefined {
    return id === undefined ? undefined : tokens.get(id);
  }

  function deleteToken(token: TokenRecord): void {
    tokens.delete(token.id);
    idsByDigest.delete(token.digest);
    const slot = slotKey(token);
    if (slot !== null) idsBySlot.delete(slot);
    if (token.rotation !== null) idsByPredecessor.delete(token.rotation.predecessor);
  }

  function revoke(token: TokenRecord, { at, reason }: Revocation): void {
    const slot = slotKey(token);
    if (slot !== null) idsBySlot.delete(slot);
    tokens.set(token.id, { ...token, slot: null, revokedAt: at, revokedReason: reason });
  }

  function revokeWhere(matches: (token: TokenRecord) => boolean, revocation: Revocation): number {
    const found = [...tokens.values()].filter((token) =>
      token.revokedAt === null && matches(token)
    );
    for (const token of found) revoke(token, revocation);
    return found.length;
  }

  function successorOf(token: TokenRecord): TokenRecord | undefined {
    return tokenOf(idsByPredecessor.get(token.id));
  }

  function toOwned(token: TokenRecord): OwnedToken {
    const user = users.get(token.owner);
    const successor = successorOf(token);
    return {
      token: copyToken(token, token.epoch),
      user: user === undefined ? null : toUser(user),
      epoch: user?.epoch ?? null,
      successor: successor === undefined || successor.rotation === null
        ? null
        : { id: successor.id, overlapUntil: successor.rotation.overlapUntil },
    };
  }

  function isLive(token: TokenRecord, now: number): boolean {
    const epoch = users.get(token.owner)?.epoch ?? token.epoch;
    return token.revokedAt === null && token.epoch === epoch && successorOf(token) === undefined &&
      now < (token.expiresAt ?? Infinity) && now < (idleEnd(token) ?? Infinity);
  }

  function hasEnded(token: TokenRecord, before: number): boolean {
    const overlapEnd = successorOf(token)?.rotation?.overlapUntil ?? null;
    const ends = [token.revokedAt, token.expiresAt, idleEnd(token), overlapEnd];
    return ends.some((end) => end !== null && end <= before);
  }

  function changeUser(
    id: string,
    change: (user: UserRecord) => Partial<UserRecord> | null,
    newEpoch: boolean,
  ): boolean {
    const user = users.get(id);
    const changes = user === undefined ? null : change(user);
    if (user === undefined || changes === null) return false;
    users.set(id, { ...user, ...changes, epoch: user.epoch + (newEpoch ? 1 : 0) });
    return true;
  }

  function findUser(id: string | undefined): UserRecord | null {
    const user = id === undefined ? undefined : users.get(id);
    return user === undefined ? null : copyUser(user);
  }

  /** Makes room for the windows of these keys. A tenth at once, so that a flood does not sort every time. */
  function makeRoom(keys: readonly string[], now: number): void {
    const added = keys.filter((key) => !attempts.has(key)).length;
    if (attempts.size + added <= MAX_WINDOWS) return;
    for (const [key, span] of attempts) if (matterEnd(span) <= now) attempts.delete(key);
    const excess = attempts.size + Math.max(added, MAX_WINDOWS / 10) - MAX_WINDOWS;
    const ends = Float64Array.from(attempts.values(), ({ endsAt }) => endsAt).sort();
    const last = ends[excess - 1];
    if (last === undefined) return;
    // Of those that end with the last one that has to go, some may stay.
    let ties = excess - ends.indexOf(last);
    for (const [key, { endsAt }] of attempts) {
      if (endsAt < last || (endsAt === last && ties-- > 0)) attempts.delete(key);
    }
  }

  return {
    get events() {
      return events.map((event) => ({ ...event }));
    },
    async insertToken(token, limit) {
      if (limit !== undefined) {
        const live = [...tokens.values()].filter((other) =>
          other.owner === token.owner && isLive(other, limit.now)
        );
        if (live.length >= limit.max) return null;
      }
      return addToken(token, "insert token");
    },
    async ensureToken(token) {
      const found = tokenOf(idsBySlot.get(slotKey(token) ?? ""));
      return toOwned(found ?? addToken(token, "ensure token"));
    },
    findToken(digests) {
      for (const digest of digests) {
        const token = tokenOf(idsByDigest.get(digest));
        if (token !== undefined) return toOwned(token);
      }
      return null;
    },
    async listTokens(owner, { limit, after }) {
      return [...tokens.values()]
        .filter((token) => token.owner === owner)
        .filter((token) => after === undefined || compareAge(after, token) < 0)
        .sort(compareAge)
        .slice(0, Math.max(0, limit))
        .map(toOwned);
    },
    async renameToken(owner, id, name) {
      const token = tokens.get(id);
      if (token === undefined || token.owner !== owner || token.revokedAt !== null) return false;
      tokens.set(id, { ...token, name });
      return true;
    },
    async rotateToken(token) {
      const old = tokens.get(token.rotation.predecessor);
      if (old === undefined || old.revokedAt !== null) return null;
      const successor = successorOf(old);
      return successor === undefined
        ? addToken(token, "rotate token")
        : copyToken(successor, successor.epoch);
    },
    async revokeToken(id, revocation, owner) {
      const token = tokens.get(id);
      if (token === undefined || token.revokedAt !== null) return false;
      if (owner !== undefined && token.owner !== owner) return false;
      revoke(token, revocation);
      return true;
    },
    async revokeTokens(owner, revocation, except) {
      return revokeWhere((token) => token.owner === owner && token.id !== except, revocation);
    },
    async revokeFamily(family, revocation) {
      return revokeWhere((token) => token.family === family, revocation);
    },
    async touchTokens(uses) {
      for (const { id, usedAt } of uses) {
        const token = tokens.get(id);
        if (token === undefined || token.revokedAt !== null) continue;
        const lastUsedAt = Math.max(token.lastUsedAt ?? usedAt, usedAt);
        tokens.set(id, { ...token, lastUsedAt });
      }
    },
    async pruneTokens(before, limit) {
      const ended = [...tokens.values()].filter((token) => hasEnded(token, before));
      // A token goes only together with those it came from, or after them: without it, a
      // predecessor would look as if it had never been rotated, and hold again.
      let wave = ended.filter(({ rotation }) =>
        rotation === null || !tokens.has(rotation.predecessor)
      );
      const doomed: TokenRecord[] = [];
      while (wave.length > 0 && doomed.length < limit) {
        doomed.push(...wave.slice(0, limit - doomed.length));
        const next = new Set(wave.map((token) => token.id));
        wave = ended.filter(({ rotation }) => rotation !== null && next.has(rotation.predecessor));
      }
      for (const token of doomed) deleteToken(token);
      return doomed.length;
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
    async replacePassword(id, password, { newEpoch, expected }) {
      const replace = (user: UserRecord) =>
        expected === undefined || user.password === expected ? { password } : null;
      return changeUser(id, replace, newEpoch);
    },
    async setActive(id, isActive, { newEpoch }) {
      return changeUser(id, () => ({ isActive }), newEpoch);
    },
    async startEpoch(id) {
      return changeUser(id, () => ({}), true);
    },
    async deleteUser(id) {
      const user = users.get(id);
      if (user === undefined) return false;
      users.delete(id);
      idsByUsername.delete(user.username);
      return true;
    },
    async takeAttempts(limits, now) {
      const isExhausted = limits.some(({ key, max }) => {
        const span = attempts.get(key);
        return (span === undefined || span.endsAt <= now ? 0 : span.count) >= max;
      });
      if (isExhausted) return null;
      const taken = limits.map((limit): readonly [string, Span] => [
        limit.key,
        countAttempt(attempts.get(limit.key), limit, now),
      ]);
      makeRoom(limits.map(({ key }) => key), now);
      for (const [key, span] of taken) attempts.set(key, span);
      return taken.map(([key, span]) => toWindow(key, span));
    },
    async findAttempts(keys, now) {
      return [...new Set(keys)].flatMap((key) => {
        const span = attempts.get(key);
        return span === undefined || span.endsAt <= now ? [] : [toWindow(key, span)];
      });
    },
    async returnAttempts(windows) {
      for (const { key, endsAt } of windows) {
        const span = attempts.get(key);
        if (span === undefined || span.endsAt !== endsAt || span.count === 0) continue;
        attempts.set(key, { ...span, count: span.count - 1 });
      }
    },
    async pruneAttempts(before, limit) {
      const doomed: string[] = [];
      for (const [key, span] of attempts) {
        if (doomed.length >= limit) break;
        if (matterEnd(span) <= before) doomed.push(key);
      }
      for (const key of doomed) attempts.delete(key);
      return doomed.length;
    },
    async appendEvents(added) {
      events.push(...added.map((event) => ({ ...event })));
    },
  };
}

/** The window with one attempt more: the same one, or the next where there is none or it is over. */
function countAttempt(span: Span | undefined, limit: AttemptLimit, now: number): Span {
  if (span !== undefined && now < span.endsAt) return { ...span, count: span.count + 1 };
  const doubles = span !== undefined && span.count >= limit.max && now < matterEnd(span);
  const length = doubles ? Math.min(2 * span.length, limit.longest) : limit.window;
  return { count: 1, endsAt: now + length, length };
}

/** The first millisecond at which a window no longer matters. */
function matterEnd({ endsAt, length }: Span): number {
  return endsAt + length;
}

function toWindow(key: string, { count, endsAt }: Span): AttemptWindow {
  return { key, count, endsAt };
}

/** One text per pair; `null` when the token fills no slot. Any separator could be part of a name. */
function slotKey({ owner, slot }: Pick<TokenRecord, "owner" | "slot">): string | null {
  return slot === null ? null : JSON.stringify([owner, slot]);
}

/** The newest first, those of one instant by descending id. */
function compareAge(
  left: Pick<TokenRecord, "createdAt" | "id">,
  right: Pick<TokenRecord, "createdAt" | "id">,
): number {
  if (left.createdAt !== right.createdAt) return right.createdAt - left.createdAt;
  return left.id === right.id ? 0 : left.id < right.id ? 1 : -1;
}

/** Exactly the fields of a record, so nothing else that a caller hangs on one is kept. */
function copyToken(token: TokenDraft, epoch: number): TokenRecord {
  const { rotation } = token;
  return {
    id: token.id,
    owner: token.owner,
    epoch,
    digest: token.digest,
    pepper: token.pepper,
    name: token.name,
    hint: token.hint,
    scopes: [...token.scopes],
    slot: token.slot,
    createdAt: token.createdAt,
    expiresAt: token.expiresAt,
    idleTimeout: token.idleTimeout,
    lastUsedAt: token.lastUsedAt,
    revokedAt: token.revokedAt,
    revokedReason: token.revokedReason,
    family: token.family,
    rotation: rotation === null ? null : {
      predecessor: rotation.predecessor,
      overlapUntil: rotation.overlapUntil,
      nonce: rotation.nonce,
    },
  };
}

function copyUser(user: UserRecord): UserRecord {
  const { password, createdAt, epoch } = user;
  return { ...toUser(user), password, createdAt, epoch };
}
