import type { RevocationBus, TokenChange } from "../ports/revocation_bus.ts";
import type { Store } from "../ports/store.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import type { OwnedToken, Principal, TokenDraft } from "../pure/record.ts";
import { heldUntil } from "../pure/verify.ts";
import { copyHeld, freeze, keyOf, namesOf, takeOldest } from "./cache_entry.ts";
import { forwardStore } from "./protected_store.ts";
import { isBus, readChange, tell } from "./token_change.ts";

/** How much a cache keeps, and for how long. */
export interface VerificationCacheOptions {
  /**
   * For how long a token that was looked up is answered from memory. This is
   * how late, at most, a change that another process made is noticed here.
   */
  readonly staleness: Duration;
  /** How many tokens are kept; 10,000 when absent, about 2 kB each. A tenth as many unknown ones are kept besides. */
  readonly max?: number;
  /** Tells of changes that other processes make, and tells them of this one's; none when absent. */
  readonly bus?: RevocationBus;
}

/** Keeps looked-up tokens in memory. Made by {@link verificationCache}, for `cache` of `defineAuth`. */
export interface VerificationCache {
  /**
   * The store with this cache in front of it, by the clock that decides about tokens. `defineAuth` calls it.
   *
   * @throws {TypeError} the second time: a cache belongs to one store
   */
  readonly attach: (store: Store, now: () => number) => Store;
  /** The principal of a token that was found to hold, while it does; `null` when it is not known. */
  readonly recall: (digests: readonly string[]) => Principal | null;
  /** Keeps what was decided about a found token, as long as it is still what was found. */
  readonly keep: (digests: readonly string[], found: OwnedToken, principal: Principal) => void;
}

/** For how long, at most, an unknown token is known to be unknown, and a lookup is joined. */
const MAX_ABSENCE = 1_000;
/** How many lookups under way are known at most. */
const MAX_READING = 10_000;

interface Entry {
  readonly key: string;
  /** From when to when it may be served. */
  readonly since: number;
  readonly until: number;
  readonly found: OwnedToken;
  principal: Principal | null;
}

/** A lookup that is under way. */
interface Reading {
  /** Tells it from earlier and later ones of the same token. */
  readonly turn: number;
  readonly since: number;
  readonly work: Promise<OwnedToken | null>;
}

/**
 * Makes a cache of verified tokens, for `cache` of `defineAuth`.
 *
 * Opt-in, because it trades staleness for speed: a change that goes through the
 * same `auth` is seen at once, one that another process makes after `staleness`
 * at the latest, or sooner with a `bus`. An entry ends with the token itself: at
 * its expiry, its idle end or the end of its overlap; permissions and scopes are
 * looked at again at each request. Entries are kept by digest, never by token.
 * Only tokens that hold are kept, so a change for the better is seen at once, but for
 * a token that another process makes: it may be unknown here for a second, if it was
 * asked for before. Parallel lookups of one token are one. What was read before a change
 * is not kept after it. Unknown tokens have a small place of their own, so that a flood of
 * them pushes no good one out. A clock that is seen to jump back empties it. Principals
 * are frozen, because many requests share them. With `findUser` only the store's part is
 * kept: the application's own user is looked up each time.
 *
 * @throws {TypeError | RangeError} when `staleness`, `max` or `bus` cannot be one
 *
 * @example
 * ```ts
 * import { defineAuth, verificationCache } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({
 *   store: memoryStore(),
 *   passwords: [pbkdf2()],
 *   cache: verificationCache({ staleness: 5_000 }),
 * });
 * ```
 */
