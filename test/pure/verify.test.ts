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
  ...digestToken(["none"], "text"),
  scopes: ["read"],
  slot: null,
  createdAt: now - 1,
  expiresAt: null,
  revokedAt: null,
};

function reasonOf(found: OwnedToken | null): string {
  const decided = decideToken(found, candidates, now);
  return decided.ok ? "ok" : decided.failure.reason;
}

describe("decideToken()", () => {
  it.each<[string, OwnedToken | null, string]>([
    ["a good token", { token, user }, "ok"],
    ["no token", null, "unknown_token"],
    ["a token without a user", { token, user: null }, "unknown_token"],
    [
      "C11: the row of another token",
      { token: { ...token, digest: "0".repeat(64) }, user },
      "unknown_token",
    ],
    ["a revoked token", { token: { ...token, revokedAt: now - 1 }, user }, "revoked_token"],
    [
      "a token revoked in the future",
      { token: { ...token, revokedAt: now + 1 }, user },
      "revoked_token",
    ],
    ["an inactive user", { token, user: { ...user, isActive: false } }, "inactive_user"],
  ])("decides about %s", (_name, found, reason) => {
    expect(reasonOf(found)).toBe(reason);
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
    expect(reasonOf({ token: { ...token, expiresAt } as TokenRecord, user })).toBe(reason);
  });

  it("L6: the principal holds no digest and no text", () => {
    const decided = decideToken({ token, user }, candidates, now);
    expect(decided).toEqual({
      ok: true,
      value: {
        user,
        token: { id: "t", owner: "1", scopes: ["read"], createdAt: now - 1, expiresAt: null },
      },
    });
  });
});
