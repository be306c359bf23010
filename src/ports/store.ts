import type { OwnedToken, TokenRecord } from "../pure/record.ts";
import type { UserRecord } from "../pure/user.ts";

/**
 * Keeps tokens. Every verb is one atomic statement with its condition inside.
 *
 * Shared contract: all times are integer milliseconds since the epoch. Reading
 * never writes. A verb that cannot do its work rejects; the library turns
 * whatever it rejects with into a `StoreError` and a 503, so a store need not
 * sort its faults, only never hide one. Arguments are data: they are compared
 * literally, whatever they contain. `latchkey/testing` runs this contract.
 */
export interface TokenStore {
  /**
   * Adds a token. Rejects, and changes nothing, when its id or digest exists,
   * or when its slot is not `null` and its owner has a token there.
   */
  insertToken(token: TokenRecord): Promise<void>;
  /**
   * Returns the token in `token.slot` of `token.owner`, adding `token` when there is none.
   *
   * However many callers race, exactly one token is added and all of them
   * receive it. The token found is returned as it is, expired or not; a
   * revoked one is never found, because revoking empties its slot.
   */
  ensureToken(token: TokenRecord & { readonly slot: string }): Promise<TokenRecord>;
  /**
   * Finds the token whose digest is one of `digests`, with its owner, in one round trip.
   *
   * Returns revoked and expired tokens too: deciding is not the store's work.
   * `null` when there is none. At most one of `digests` is expected to exist.
   */
  findToken(digests: readonly string[]): Promise<OwnedToken | null>;
  /**
   * Revokes a token and empties its slot.
   *
   * `true` when this call revoked it; `false` when it does not exist or was
   * revoked before, in which case the earlier time stands. Irreversible.
   */
  revokeToken(id: string, revokedAt: number): Promise<boolean>;
}

/** Keeps users. The same contract as {@link TokenStore}. */
export interface UserStore {
  /**
   * Adds a user. `false`, and nothing changed, when the username exists,
   * compared exactly. Rejects when the id exists.
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
   * at login cannot undo a change made meanwhile. `true` when it was replaced.
   */
  replacePassword(id: string, password: string | null, expected?: string | null): Promise<boolean>;
  /** Sets whether a user is active. `false` when there is no such user. */
  setActive(id: string, isActive: boolean): Promise<boolean>;
}

/** Everything the library keeps. */
export interface Store extends TokenStore, UserStore {}
