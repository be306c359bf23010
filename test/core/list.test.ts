import {
  issueToken,
  listTokens,
  renameToken,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, principalOf, reasonOf, START } from "../fixture.ts";

const HOUR = 3_600_000;
const tamper = (text: string) =>
  btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");

describe("listTokens()", () => {
  it("L5: shows every token, the newest first, with its status and without text or digest", async () => {
    const { auth, clock } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const issue = async (name: string, options = {}) => {
      clock.now += 1;
      return must(await issueToken(auth, ada, { name, ...options }));
    };
    const issued = [
      await issue("active"),
      await issue("revoked"),
      await issue("expired", { expiresIn: HOUR }),
      await issue("idle", { idleTimeout: HOUR }),
      await issue("rotated"),
    ];
    await revokeToken(auth, issued[1]?.token.id ?? "");
    const next = must(await rotateToken(auth, issued[4]?.text.reveal() ?? ""));
    await issueToken(auth, await makeUser(auth, "bob"));
    clock.now += HOUR;
    const list = must(await listTokens(auth, ada.id));
    expect(list.next).toBeNull();
    const seen = list.tokens.map(({ name, status }) => `${name} ${status}`).sort();
    expect(seen).toEqual([
      "active active",
      "expired expired",
      "idle idle",
      "revoked revoked",
      "rotated active",
      "rotated rotated",
    ]);
    const shown = JSON.stringify(list);
    for (const { text } of [...issued, next]) {
      expect(shown).not.toContain(text.reveal().slice(3));
      expect(shown).not.toContain(auth.digest(text.reveal()).digest);
    }
    const revoked = list.tokens.find(({ name }) => name === "revoked");
    expect([revoked?.revokedAt, revoked?.revokedReason]).toEqual([START + 5, "revoked"]);
    const active = list.tokens.find(({ name }) => name === "active");
    expect(active).toEqual({
      ...issued[0]?.token,
      status: "active",
      revokedAt: null,
      revokedReason: null,
    });
  });

  it("D4: goes through all of them once, in pages, also those of one instant", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    for (let count = 0; count < 11; count++) must(await issueToken(auth, ada));
    for (const limit of [1, 2, 5, 10, 11, 100]) {
      const ids: string[] = [];
      let cursor: string | null = "";
      while (cursor !== null) {
        const options: { limit: number; cursor?: string } = cursor === ""
          ? { limit }
          : { limit, cursor };
        const { tokens, next } = must(await listTokens(auth, ada.id, options));
        expect(tokens.length).toBeLessThanOrEqual(limit);
        ids.push(...tokens.map(({ id }) => id));
        cursor = next;
      }
      expect(ids).toHaveLength(11);
      expect(ids).toEqual([...new Set(ids)].sort().reverse());
    }
    for (let count = 0; count < 15; count++) must(await issueToken(auth, ada));
    expect(must(await listTokens(auth, ada.id)).tokens).toHaveLength(25);
  });

  it("D4: the cursor of another user shows nothing of that user's", async () => {
    const { auth } = makeAuth();
    const [ada, bob] = [await makeUser(auth, "ada"), await makeUser(auth, "bob")];
    for (let count = 0; count < 4; count++) {
      for (const user of [ada, bob]) must(await issueToken(auth, user));
    }
    const { next } = must(await listTokens(auth, ada.id, { limit: 2 }));
    const foreign = must(await listTokens(auth, bob.id, { cursor: next ?? "" }));
    expect(foreign.tokens.every(({ owner }) => owner === bob.id)).toBe(true);
  });

  it.each<[string, unknown]>([
    ["an empty text", ""],
    ["no base64url", "%%%"],
    ["base64 of nothing of ours", tamper("hello")],
    ["an id that is none of ours", tamper("1:a' or 1=1 --")],
    ["a position without an id", tamper("1:")],
    ["a negative time", tamper("-1:abc")],
    ["a time with a zero in front", tamper("01:abc")],
    ["a time beyond the integers", tamper("9007199254740992:abc")],
    ["a time that is no number", tamper("NaN:abc")],
    ["padding", `${tamper("12:abc")}=`],
    ["trailing bits", "MTphYh"],
    ["a megabyte", "A".repeat(1 << 20)],
    ["an object", { $ne: null }],
    ["a number", 5],
  ])("D4: refuses %s as a cursor before the store is asked", async (_name, cursor) => {
    const { auth } = makeAuth({
      store: { ...memoryStore(), listTokens: () => Promise.reject(new Error("asked")) },
    });
    expect(await listTokens(auth, "1", { cursor: cursor as string }))
      .toEqual({ ok: false, failure: { reason: "malformed_cursor" } });
  });

  it.each([0, -1, 1.5, 101, NaN, Infinity, 1e20])("D4: refuses a limit of %d", async (limit) => {
    await expect(listTokens(makeAuth().auth, "1", { limit })).rejects.toThrow(/from 1 to 100/);
  });
});

