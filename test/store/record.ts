import type { TokenRecord } from "../../src/pure/record.ts";
import type { UserRecord } from "../../src/pure/user.ts";

/** A token; `digest` is filled up to its length. */
export function makeToken(changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: "token-1",
    owner: "user-1",
    pepper: null,
    scopes: ["read", "write"],
    slot: null,
    createdAt: 1,
    expiresAt: null,
    revokedAt: null,
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
    ...changes,
  };
}
