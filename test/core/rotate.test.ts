import {
  type AuthEvent,
  grantToken,
  hexFormat,
  issueToken,
  logout,
  prefixedFormat,
  revokeToken,
  rotateToken,
  systemRandom,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, principalOf, reasonOf, SECRET, START } from "../fixture.ts";

const HOUR = 3_600_000;

describe("rotateToken()", () => {
  it("A12: keeps the owner, name, scopes, end and family, and makes another text", async () => {
    const { auth, clock } = makeAuth({ scopes: ["read", "write"] });
    const ada = await makeUser(auth, "ada");
    const options = {
      name: "phone",
      scopes: ["read"],
      expiresIn: HOUR,
      idleTimeout: HOUR,
    } as const;
    const old = must(await issueToken(auth, ada, options));
    clock.now += 1_000;
    const next = must(await rotateToken(auth, old.text.reveal()));
    expect(next.text.reveal()).not.toBe(old.text.reveal());
    expect(next.token).toEqual({
      ...old.token,
      id: next.token.id,
      hint: next.text.reveal().slice(0, 7),
      createdAt: START + 1_000,
    });
    expect(next.token.id).not.toBe(old.token.id);
    expect((await principalOf(auth, next)).token).toEqual(next.token);
  });

  it("A12: the old token holds until the overlap ends, and again gives the same successor", async () => {
    const { auth, clock } = makeAuth({ rotationOverlap: 1_000 });
    const ada = await makeUser(auth, "ada");
    const old = must(await issueToken(auth, ada));
    const rotate = async () => must(await rotateToken(auth, old.text.reveal()));
    const first = await rotate();
    clock.now += 999;
    const again = await rotate();
    expect([again.text.reveal(), again.token]).toEqual([first.text.reveal(), first.token]);
    expect([await reasonOf(auth, old), await reasonOf(auth, first)]).toEqual(["ok", "ok"]);
    clock.now += 1;
    expect(await rotateToken(auth, old.text.reveal())).toMatchObject({
      failure: { reason: "rotated_token" },
    });
  });

  it("A12: an overlap of its own counts from the rotation, and a later one changes nothing", async () => {
    const { auth, clock } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const old = must(await issueToken(auth, ada));
    must(await rotateToken(auth, old.text.reveal(), { overlap: 10 }));
    must(await rotateToken(auth, old.text.reveal(), { overlap: HOUR }));
    clock.now += 10;
    expect(await reasonOf(auth, old)).toBe("rotated_token");
    for (const overlap of [0, -1, NaN, 2 ** 53]) {
      await expect(rotateToken(auth, "x", { overlap })).rejects.toThrow(/Cannot use overlap/);
    }
  });

  it("A12: a use of the old token after the overlap revokes the family, also after it was idle", async () => {
    for (const wait of [60_000, 3 * HOUR]) {
      const events: AuthEvent[] = [];
      const { auth, clock } = makeAuth({ onEvent: (event) => events.push(event) });
      const ada = await makeUser(auth, "ada");
      const first = must(await issueToken(auth, ada, { idleTimeout: HOUR }));
      const other = must(await issueToken(auth, ada));
      const second = must(await rotateToken(auth, first.text.reveal()));
      clock.now += wait / 2;
      const third = wait > HOUR ? null : must(await rotateToken(auth, second.text.reveal()));
      clock.now += wait / 2;
      events.length = 0;
      expect(await reasonOf(auth, first)).toBe("rotated_token");
      const reused = { type: "token_reused", owner: ada.id, token: first.token.id };
      const count = third === null ? 2 : 3;
      expect(events[0]).toEqual({ ...reused, at: clock.now, family: first.token.id, count });
      for (const token of [first, second, ...(third === null ? [] : [third])]) {
        expect(await reasonOf(auth, token)).toBe("revoked_token");
      }
      expect(await reasonOf(auth, other)).toBe("ok");
      expect(events.filter(({ type }) => type === "token_reused")).toHaveLength(1);
    }
  });

  it.each<[string, number, string]>([
    ["expired", HOUR, "expired_token"],
    ["idle", HOUR / 2, "idle_token"],
  ])("A12: a token that is %s is not rotated", async (_name, wait, reason) => {
    const store = memoryStore();
    const { auth, clock } = makeAuth({ store });
    const ada = await makeUser(auth, "ada");
    const old = must(await issueToken(auth, ada, { expiresIn: HOUR, idleTimeout: HOUR / 2 }));
    clock.now += wait;
    expect(await rotateToken(auth, old.text.reveal())).toEqual({ ok: false, failure: { reason } });
    expect(await store.listTokens(ada.id, { limit: 9 })).toHaveLength(1);
  });

  it("A12: neither a revoked token nor one whose successor was revoked is rotated", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const old = must(await issueToken(auth, ada));
    const next = must(await rotateToken(auth, old.text.reveal()));
    await revokeToken(auth, next.token.id);
    const revoked = { ok: false, failure: { reason: "revoked_token" } };
    expect(await rotateToken(auth, old.text.reveal())).toEqual(revoked);
    const other = must(await issueToken(auth, ada));
    await revokeToken(auth, other.token.id);
    expect(await rotateToken(auth, other.text.reveal())).toEqual(revoked);
    expect(await rotateToken(auth, "lk_typo")).toMatchObject({
      failure: { reason: "malformed_token" },
    });
  });

  it("A12: a logout ends the whole line, whichever of its tokens asks", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    for (const which of [0, 1, 2]) {
      const first = must(await issueToken(auth, ada));
      const second = must(await rotateToken(auth, first.text.reveal()));
      const line = [first, second, must(await rotateToken(auth, second.text.reveal()))];
      const other = must(await issueToken(auth, ada));
      const principal = await principalOf(auth, line[which] ?? first);
      expect(await logout(auth, principal)).toBe(true);
      expect(await logout(auth, principal)).toBe(false);
      for (const token of line) expect(await reasonOf(auth, token)).toBe("revoked_token");
      expect(await reasonOf(auth, other)).toBe("ok");
    }
  });

  it("A4: a rotation neither adds a scope nor moves the end, however often", async () => {
    const { auth, clock } = makeAuth({ scopes: ["read", "write"] });
    const ada = await makeUser(auth, "ada");
    let token = must(await issueToken(auth, ada, { scopes: ["read"], expiresIn: HOUR }));
    for (let round = 0; round < 5; round++) {
      clock.now += HOUR / 6;
      token = must(await rotateToken(auth, token.text.reveal()));
      expect(token.token).toMatchObject({ scopes: ["read"], expiresAt: START + HOUR });
    }
    clock.now = START + HOUR;
    expect(await reasonOf(auth, token)).toBe("expired_token");
  });

  it("K8: gives the same successor after the format and the pepper have changed, under the old ones", async () => {
    const store = memoryStore();
    const [old, young] = [{ id: "2026", key: systemRandom(32) }, {
      id: "2027",
      key: systemRandom(32),
    }];
    const before = makeAuth({ store, formats: [hexFormat], peppers: [old] }).auth;
    const ada = await makeUser(before, "ada");
    const token = must(await issueToken(before, ada));
    const next = must(await rotateToken(before, token.text.reveal()));
    const formats = [prefixedFormat(), hexFormat] as const;
    const after = makeAuth({ store, formats, peppers: [young, old] }).auth;
    expect(must(await rotateToken(after, token.text.reveal())).text.reveal()).toBe(
      next.text.reveal(),
    );
    const last = must(await rotateToken(after, next.text.reveal()));
    expect(last.text.reveal()).toMatch(/^lk_/);
    const found = await store.findToken([after.digest(last.text.reveal()).digest]);
    expect(found?.token.pepper).toBe("2027");
    const alone = makeAuth({ store, formats, peppers: [young] }).auth;
    expect([await reasonOf(alone, next), await reasonOf(alone, last)]).toEqual([
      "unknown_token",
      "ok",
    ]);
  });

  it("K8: a successor under a pepper that is gone cannot be told again", async () => {
    const store = memoryStore();
    const [old, young] = [{ id: "old", key: systemRandom(32) }, {
      id: "young",
      key: systemRandom(32),
    }];
    const both = makeAuth({ store, peppers: [old] }).auth;
    const ada = await makeUser(both, "ada");
    const token = must(await issueToken(both, ada));
    must(await rotateToken(makeAuth({ store, peppers: [young, old] }).auth, token.text.reveal()));
    expect(await rotateToken(both, token.text.reveal())).toMatchObject({
      failure: { reason: "rotated_token" },
    });
  });

  it("takes the token that logins reuse out of its slot: the next login makes another one", async () => {
    const { auth } = makeAuth({ onLogin: "reuse", secret: SECRET });
    const ada = await makeUser(auth, "ada");
    const first = must(await grantToken(auth, ada));
    const rotated = must(await rotateToken(auth, first.text.reveal()));
    const again = must(await grantToken(auth, ada));
    const texts = [first, rotated, again].map(({ text }) => text.reveal());
    expect(new Set(texts).size).toBe(3);
    expect(await reasonOf(auth, rotated)).toBe("ok");
    expect(must(await grantToken(auth, ada)).text.reveal()).toBe(again.text.reveal());
    expect(await reasonOf(auth, first)).toBe("revoked_token");
  });

  it("needs the old text: the nonce in the database does not tell the successor", async () => {
    const store = memoryStore();
    const { auth } = makeAuth({ store });
    const ada = await makeUser(auth, "ada");
    const [one, other] = [must(await issueToken(auth, ada)), must(await issueToken(auth, ada))];
    const next = must(await rotateToken(auth, one.text.reveal()));
    const stored = await store.findToken([auth.digest(next.text.reveal()).digest]);
    expect(JSON.stringify(stored)).not.toContain(next.text.reveal());
    expect(stored?.token.rotation?.nonce).toMatch(/^[0-9A-Za-z]{43}$/);
    expect(must(await rotateToken(auth, other.text.reveal())).text.reveal())
      .not.toBe(next.text.reveal());
  });
});
