import {
  type AuthOptions,
  type IssueOptions,
  issueToken,
  mintToken,
  revokeAllTokens,
  revokeToken,
  rotateToken,
  setActive,
  type TokenFormat,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, principalOf, reasonOf, START } from "../fixture.ts";

const HOUR = 3_600_000;

describe("issueToken()", () => {
  it("gives a token its name, scopes, lifetime and hint", async () => {
    const { auth } = makeAuth({ scopes: ["read", "write"] });
    const ada = await makeUser(auth, "ada");
    const issued = must(
      await issueToken(auth, ada, {
        name: "Ada's phone 📱",
        scopes: ["write"],
        expiresIn: HOUR,
        idleTimeout: 600_000,
      }),
    );
    const { text, token } = issued;
    expect(token).toEqual({
      id: expect.stringMatching(/^[0-9A-Za-z]{22}$/),
      owner: ada.id,
      epoch: 0,
      family: token.id,
      name: "Ada's phone 📱",
      hint: text.reveal().slice(0, 7),
      scopes: ["write"],
      createdAt: START,
      expiresAt: START + HOUR,
      idleTimeout: 600_000,
      lastUsedAt: null,
    });
    expect((await principalOf(auth, issued)).token).toEqual(token);
  });

  it("A7: gives 30 days when nothing is said, and for ever to whoever asks", async () => {
    const { auth } = makeAuth();
    expect(must(await issueToken(auth, "1")).token.expiresAt).toBe(START + 30 * 24 * HOUR);
    expect(must(await issueToken(auth, "1", { expiresIn: null })).token.expiresAt).toBeNull();
    const timed = makeAuth({ tokenLifetime: null, idleTimeout: HOUR }).auth;
    const { token } = must(await issueToken(timed, "1"));
    expect([token.expiresAt, token.idleTimeout]).toEqual([null, HOUR]);
    expect(must(await issueToken(timed, "1", { idleTimeout: null })).token.idleTimeout).toBeNull();
  });

  it.each<[string, unknown]>([
    ["a line break", "a\nb"],
    ["a carriage return", "a\rb"],
    ["an escape of a terminal", "\u001b[31mred"],
    ["NUL", "a\0"],
    ["a C1 control", "a\u009bb"],
    ["a line separator", "a\u2028b"],
    ["an override of the direction", "a\u202eb"],
    ["a lone surrogate", "a\ud800"],
    ["101 characters", "a".repeat(101)],
    ["a megabyte", "a".repeat(1 << 20)],
    ["an object", { toString: () => "a" }],
    ["a number", 7],
  ])("L8: refuses a name with %s", async (_name, name) => {
    const store = memoryStore();
    const { auth } = makeAuth({ store });
    const options = { name } as IssueOptions;
    await expect(issueToken(auth, "1", options)).rejects.toThrow(/^Cannot use this name: expected/);
    expect(await store.listTokens("1", { limit: 9 })).toEqual([]);
  });

  it("counts the characters of a name as people do", async () => {
    const { auth } = makeAuth();
    const name = "📱".repeat(100);
    expect(must(await issueToken(auth, "1", { name })).token.name).toBe(name);
    await expect(issueToken(auth, "1", { name: `${name}a` })).rejects.toThrow(RangeError);
  });

  it.each<[string, unknown, RegExp]>([
    ["A7: a lifetime of zero", { expiresIn: 0 }, /expiresIn: expected a positive/],
    ["A7: a lifetime that is no number", { expiresIn: NaN }, /expiresIn/],
    ["A7: a lifetime as a text", { expiresIn: "2025" }, /./],
    ["A7: a lifetime beyond all time", { expiresIn: Number.MAX_SAFE_INTEGER }, /expiresIn/],
    ["A7: an endless idle timeout", { idleTimeout: Infinity }, /idleTimeout/],
    ["A7: an idle timeout that uses cannot keep alive", { idleTimeout: 119_999 }, /touchInterval/],
    ["A5: an empty scope", { scopes: [""] }, /Cannot use this scope/],
    ["A5: a scope in another case", { scopes: ["READ"] }, /not declared/],
    ["A5: the beginning of a scope", { scopes: ["rea"] }, /not declared/],
    ["A5: a wildcard", { scopes: ["*"] }, /not declared/],
    ["A5: a name of Object.prototype", { scopes: ["constructor"] }, /not declared/],
    ["A5: __proto__", { scopes: ["__proto__"] }, /not declared/],
    [
      "A5: ten thousand scopes",
      { scopes: Array.from({ length: 10_000 }, (_, i) => `s${i}`) },
      /64/,
    ],
  ])("refuses %s before anything is stored", async (_name, options, message) => {
    const store = memoryStore();
    const { auth } = makeAuth({ store, scopes: ["read", "read:all"] });
    await expect(issueToken(auth, "1", options as IssueOptions)).rejects.toThrow(message);
    expect(await store.listTokens("1", { limit: 9 })).toEqual([]);
  });

  it.each<[string, unknown]>([["an empty owner", ""], ["D2: an object", { id: { $ne: null } }]])(
    "refuses %s",
    async (_name, owner) => {
      await expect(issueToken(makeAuth().auth, owner as string)).rejects.toThrow(
        "Cannot issue a token: the owner must be a non-empty string",
      );
    },
  );

  it("lets an idle timeout be twice the touchInterval, and refuses less at construction too", () => {
    const timed = (options: Partial<AuthOptions>) => () => makeAuth(options);
    expect(timed({ idleTimeout: 120_000 })).not.toThrow();
    expect(timed({ idleTimeout: 2_000, touchInterval: 1_000 })).not.toThrow();
    expect(timed({ idleTimeout: 119_999 })).toThrow(/touchInterval must be at most half of it/);
    expect(timed({ idleTimeout: HOUR, touchInterval: null })).toThrow(/at most half/);
    expect(timed({ idleTimeout: 0 })).toThrow(/idleTimeout: expected a positive/);
    expect(timed({ tokenLimit: 0 })).toThrow(/tokenLimit: expected a whole number from 1 up/);
    expect(timed({ tokenLimit: 1.5 })).toThrow(RangeError);
    expect(timed({ rotationOverlap: -1 })).toThrow(/rotationOverlap/);
  });

  it("keeps to the limit, and what has ended makes room", async () => {
    const { auth, clock } = makeAuth({ tokenLimit: 2 });
    const ada = await makeUser(auth, "ada");
    const first = must(await issueToken(auth, ada, { expiresIn: 1_000 }));
    must(await issueToken(auth, ada));
    const full = { ok: false, failure: { reason: "token_limit" } };
    expect(await issueToken(auth, ada)).toEqual(full);
    must(await issueToken(auth, await makeUser(auth, "bob")));
    clock.now += 1_000;
    const third = must(await issueToken(auth, ada));
    expect(await issueToken(auth, ada)).toEqual(full);
    must(await rotateToken(auth, third.text.reveal()));
    expect(await issueToken(auth, ada)).toEqual(full);
    expect(await reasonOf(auth, first)).toBe("expired_token");
    await revokeAllTokens(auth, ada.id);
    must(await issueToken(auth, ada.id));
  });

  it("R6: a token for a user from before a revocation of all does not hold", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    await revokeAllTokens(auth, ada.id);
    expect(await reasonOf(auth, must(await issueToken(auth, ada)))).toBe("revoked_token");
    expect(await reasonOf(auth, must(await issueToken(auth, ada.id)))).toBe("ok");
    await setActive(auth, ada.id, true);
    expect(await reasonOf(auth, must(await issueToken(auth, { id: ada.id, epoch: 1 })))).toBe("ok");
  });

  it("L5: the hint shows four characters of the secret, whatever the format", async () => {
    const secret = "abc-DEF_ghi_jkl-mno_pqr-stu_vwx";
    const own: TokenFormat = {
      pattern: /./,
      encode: () => secret,
      accepts: (text) => text === secret,
    };
    const { token } = must(await issueToken(makeAuth({ formats: [own] }).auth, "1"));
    expect(token.hint).toBe("abc-");
  });
});

