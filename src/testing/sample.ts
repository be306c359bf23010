import type { TokenRecord } from "../pure/record.ts";
import type { UserRecord } from "../pure/user.ts";

/** A digest like any other: `seed` in hex, filled up to 64 characters. */
export function sampleDigest(seed: number): string {
  return `d${seed.toString(16)}`.padStart(64, "0");
}

/** A token with an id and a digest of its own for each `seed`. */
export function sampleToken(seed: number, changes: Partial<TokenRecord> = {}): TokenRecord {
  return {
    id: `token-${seed}`,
    owner: "user-1",
    digest: sampleDigest(seed),
    pepper: null,
    scopes: [],
    slot: null,
    createdAt: 1_700_000_000_000 + seed,
    expiresAt: null,
    revokedAt: null,
    ...changes,
  };
}

/** A token in a slot. */
export function sampleSlotToken(
  seed: number,
  slot: string,
  changes: Partial<TokenRecord> = {},
): TokenRecord & { readonly slot: string } {
  return { ...sampleToken(seed, changes), slot };
}

/** A user with an id and a username of its own for each `seed`. */
export function sampleUser(seed: number, changes: Partial<UserRecord> = {}): UserRecord {
  return {
    id: `user-${seed}`,
    username: `name-${seed}`,
    isActive: true,
    isStaff: false,
    isSuperuser: false,
    password: `$sample$${seed}`,
    createdAt: 1_700_000_000_000 + seed,
    ...changes,
  };
}
