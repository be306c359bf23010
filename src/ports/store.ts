import type { AuthEvent } from "../pure/event.ts";
import type { OwnedToken, RevokedReason, TokenDraft, TokenRecord } from "../pure/record.ts";
import type { UserRecord } from "../pure/user.ts";

/**
 * Keeps tokens. Every verb is one atomic statement with its condition inside.
 *
 * Shared contract: all times are integer milliseconds since the epoch. Reading
 * never writes. A verb that cannot do its work rejects; the library turns
 * whatever it rejects with into a `StoreError` and a 503, so a store need not
 * sort its faults, only never hide one. Arguments are data: they are compared
 * literally, whatever they contain. A store may refuse, by rejecting, text with
 * NUL or lone surrogates and scopes that are empty or hold a space, which the
 * library never sends. `latchkey/testing` runs this contract.
 *
 * A token is *live* at an instant when it is not revoked, its epoch is its
 * owner's (any epoch, when there is no such user), the instant is before
 * `expiresAt`, less than `idleTimeout` has passed since it was last used or
 * made, and no other token was rotated from it.
 */
export interface TokenStore {
  /**
   * Adds a token and returns it, with its epoch.
   *
   * With `limit`, only while its owner has fewer than `limit.max` tokens that
   * are live at `limit.now`; otherwise `null`, and nothing changed, however many
   * callers race. Rejects, and changes nothing, when its id or digest exists,
   * when its slot is not `null` and its owner has a token there, or when
   * another token was rotated from the same predecessor.
   */
  insertToken(token: TokenDraft, limit?: TokenLimit): Promise<TokenRecord | null>;
  /**
   * Returns the token in `token.slot` of `token.owner`, adding `token` when there is none.
   *
   * However many callers race, exactly one token is added and all of them
   * receive it. The token found is returned as it is, expired or not; a
   * revoked one is never found, because revoking empties its slot.
   */
  ensureToken(token: TokenDraft & { readonly slot: string }): Promise<OwnedToken>;
  /**
   * Finds the token whose digest is one of `digests`, with its owner and its successor, in one round trip.
   *
   * Returns revoked and expired tokens too: deciding is not the store's work.
   * `null` when there is none. At most one of `digests` is expected to exist.
   * A store that has the answer at hand may return it without a promise.
   */
  findToken(digests: readonly string[]): OwnedToken | null | Promise<OwnedToken | null>;
  /**
   * Returns the tokens of an owner, the newest first, those of one instant by descending id.
   *
   * All of them, whether they hold or not; at most `page.limit`; with
   * `page.after` only those that come after that position.
   */
  listTokens(owner: string, page: TokenPage): Promise<readonly OwnedToken[]>;
  /** Gives an owner's token another name. `false` when the owner has no such token or it is revoked. */
  renameToken(owner: string, id: string, name: string): Promise<boolean>;
  /**
   * Adds the successor of the token `token.rotation.predecessor`, unless it has one, and returns the successor.
   *
   * Its slot is `null`: the slot stays with the first token of a family.
   * However many callers race, one successor is added and all of them receive
   * it. `null`, and nothing changed, when the predecessor does not exist or is revoked.
   */
  rotateToken(
    token: TokenRecord & { readonly rotation: object },
  ): Promise<TokenRecord | null>;
  /**
   * Revokes a token and empties its slot.
   *
   * `true` when this call revoked it; `false` when it does not exist, was
   * revoked before, in which case the earlier time and reason stand, or, with
   * `owner`, belongs to another. Irreversible.
   */
  revokeToken(id: string, revocation: Revocation, owner?: string): Promise<boolean>;
  /**
   * Revokes every token of an owner that is not revoked, but `except`; returns how many.
   *
   * A token that somebody adds afterwards is not among them: change the owner's
   * epoch first where nothing may survive.
   */
  revokeTokens(owner: string, revocation: Revocation, except?: string): Promise<number>;
  /** Revokes every token of a family that is not revoked; returns how many. */
  revokeFamily(family: string, revocation: Revocation): Promise<number>;
  /**
   * Notes when tokens were used, all of them in one statement.
   *
   * Changes nothing but `lastUsedAt`, only forwards, and only of tokens that
   * are not revoked. Unknown ids are passed over. Of equal ids the latest counts.
   */
  touchTokens(uses: readonly TokenUse[]): Promise<void>;
  /**
   * Deletes at most `limit` tokens that stopped holding at or before `before`; returns how many.
   *
   * A token stops holding when it is revoked, expires, has been idle for too
   * long, or its overlap with its successor ends. One that still holds, or never
   * expires, is never deleted; nor is one whose predecessor is kept and holds,
   * because without it the predecessor would look as if it had never been rotated.
   * The end of an epoch has no time: tokens of before go once they are revoked.
   */
  pruneTokens(before: number, limit: number): Promise<number>;
}

/** How many live tokens an owner may have. */
export interface TokenLimit {
  /** The most that there may be. */
  readonly max: number;
  /** The instant at which tokens count as live. */
  readonly now: number;
}