export function verificationCache(options: VerificationCacheOptions): VerificationCache {
  const { max = 10_000, bus } = options;
  const staleness = toMilliseconds(options.staleness, "staleness");
  if (!Number.isSafeInteger(max) || max < 1) {
    throw new RangeError("Cannot use this max: expected a whole number of tokens from 1 up");
  }
  if (bus !== undefined && !isBus(bus)) {
    throw new TypeError("Cannot use this bus: it must have publish() and subscribe()");
  }
  const absence = Math.min(staleness, MAX_ABSENCE);
  const maxUnknown = Math.ceil(max / 10);
  const entries = new Map<string, Entry>();
  const entriesOf: Record<TokenChange["of"], Map<string, Set<Entry>>> = {
    token: new Map(),
    family: new Map(),
    owner: new Map(),
  };
  const unknown = new Map<string, number>();
  /** By key. Every change empties it: a lookup that is no longer in it is too old to be joined or kept. */
  const reading = new Map<string, Reading>();
  let turns = 0;
  let clock: (() => number) | null = null;
  let latest = -Infinity;

  function readClock(): number {
    const at = clock?.() ?? NaN;
    // How old anything is can no longer be told.
    if (at < latest) forgetAll();
    latest = at;
    return at;
  }

  function findEntry(key: string, at: number): Entry | undefined {
    const entry = entries.get(key);
    return entry !== undefined && entry.since <= at && at < entry.until ? entry : undefined;
  }

  function remember(
    key: string,
    since: number,
    digests: readonly string[],
    found: OwnedToken | null,
  ): OwnedToken | null {
    drop(entries.get(key));
    if (found === null) {
      if (unknown.size >= maxUnknown) takeOldest(unknown);
      unknown.set(key, since);
      return null;
    }
    const held = copyHeld(found, digests, since);
    if (held === null) return found;
    if (entries.size >= max) { for (const oldest of takeOldest(entries)) drop(oldest); }
    const until = Math.min(since + staleness, heldUntil(held));
    const entry = { key, since, until, found: held, principal: null };
    entries.set(key, entry);
    for (const [of, id] of namesOf(held)) {
      const siblings = entriesOf[of].get(id);
      if (siblings === undefined) entriesOf[of].set(id, new Set([entry]));
      else siblings.add(entry);
    }
    return held;
  }

  function drop(entry: Entry | undefined): void {
    if (entry === undefined) return;
    entries.delete(entry.key);
    for (const [of, id] of namesOf(entry.found)) {
      const siblings = entriesOf[of].get(id);
      siblings?.delete(entry);
      if (siblings?.size === 0) entriesOf[of].delete(id);
    }
  }

  function dropAll(of: TokenChange["of"], id: string): void {
    for (const entry of entriesOf[of].get(id) ?? []) drop(entry);
  }

  function lookUp(
    store: Store,
    key: string,
    digests: readonly string[],
    since: number,
  ): Promise<OwnedToken | null> {
    const known = reading.get(key);
    // One that hangs is not waited for by all who come: what it tells may be as old as it is.
    if (known !== undefined && since < known.since + absence) return known.work;
    const turn = ++turns;
    const isCurrent = () => reading.get(key)?.turn === turn;
    const read = async () => {
      const found = await store.findToken(digests);
      return isCurrent() ? remember(key, since, digests, found) : found;
    };
    const work = read().finally(() => {
      if (isCurrent()) reading.delete(key);
    });
    if (reading.size >= MAX_READING) reading.clear();
    reading.set(key, { turn, since, work });
    return work;
  }

  function forget({ of, id }: TokenChange): void {
    reading.clear();
    unknown.clear();
    dropAll(of, id);
  }

  function forgetAll(): void {
    reading.clear();
    unknown.clear();
    entries.clear();
    for (const index of Object.values(entriesOf)) index.clear();
  }

  /** Takes what a bus brings. What cannot be understood may mean any token. */
  function hear(change: TokenChange): void {
    const known = readChange(change);
    if (known === null) forgetAll();
    else forget(known);
  }

  /** Waits for a verb; whatever came of it, also when that is unknown, what it may have changed is forgotten. */
  async function change<Value>(
    work: Promise<Value>,
    of: TokenChange["of"],
    id: string,
  ): Promise<Value> {
    return await work.finally(() => {
      forget({ of, id });
      tell(bus, { of, id });
    });
  }

  /** The same for a token that is new, so that no other process can know of it. */
  async function add<Value>(work: Promise<Value>, { id, rotation }: TokenDraft): Promise<Value> {
    return await work.finally(() => forget({ of: "token", id: rotation?.predecessor ?? id }));
  }

  function attach(store: Store, now: () => number): Store {
    if (clock !== null) throw new TypeError("Cannot share a cache: make one for each defineAuth");
    clock = now;
    bus?.subscribe(hear);
    return {
      ...forwardStore(store),
      findToken(digests) {
        const key = keyOf(digests);
        const at = readClock();
        const entry = findEntry(key, at);
        if (entry !== undefined) return entry.found;
        const missed = unknown.get(key);
        if (missed !== undefined && missed <= at && at < missed + absence) return null;
        return lookUp(store, key, digests, at);
      },
      insertToken: (draft, limit) => add(store.insertToken(draft, limit), draft),
      ensureToken: (draft) => add(store.ensureToken(draft), draft),
      renameToken: (owner, id, name) => change(store.renameToken(owner, id, name), "token", id),
      rotateToken: (next) => change(store.rotateToken(next), "token", next.rotation.predecessor),
      revokeToken: (id, ...rest) => change(store.revokeToken(id, ...rest), "token", id),
      revokeTokens: (id, ...rest) => change(store.revokeTokens(id, ...rest), "owner", id),
      revokeFamily: (id, ...rest) => change(store.revokeFamily(id, ...rest), "family", id),
      insertUser: (user) => change(store.insertUser(user), "owner", user.id),
      replacePassword: (id, ...rest) => change(store.replacePassword(id, ...rest), "owner", id),
      setActive: (id, ...rest) => change(store.setActive(id, ...rest), "owner", id),
      startEpoch: (id) => change(store.startEpoch(id), "owner", id),
      deleteUser: (id) => change(store.deleteUser(id), "owner", id),
      async touchTokens(uses) {
        await store.touchTokens(uses);
        // The next request reads the new time; until then the use would be noted again and again.
        for (const { id } of uses) dropAll("token", id);
      },
      pruneTokens: (before, limit) => store.pruneTokens(before, limit).finally(forgetAll),
    };
  }

  return {
    attach,
    recall: (digests) => findEntry(keyOf(digests), readClock())?.principal ?? null,
    keep(digests, found, principal) {
      const entry = entries.get(keyOf(digests));
      if (entry?.found === found) entry.principal = freeze(principal);
    },
  };
}
