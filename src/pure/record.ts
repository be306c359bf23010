import type { User } from "./user.ts";

/** Why a token was revoked. */
export type RevokedReason =
  | "revoked"
  | "logged_out"
  | "superseded"
  | "reused"
  | "password_changed"
  | "user_deactivated"
  | "user_deleted";

/** A token as a store keeps it: everything but the text. */
export interface TokenRecord {
  /** Opaque text, unique; safe to show to the owner, useless as a credential. */
  readonly id: string;
  /** The id of the user whose token it is. */
  readonly owner: string;
  /** The owner's epoch when the token was made; a token of another epoch than the owner's is revoked. */
  readonly epoch: number;
  /** 64 lower-case hex characters, unique: what is stored of the token text. */
  readonly digest: string;
  /** The id of the pepper the digest was made with, or `null` for a plain SHA-256. */
  readonly pepper: string | null;
  /** What its owner calls it; `""` for a token without a name. */
  readonly name: string;
  /** The first characters of the text, enough to recognise it and never enough to use it. */
  readonly hint: string;
  /** What the token may do: exact strings, no wildcard. */
  readonly scopes: readonly string[];
  /** The name of the slot the token fills, unique per owner; `null` for a token without one. */
  readonly slot: string | null;
  /** When the token was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** The first millisecond at which the token no longer holds, however it is used, or `null` for never. */
  readonly expiresAt: number | null;
  /** For how many milliseconds the token holds after its last use, or `null` for no such limit. */
  readonly idleTimeout: number | null;
  /** When the token was last seen to be used, or `null`; never moves backwards. */
  readonly lastUsedAt: number | null;
  /** When the token was revoked, or `null` while it is not; never goes back to `null`. */
  readonly revokedAt: number | null;
  /** Why it was revoked; `null` while it is not. */
  readonly revokedReason: RevokedReason | null;
  /** The id of the first token of its line of rotations; its own id before any. */
  readonly family: string;
  /** How it came from a rotation; `null` for a token that did not. */
  readonly rotation: Rotation | null;
}

/** How a token came from the one before it in its family. */
export interface Rotation {
  /** The id of the token before it; unique, so a token has one successor. */
  readonly predecessor: string;
  /** The first millisecond at which the predecessor no longer holds. */
  readonly overlapUntil: number;
  /** What the text was derived with, besides the predecessor's text. */
  readonly nonce: string;
}

/** A token to add. `epoch` is `null` for the owner's epoch at that moment, 0 when there is no such user. */
export type TokenDraft = Omit<TokenRecord, "epoch"> & { readonly epoch: number | null };

/** A token together with all that decides whether it holds, as one lookup returns it. */
export interface OwnedToken {
  /** The stored token. */
  readonly token: TokenRecord;
  /** `null` when no user with the id `token.owner` exists in the store. */
  readonly user: User | null;
  /** The owner's epoch now; `null` when no such user exists in the store. */
  readonly epoch: number | null;
  /** The token it was rotated into; `null` before any rotation. */
  readonly successor: Successor | null;
}

/** What a lookup tells of the token that another one was rotated into. */
export interface Successor {
  /** Its id. */
  readonly id: string;
  /** The first millisecond at which the predecessor no longer holds. */
  readonly overlapUntil: number;
}

/** A token as its owner and an authenticated request see it: no text, no digest. */
export interface Token<Scope extends string = string> {
  /** Opaque text, unique; safe to show to the owner, useless as a credential. */
  readonly id: string;
  /** The id of the user whose token it is. */
  readonly owner: string;
  /** The owner's epoch when the token was made. */
  readonly epoch: number;
  /** The id of the first token of its line of rotations; its own id before any. */
  readonly family: string;
  /** What its owner calls it; `""` for a token without a name. */
  readonly name: string;
  /** The first characters of the text, enough to recognise it and never enough to use it. */
  readonly hint: string;
  /** What the token may do: exact strings, no wildcard. */
  readonly scopes: readonly Scope[];
  /** When the token was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** The first millisecond at which the token no longer holds, or `null` for never. */
  readonly expiresAt: number | null;
  /** For how many milliseconds it holds after its last use, or `null` for no such limit. */
  readonly idleTimeout: number | null;
  /** When it was last seen to be used, or `null`. */
  readonly lastUsedAt: number | null;
}

/** Who makes an authenticated request, and with which token. */
export interface Principal<Scope extends string = string> {
  /** Whose token it is. */
  readonly user: User;
  /** The token the request was made with. */
  readonly token: Token<Scope>;
}
