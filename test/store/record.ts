import type { AttemptLimit, Revocation } from "../../src/ports/store.ts";
import type { TokenRecord } from "../../src/pure/record.ts";
import type { UserRecord } from "../../src/pure/user.ts";

/** A token; `digest` is filled up to its length. */
export function makeToken(changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: "token-1",
    owner: "user-1",
    epoch: 0,
    pepper: null,
    name: "",
    hint: "",
    scopes: ["read", "write"],
    slot: null,
    createdAt: 1,
    expiresAt: null,
    idleTimeout: null,
    lastUsedAt: null,
    revokedAt: null,
    revokedReason: null,
    family: changes.id ?? "token-1",
    rotation: null,
    ...changes,
    digest: (changes.digest ?? "a1").padStart(64, "0"),
  };
}

/** A user. */
export function makeUser(changes: Partial<UserRecord> = {}): UserRecord {
  return {
    id: "user-1",
    username: "ada",
    password: "$sample$",
    isActive: true,
    isStaff: false,
    isSuperuser: false,
    createdAt: 1,
    epoch: 0,
    ...changes,
  };
}

/** A token that comes from a rotation of `predecessor`. */
export function makeSuccessor(
  predecessor: TokenRecord,
  changes: Partial<TokenRecord> = {},
): TokenRecord & { readonly rotation: object } {
  const { owner, epoch, family, id } = predecessor;
  const rotation = { predecessor: id, overlapUntil: 100, nonce: "nonce" };
  const token = makeToken({ id: `${id}-2`, owner, epoch, family, digest: "a2", ...changes });
  return { ...token, rotation };
}

/** A limit of attempts. */
export function makeLimit(changes: Partial<AttemptLimit> = {}): AttemptLimit {
  return { key: "key-1", max: 5, window: 100, longest: 400, ...changes };
}

/** Why and when a token is revoked in these tests. */
export const revocation: Revocation = { at: 1, reason: "revoked" };
