import type { OwnedToken, TokenRecord, User } from "latchkey";
import { describe, expect, it } from "vitest";
import { digestCandidates, digestToken } from "../../src/pure/digest.ts";
import { decideToken } from "../../src/pure/verify.ts";

const now = 1_800_000_000_000;
const candidates = digestCandidates(["none"], "text");
const user: User = { id: "1", username: "ada", isActive: true, isStaff: false, isSuperuser: false };
const token: TokenRecord = {
  id: "t",
  owner: "1",
  epoch: 3,
  ...digestToken(["none"], "text"),
  name: "phone",
  hint: "lk_abcd",
  scopes: ["read"],
  slot: null,
  createdAt: now - 100,
  expiresAt: null,
  idleTimeout: null,
  lastUsedAt: null,
  revokedAt: null,
  revokedReason: null,
  family: "f",
  rotation: null,
};

interface Changes extends Partial<Omit<OwnedToken, "token">> {
  readonly token?: Readonly<Record<string, unknown>>;
}

/** What a store may answer, also one that breaks its contract. */
function found(changes: Changes = {}): OwnedToken {
  const owned = { user, epoch: 3, successor: null, ...changes };
  return { ...owned, token: { ...token, ...changes.token } };
}

function reasonOf(owned: OwnedToken | null): string {
  const decided = decideToken(owned, candidates, now);
  return decided.ok ? "ok" : decided.failure.reason;
}

const over = { id: "s", overlapUntil: now };
const idle = { idleTimeout: 100 };

describe("decideToken()", () => {
  it.each<[string, OwnedToken | null, string]>([
    ["a good token", found(), "ok"],
    ["no token", null, "unknown_token"],
    ["a token without a user", found({ user: null }), "unknown_token"],
    ["C11: another user than the owner", found({ user: { ...user, id: "2" } }), "unknown_token"],
    ["C11: another token's row", found({ token: { digest: "0".repeat(64) } }), "unknown_token"],
    ["K7: an empty digest", found({ token: { digest: "" } }), "unknown_token"],
    ["K7: no digest", found({ token: { digest: null } }), "unknown_token"],
    ["a revoked token", found({ token: { revokedAt: now - 1 } }), "revoked_token"],
    ["a token revoked in the future", found({ token: { revokedAt: now + 1 } }), "revoked_token"],
    [
      "C11: a revocation that is undefined",
      found({ token: { revokedAt: undefined } }),
      "revoked_token",
    ],
    ["A10: a token of an epoch that has passed", found({ epoch: 4 }), "revoked_token"],
    ["a token of an epoch to come", found({ epoch: 2 }), "revoked_token"],
    ["C11: an epoch that is a text", found({ token: { epoch: "3" } }), "revoked_token"],
    ["a token of an owner without epochs", found({ epoch: null }), "ok"],
    [
      "A12: a rotated token before the overlap ends",
      found({ successor: { ...over, overlapUntil: now + 1 } }),
      "ok",
    ],
    ["A12: a rotated token when the overlap ends", found({ successor: over }), "rotated_token"],
    [
      "A12: an overlap that never ends",
      found({ successor: { ...over, overlapUntil: Infinity } }),
      "rotated_token",
    ],
    [
      "A12: a rotated token that expired",
      found({ successor: over, token: { expiresAt: now } }),
      "expired_token",
    ],
    [
      "A12: a rotated token that was revoked",
      found({ successor: over, token: { revokedAt: 1 } }),
      "revoked_token",
    ],
    [
      "A12: a rotated token that was idle",
      found({ successor: over, token: idle }),
      "rotated_token",
    ],
    ["an inactive user", found({ user: { ...user, isActive: false } }), "inactive_user"],
  ])("decides about %s", (_name, owned, reason) => {
    expect(reasonOf(owned)).toBe(reason);
  });

  it.each<[unknown, string]>([
    [now + 1, "ok"],
    [now, "expired_token"],
    [now - 1, "expired_token"],
    [0, "expired_token"],
    [-1, "expired_token"],
    [NaN, "expired_token"],
    [Infinity, "expired_token"],
    [-Infinity, "expired_token"],
    ["2099-01-01", "expired_token"],
    ["", "expired_token"],
    [undefined, "expired_token"],
    [new Date(NaN), "expired_token"],
    [new Date(now + 1), "expired_token"],
  ])("A7: a token that expires at %j is %s", (expiresAt, reason) => {
    expect(reasonOf(found({ token: { expiresAt } }))).toBe(reason);
  });

  it.each<[unknown, unknown, string]>([
    [null, null, "ok"],
    [101, null, "ok"],
    [100, null, "idle_token"],
    [99, null, "idle_token"],
    [100, now - 99, "ok"],
    [100, now - 100, "idle_token"],
    [100, now - 500, "idle_token"],
    [100, now + 5_000, "ok"],
    [0, now - 1, "idle_token"],
    [-1, now, "idle_token"],
    [NaN, now, "idle_token"],
    [Infinity, now, "idle_token"],
    ["200", now, "idle_token"],
    [undefined, now, "idle_token"],
    [100, NaN, "idle_token"],
    [100, Infinity, "idle_token"],
  ])(
    "A7: with an idleTimeout of %j and a last use at %j a token is %s",
    (idleTimeout, lastUsedAt, reason) => {
      expect(reasonOf(found({ token: { idleTimeout, lastUsedAt } }))).toBe(reason);
    },
  );

  it("L6: the principal holds no digest and no text", () => {
    const { digest: _, pepper: _pepper, slot: _slot, rotation: _rotation, ...rest } = token;
    const { revokedAt: _at, revokedReason: _reason, ...seen } = rest;
    expect(decideToken(found(), candidates, now)).toEqual({
      ok: true,
      value: { user, token: seen },
    });
  });
});
