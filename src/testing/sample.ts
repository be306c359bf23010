import type { AttemptLimit, Revocation } from "../ports/store.ts";
import type { RevokedReason, TokenRecord } from "../pure/record.ts";
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
    epoch: 0,
    digest: sampleDigest(seed),
    pepper: null,
    name: "",
    hint: "",
    scopes: [],
    slot: null,
    createdAt: 1_700_000_000_000 + seed,
    expiresAt: null,
    idleTimeout: null,
    lastUsedAt: null,
    revokedAt: null,
    revokedReason: null,
    family: changes.id ?? `token-${seed}`,
    rotation: null,
    ...changes,
  };
}

/** A token that comes from a rotation of `predecessor`, in its family. */
export function sampleSuccessor(
  seed: number,
  predecessor: TokenRecord,
  overlapUntil: number,
  changes: Partial<TokenRecord> = {},
): TokenRecord & { readonly rotation: object } {
  const { id, owner, epoch, family } = predecessor;
  const rotation = { predecessor: id, overlapUntil, nonce: `nonce-${seed}` };
  return { ...sampleToken(seed, { owner, epoch, family, ...changes }), rotation };
}

/** A revocation at an instant. */
export function sampleRevocation(at: number, reason: RevokedReason = "revoked"): Revocation {
  return { at, reason };
}

/** A token after {@link sampleRevocation}. */
export function revoked(
  token: TokenRecord,
  revokedAt: number,
  revokedReason: RevokedReason = "revoked",
): TokenRecord {
  return { ...token, slot: null, revokedAt, revokedReason };
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
    epoch: 0,
    ...changes,
  };
}

/** A limit for a key; without growth unless `changes` says so. */
export function sampleLimit(key: string, changes: Partial<AttemptLimit> = {}): AttemptLimit {
  return { key, max: 1, window: 60_000, longest: changes.window ?? 60_000, ...changes };
}

/** Numbers below a bound, the same for the same seed. */
export function seedRandom(seed: number): (below: number) => number {
  let state = (seed + 1) * 0x9e3779b1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}
