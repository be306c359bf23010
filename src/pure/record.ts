import type { User } from "./user.ts";

/** A token as a store keeps it: everything but the text. */
export interface TokenRecord {
  /** Opaque text, unique; safe to show to the owner, useless as a credential. */
  readonly id: string;
  /** The id of the user whose token it is. */
  readonly owner: string;
  /** 64 lower-case hex characters, unique: what is stored of the token text. */
  readonly digest: string;
  /** The id of the pepper the digest was made with, or `null` for a plain SHA-256. */
  readonly pepper: string | null;
  /** What the token may do: exact strings, no wildcard. */
  readonly scopes: readonly string[];
  /** The name of the slot the token fills, unique per owner; `null` for a token without one. */
  readonly slot: string | null;
  /** When the token was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** The first millisecond at which the token no longer holds, or `null` for never. */
  readonly expiresAt: number | null;
  /** When the token was revoked, or `null` while it is not; never goes back to `null`. */
  readonly revokedAt: number | null;
}

/** A token together with its owner, as one lookup returns them. */
export interface OwnedToken {
  /** The stored token. */
  readonly token: TokenRecord;
  /** `null` when no user with the id `token.owner` exists. */
  readonly user: User | null;
}

/** A token as an authenticated request sees it: no text, no digest. */
export interface Token<Scope extends string = string> {
  /** Opaque text, unique; safe to show to the owner, useless as a credential. */
  readonly id: string;
  /** The id of the user whose token it is. */
  readonly owner: string;
  /** What the token may do: exact strings, no wildcard. */
  readonly scopes: readonly Scope[];
  /** When the token was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** The first millisecond at which the token no longer holds, or `null` for never. */
  readonly expiresAt: number | null;
}

/** Who makes an authenticated request, and with which token. */
export interface Principal<Scope extends string = string> {
  /** Whose token it is. */
  readonly user: User;
  /** The token the request was made with. */
  readonly token: Token<Scope>;
}
