import {
  type AuthOptions,
  changePassword,
  grantToken,
  hexFormat,
  issueToken,
  prefixedFormat,
  revokeToken,
  systemRandom,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf, SECRET, START } from "../fixture.ts";

const reuse = { onLogin: "reuse", secret: SECRET } as const;

describe("issueToken()", () => {
  it("stores the digest and never the text", async () => {
    const store = memoryStore();
    const { auth } = makeAuth({ store });
    const { text, token } = must(await issueToken(auth, "1"));
    const found = await store.findToken([auth.digest(text.reveal()).digest]);
    expect(found?.token).toMatchObject({ id: token.id, owner: "1", pepper: null, revokedAt: null });
    expect(JSON.stringify(found)).not.toContain(text.reveal());
  });

  it("A7: a token holds until the millisecond before it expires", async () => {
    const { auth, clock } = makeAuth();
    const { id } = await makeUser(auth, "ada");
    const { text, token } = must(await issueToken(auth, id, { expiresIn: 1_000 }));
    expect(token.expiresAt).toBe(START + 1_000);
    clock.now = START + 999;
    expect(await reasonOf(auth, text.reveal())).toBe("ok");
    clock.now = START + 1_000;
    expect(await reasonOf(auth, text.reveal())).toBe("expired_token");
  });

  it("A9: a token made by a server whose clock is ahead holds at once", async () => {
    const { auth, clock } = makeAuth();
    const { id } = await makeUser(auth, "ada");
    clock.now += 5 * 60_000;
    const { text } = must(await issueToken(auth, id));
    clock.now -= 10 * 60_000;
    expect(await reasonOf(auth, text.reveal())).toBe("ok");
  });

  it.each([0, -1, 1.5, NaN, Infinity, 2 ** 60])("refuses a lifetime of %j", async (expiresIn) => {
    await expect(issueToken(makeAuth().auth, "1", { expiresIn })).rejects.toThrow(RangeError);
  });

  it("A5: carries the scopes it was given, once each, and none by itself", async () => {
    const { auth } = makeAuth({ scopes: ["read", "write"] });
    expect(must(await issueToken(auth, "1")).token.scopes).toEqual([]);
    expect(must(await issueToken(auth, "1", { scopes: ["read", "read"] })).token.scopes).toEqual([
      "read",
    ]);
    await expect(issueToken(auth, "1", { scopes: ["*"] })).rejects.toThrow(
      /the scope \* *: it is not declared/,
    );
  });

  it.each<[string, NonNullable<AuthOptions["random"]>]>([
    ["a short source", () => new Uint8Array(4)],
    ["a source of zeros", (size) => new Uint8Array(size)],
    ["a source that throws", () => {
      throw new Error("no entropy");
    }],
  ])("K1: fails loudly with %s", async (_name, random) => {
    await expect(issueToken(makeAuth({ random }).auth, "1")).rejects.toThrow();
  });

  it("is the same run again with the same clock and randomness", async () => {
    const run = async () => {
      let step = 0;
      const random = (size: number) =>
        Uint8Array.from({ length: size }, (_, index) => index + step++);
      return must(await issueToken(makeAuth({ random }).auth, "1")).text.reveal();
    };
    expect(await run()).toBe(await run());
  });
});