describe("mintToken()", () => {
  const scopes = ["read", "write", "admin"] as const;
  const setUp = async (options: IssueOptions, authOptions: Partial<AuthOptions> = {}) => {
    const { auth, clock } = makeAuth({ scopes, ...authOptions });
    const ada = await makeUser(auth, "ada");
    const parent = must(await issueToken(auth, ada, options));
    return { auth, clock, ada, parent, principal: await principalOf(auth, parent) };
  };

  it("A4: makes a token of the same owner with some of the scopes", async () => {
    const { auth, ada, principal } = await setUp({ scopes: ["read", "write"] });
    const minted = must(await mintToken(auth, principal, { name: "cron", scopes: ["read"] }));
    expect(minted.token).toMatchObject({ owner: ada.id, name: "cron", scopes: ["read"] });
    expect(minted.token.family).toBe(minted.token.id);
    expect(await reasonOf(auth, minted)).toBe("ok");
  });

  it.each<[readonly string[], readonly string[]]>([
    [["read"], ["read", "write"]],
    [["read", "write"], ["admin"]],
    [[], ["read"]],
  ])("A4: a token with %j cannot make one with %j", async (held, asked) => {
    const { auth, principal } = await setUp({ scopes: held });
    expect(await mintToken(auth, principal, { scopes: asked })).toEqual({
      ok: false,
      failure: { reason: "scope_exceeded" },
    });
    expect(must(await mintToken(auth, principal)).token.scopes).toEqual([]);
  });

  it.each<[string, number | null, IssueOptions, number | null]>([
    ["a longer lifetime", HOUR, { expiresIn: 2 * HOUR }, HOUR],
    ["for ever", HOUR, { expiresIn: null }, HOUR],
    ["the default", HOUR, {}, HOUR],
    ["a shorter lifetime", HOUR, { expiresIn: 1_000 }, 1_000],
    ["a lifetime where the parent has no end", null, { expiresIn: 1_000 }, 1_000],
    ["for ever where the parent has no end", null, { expiresIn: null }, null],
  ])(
    "A4: asked for %s, it ends no later than its parent",
    async (_name, expiresIn, asked, ends) => {
      const { auth, principal } = await setUp({ expiresIn });
      const { token } = must(await mintToken(auth, principal, asked));
      expect(token.expiresAt).toBe(ends === null ? null : START + ends);
    },
  );

  it("A4: it may be idle no longer than its parent", async () => {
    const { auth, principal } = await setUp({ idleTimeout: HOUR });
    const idle = async (idleTimeout: number | null) =>
      must(await mintToken(auth, principal, { idleTimeout })).token.idleTimeout;
    expect([await idle(null), await idle(2 * HOUR), await idle(HOUR / 2)])
      .toEqual([HOUR, HOUR, HOUR / 2]);
  });

  it("R6: it does not hold when all tokens were revoked since its parent was verified", async () => {
    const { auth, ada, principal } = await setUp({});
    await revokeAllTokens(auth, ada.id);
    expect(await reasonOf(auth, must(await mintToken(auth, principal)))).toBe("revoked_token");
  });

  it("counts against the limit and outlives a revocation of its parent alone", async () => {
    const { auth, principal, parent } = await setUp({}, { tokenLimit: 2 });
    const minted = must(await mintToken(auth, principal));
    expect(await mintToken(auth, principal)).toMatchObject({ failure: { reason: "token_limit" } });
    await revokeToken(auth, parent.token.id);
    expect(await reasonOf(auth, minted)).toBe("ok");
  });

  it("A5: a stored scope that is no longer declared can be passed on by nobody", async () => {
    const store = memoryStore();
    const before = makeAuth({ store, scopes: ["read", "old"] }).auth;
    const ada = await makeUser(before, "ada");
    const parent = must(await issueToken(before, ada, { scopes: ["read", "old"] }));
    const { auth } = makeAuth({ store, scopes: ["read"] });
    const principal = await principalOf(auth, parent);
    expect(principal.token.scopes).toEqual(["read"]);
    await expect(mintToken(auth, principal, { scopes: ["old"] })).rejects.toThrow(/not declared/);
  });
});