/** A part of an owner's tokens. */
export interface TokenPage {
  /** How many at most. */
  readonly limit: number;
  /** The position of the last token of the part before; absent for the first part. */
  readonly after?: { readonly createdAt: number; readonly id: string };
}

/** When and why something was revoked. */
export interface Revocation {
  /** When, in milliseconds since the epoch. */
  readonly at: number;
  /** Why. */
  readonly reason: RevokedReason;
}

/** One use of a token. */
export interface TokenUse {
  /** Whose use it was. */
  readonly id: string;
  /** When, in milliseconds since the epoch. */
  readonly usedAt: number;
}

/** Keeps users. The same contract as {@link TokenStore}. */
export interface UserStore {
  /**
   * Adds a user. `false`, and nothing changed, when the username exists,
   * compared exactly. Rejects when only the id exists.
   */
  insertUser(user: UserRecord): Promise<boolean>;
  /** Finds a user by id; `null` when there is none. */
  findUser(id: string): Promise<UserRecord | null>;
  /** Finds a user by the exact username; `null` when there is none. */
  findUserByName(username: string): Promise<UserRecord | null>;
  /**
   * Replaces the stored password.
   *
   * With `expected`, only while the stored text still equals it, so a rewrite
   * at login cannot undo a change made meanwhile. With `newEpoch`, moves the
   * user's epoch forward by one in the same statement. `true` when it was replaced.
   */
  replacePassword(
    id: string,
    password: string | null,
    change: PasswordChange,
  ): Promise<boolean>;
  /** Sets whether a user is active, and with `newEpoch` moves the epoch forward. `false` when there is no such user. */
  setActive(id: string, isActive: boolean, change: UserChange): Promise<boolean>;
  /** Moves a user's epoch forward by one, so that every token of before is revoked. `false` when there is no such user. */
  startEpoch(id: string): Promise<boolean>;
  /** Deletes a user, so that none of the tokens holds. `false` when there is no such user. An id is never used again. */
  deleteUser(id: string): Promise<boolean>;
}

/** What else changes with a user. */
export interface UserChange {
  /** Whether the user's epoch moves forward by one, which revokes every token of before. */
  readonly newEpoch: boolean;
}

/** What else changes with a password, and under which condition. */
export interface PasswordChange extends UserChange {
  /** The stored text that must still be there; `null` for none. Absent: whatever is there. */
  readonly expected?: string | null;
}

/** Keeps events for an audit. */
export interface EventStore {
  /** Adds events in their order, all or none. */
  appendEvents(events: readonly AuthEvent[]): Promise<void>;
}

/**
 * Counts attempts in windows of time, such as failed logins. The same contract as {@link TokenStore}.
 *
 * A window of a key begins with the first attempt that is counted in it, and is
 * over from its end on: at `endsAt` exactly the next one may begin. A key is
 * text of the library's own making, never what a client sent.
 */
export interface AttemptStore {
  /**
   * Counts one attempt against every limit, or, when one of them is exhausted, against none.
   *
   * A limit is exhausted while its window holds `max` attempts or more. However
   * many callers race, no window counts more than `max`. The first window is
   * `window` long. One that follows an exhausted window, and begins before as
   * much time again has passed as that one was long, is twice as long as it, up
   * to `longest`; any other is `window` long again. The keys of `limits` differ.
   *
   * @returns the window of each limit, in their order, with this attempt in its count; `null` when
   * a limit is exhausted, in which case nothing changed
   */
  takeAttempts(limits: readonly AttemptLimit[], now: number): Promise<
    readonly AttemptWindow[] | null
  >;
  /** Returns the windows of these keys that are not over at `now`, in any order. Changes nothing. */
  findAttempts(keys: readonly string[], now: number): Promise<readonly AttemptWindow[]>;
  /**
   * Takes one attempt back from each window that is still there, told by its key and its end.
   *
   * A window that another has followed, or that counts nothing, is passed over.
   */
  returnAttempts(windows: readonly AttemptWindow[]): Promise<void>;
  /**
   * Deletes at most `limit` windows that no longer matter at `before`; returns how many.
   *
   * A window matters until as much time again has passed after its end as it was long.
   */
  pruneAttempts(before: number, limit: number): Promise<number>;
}

/** How many attempts a key has. */
export interface AttemptLimit {
  /** What is counted: short ASCII text. */
  readonly key: string;
  /** The most attempts in one window, from 1 up. */
  readonly max: number;
  /** How long a window is, in milliseconds. */
  readonly window: number;
  /** How long it becomes at most after exhausted ones; the same as `window` for no such growth. */
  readonly longest: number;
}

/** One window of a key. */
export interface AttemptWindow {
  /** What is counted. */
  readonly key: string;
  /** How many attempts. */
  readonly count: number;
  /** The first millisecond at which it is over. */
  readonly endsAt: number;
}

/** Everything the library keeps. */
export interface Store extends TokenStore, UserStore, AttemptStore, EventStore {}