describe('grantToken() with the policy "reuse"', () => {
  it("shows the same token again, also after a restart", async () => {
    const store = memoryStore();
    const first = must(await grantToken(makeAuth({ ...reuse, store }).auth, "1"));
    const again = must(await grantToken(makeAuth({ ...reuse, store }).auth, "1"));
    const other = must(await grantToken(makeAuth({ ...reuse, store }).auth, "2"));
    expect(again.text.reveal()).toBe(first.text.reveal());
    expect(other.text.reveal()).not.toBe(first.text.reveal());
  });

  it("gives 50 callers at once one token", async () => {
    const { auth } = makeAuth(reuse);
    const grants = Array.from({ length: 50 }, () => grantToken(auth, "1"));
    const granted = (await Promise.all(grants)).map(must);
    expect(new Set(granted.map(({ text }) => text.reveal())).size).toBe(1);
    expect(new Set(granted.map(({ token }) => token.id)).size).toBe(1);
  });

  it("makes another one after the token was revoked or has expired", async () => {
    const { auth, clock } = makeAuth({ ...reuse, tokenLifetime: 1_000 });
    const first = must(await grantToken(auth, "1"));
    await revokeToken(auth, first.token.id);
    const second = must(await grantToken(auth, "1"));
    clock.now += 1_000;
    const third = must(await grantToken(auth, "1"));
    expect(new Set([first, second, third].map(({ text }) => text.reveal())).size).toBe(3);
    expect(third.token.expiresAt).toBe(clock.now + 1_000);
  });

  it("replaces the token when the server secret has changed, and the old one no longer holds", async () => {
    const store = memoryStore();
    const before = makeAuth({ ...reuse, store }).auth;
    const { id } = await makeUser(before, "ada");
    const first = must(await grantToken(before, id));
    const after = makeAuth({ ...reuse, secret: `${SECRET}!`, store }).auth;
    const second = must(await grantToken(after, id));
    expect(await reasonOf(after, second.text.reveal())).toBe("ok");
    expect(await reasonOf(after, first.text.reveal())).toBe("revoked_token");
    expect(must(await grantToken(after, id)).text.reveal()).toBe(second.text.reveal());
  });

  it("K8: shows a token again that was made in an older format and under an older pepper", async () => {
    const store = memoryStore();
    const old = { id: "2026", key: systemRandom(32) };
    const young = { id: "2027", key: systemRandom(32) };
    const before = makeAuth({ ...reuse, store, formats: [hexFormat], peppers: [old] }).auth;
    const { id } = await makeUser(before, "ada");
    const first = must(await grantToken(before, id));
    const formats = [prefixedFormat(), hexFormat] as const;
    const after = makeAuth({ ...reuse, store, formats, peppers: [young, old] }).auth;
    expect(must(await grantToken(after, id)).text.reveal()).toBe(first.text.reveal());
    expect(await reasonOf(after, first.text.reveal())).toBe("ok");
    const without = makeAuth({ ...reuse, store, formats, peppers: [young] }).auth;
    expect(await reasonOf(without, first.text.reveal())).toBe("unknown_token");
  });
});

describe('grantToken() with the policy "reuse", beside a revocation of all', () => {
  it("R6: gives the token made afterwards to nobody who was verified before", async () => {
    const { auth } = makeAuth(reuse);
    const before = await makeUser(auth, "ada");
    const after = must(
      await changePassword(auth, before.id, {
        current: "ada-password",
        next: "new-password",
      }),
    );
    const conflict = { name: "StoreError", code: "conflict" };
    await expect(grantToken(auth, before)).rejects.toMatchObject(conflict);
    const fresh = must(await grantToken(auth, after));
    expect(await reasonOf(auth, fresh)).toBe("ok");
    await expect(grantToken(auth, before)).rejects.toMatchObject(conflict);
    expect(must(await grantToken(auth, after)).text.reveal()).toBe(fresh.text.reveal());
  });
});

describe("verifyToken()", () => {
  it("asks the store once, and not at all for a text that no format accepts", async () => {
    const store = memoryStore();
    let lookups = 0;
    const { auth } = makeAuth({
      store: { ...store, findToken: (digests) => (lookups++, store.findToken(digests)) },
    });
    const { id } = await makeUser(auth, "ada");
    const { text } = must(await issueToken(auth, id));
    expect(await reasonOf(auth, text.reveal())).toBe("ok");
    expect(lookups).toBe(1);
    const typo = text.reveal().slice(1);
    for (const wrong of ["", "null", "[object Object]", typo, undefined, { $ne: null }, 7]) {
      const result = await verifyToken(auth, wrong as string);
      expect(result).toEqual({ ok: false, failure: { reason: "malformed_token" } });
    }
    expect(lookups).toBe(1);
  });

  it("C12: a token that expired while the store was asked is refused", async () => {
    const store = memoryStore();
    const { auth, clock } = makeAuth({
      store: {
        ...store,
        async findToken(digests) {
          const found = await store.findToken(digests);
          clock.now += 1_000;
          return found;
        },
      },
    });
    const { id } = await makeUser(auth, "ada");
    const { text } = must(await issueToken(auth, id, { expiresIn: 1_000 }));
    expect(await reasonOf(auth, text.reveal())).toBe("expired_token");
  });

  it("A11: revoking is irreversible and says whether it did anything", async () => {
    const { auth } = makeAuth();
    const { id } = await makeUser(auth, "ada");
    const { text, token } = must(await issueToken(auth, id));
    expect(await revokeToken(auth, token.id)).toBe(true);
    expect(await revokeToken(auth, token.id)).toBe(false);
    expect(await revokeToken(auth, "unknown")).toBe(false);
    expect(await reasonOf(auth, text.reveal())).toBe("revoked_token");
  });
});