describe("renameToken()", () => {
  it("A3: renames a token of the owner and of nobody else", async () => {
    const { auth } = makeAuth();
    const [ada, bob] = [await makeUser(auth, "ada"), await makeUser(auth, "bob")];
    const { token } = must(await issueToken(auth, ada, { name: "old" }));
    const nameOf = async () => must(await listTokens(auth, ada.id)).tokens[0]?.name;
    expect(await renameToken(auth, bob.id, token.id, "stolen")).toBe(false);
    expect(await renameToken(auth, ada.id, "unknown", "new")).toBe(false);
    expect(await nameOf()).toBe("old");
    expect(await renameToken(auth, ada.id, token.id, "new")).toBe(true);
    expect(await nameOf()).toBe("new");
    await revokeToken(auth, token.id);
    expect(await renameToken(auth, ada.id, token.id, "newer")).toBe(false);
  });

  it.each(["a\nb", "\u001b[2J", "a".repeat(101)])("L8: refuses the name %j", async (name) => {
    const { auth } = makeAuth();
    await expect(renameToken(auth, "1", "2", name)).rejects.toThrow(/^Cannot use this name/);
  });
});

describe("revoking", () => {
  it("A3: another user's token and an unknown one are the same to whoever names an owner", async () => {
    const { auth } = makeAuth();
    const [ada, bob] = [await makeUser(auth, "ada"), await makeUser(auth, "bob")];
    const issued = must(await issueToken(auth, ada));
    expect(await revokeToken(auth, issued.token.id, { owner: bob.id })).toBe(false);
    expect(await revokeToken(auth, "unknown", { owner: bob.id })).toBe(false);
    expect(await reasonOf(auth, issued)).toBe("ok");
    expect(await revokeToken(auth, issued.token.id, { owner: ada.id })).toBe(true);
    expect(await reasonOf(auth, issued)).toBe("revoked_token");
  });

  it("A11: the first revocation stands, and an expired token can be revoked too", async () => {
    const { auth, clock } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const { token } = must(await issueToken(auth, ada, { expiresIn: 10 }));
    clock.now += 10;
    expect(await revokeToken(auth, token.id, { reason: "logged_out" })).toBe(true);
    clock.now += 10;
    expect(await revokeToken(auth, token.id)).toBe(false);
    expect(must(await listTokens(auth, ada.id)).tokens[0])
      .toMatchObject({ revokedAt: START + 10, revokedReason: "logged_out", status: "revoked" });
  });

  it("revokeAllTokens leaves none of the owner's and all of the others'", async () => {
    const { auth } = makeAuth();
    const [ada, bob] = [await makeUser(auth, "ada"), await makeUser(auth, "bob")];
    const mine = [must(await issueToken(auth, ada)), must(await issueToken(auth, ada))];
    const other = must(await issueToken(auth, bob));
    expect(await revokeAllTokens(auth, ada.id)).toBe(2);
    expect(await revokeAllTokens(auth, ada.id)).toBe(0);
    expect(await revokeAllTokens(auth, "nobody")).toBe(0);
    for (const token of mine) expect(await reasonOf(auth, token)).toBe("revoked_token");
    expect(await reasonOf(auth, other)).toBe("ok");
    expect(await reasonOf(auth, must(await issueToken(auth, ada.id)))).toBe("ok");
  });

  it("revokeOtherTokens keeps the one in use, which goes on minting", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const used = must(await issueToken(auth, ada));
    const others = [must(await issueToken(auth, ada)), must(await issueToken(auth, ada))];
    const principal = await principalOf(auth, used);
    expect(await revokeOtherTokens(auth, principal)).toBe(2);
    expect(await revokeOtherTokens(auth, principal)).toBe(0);
    for (const token of others) expect(await reasonOf(auth, token)).toBe("revoked_token");
    expect(await reasonOf(auth, used)).toBe("ok");
  });
});
