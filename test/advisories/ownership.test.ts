import {
  changePassword,
  createGuard,
  deleteUser,
  grantToken,
  hasScopes,
  isAdminUser,
  type Principal,
  rotateToken,
  setActive,
  type User,
  verifyPassword,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf, SECRET, seededNumbers } from "../fixture.ts";
import { issue } from "../http/issue.ts";
import { dialects, makeService, readText } from "../http/service.ts";
import { alterVerb, pathOf, snapshot } from "./scene.ts";

const NOBODYS_ID = "0000000000000000000000";
const MINUTE = 60_000;

describe("whose tokens they are", () => {
  it("CVE-2025-61928 / GHSA-99h5-pjcv-gr6v: nobody makes or changes tokens for others by naming them in a body (A1, A2)", async () => {
    const service = await makeService();
    const { ada, bob, mine, his, store } = service;
    const before = await snapshot(service);
    const names = ["userId", "user_id", "user", "owner", "ownerId", "subject", "sub", "username"];
    const claims = {
      ...Object.fromEntries(names.map((name) => [name, bob.id])),
      id: his.token.id,
      token: his.text,
      name: "x",
      scopes: ["read"],
      current_password: "bob-password",
      new_password: "a password of somebody else's",
    };
    const guarded = service.service.routes.filter((route) => route.guarded);
    expect(guarded.length).toBeGreaterThan(8);
    for (const { method, path } of guarded) {
      const json = method === "GET" ? {} : { json: claims };
      const query = `?${new URLSearchParams({ userId: bob.id, token: his.text })}`;
      const reply = await service.call(method, pathOf(path, his.token.id) + query, json);
      expect([reply.status, await snapshot(service)], `${method} ${path}`).toEqual([401, before]);
    }

    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    const draw = seededNumbers(seed);
    const bobs = JSON.stringify(await store.listTokens(bob.id, { limit: 1_000 }));
    for (let round = 0; round < 100; round++) {
      const some = Object.entries({ ...claims, expires_in: 60 }).filter(() => draw(2) === 0);
      const json = { ...Object.fromEntries(some), scopes: [] };
      const reply = await service.call("POST", "/tokens/", { token: mine.text, json });
      const made = must(await verifyToken(service.auth, readText(reply.body, "token")));
      expect(made.user.id, `seed ${seed}`).toBe(ada.id);
    }
    expect(JSON.stringify(await store.listTokens(bob.id, { limit: 1_000 }))).toBe(bobs);
  });

  it("CVE-2026-41427 / GHSA-xr8f-h2gw-9xh6, CVE-2026-45337 / GHSA-cq3f-vc6p-68fh: every endpoint that takes an id looks whose it is, and every one that manages tokens what the token may do (A3, A4)", async () => {
    const service = await makeService({}, { manage: [hasScopes(["tokens:write"])] });
    const { his, mine, bob } = service;
    const before = await snapshot(service);
    const taking = service.service.routes.filter(({ path }) => path.includes("{id}"));
    expect(taking.length).toBeGreaterThan(1);
    for (const { method, path } of taking) {
      const place = pathOf(path, his.token.id);
      const reply = await service.call(method, place, { token: mine.text, json: { name: "x" } });
      expect([reply.status, await snapshot(service)], `${method} ${path}`).toEqual([404, before]);
    }
    const weak = await issue(service.auth, bob, { scopes: ["read"] });
    const kept = await snapshot(service);
    const free = ["login", "logout", "whoAmI", "revoke", "introspect"];
    const managing = service.service.routes.filter(({ name }) => !free.includes(name));
    expect(managing.length).toBeGreaterThan(6);
    for (const { method, path } of managing) {
      const json = { name: "x", current_password: "bob-password", new_password: "one more secret" };
      const place = pathOf(path, his.token.id);
      const reply = await service.call(method, place, {
        token: weak.text,
        ...(method === "GET" ? {} : { json }),
      });
      expect([reply.status, await snapshot(service)], `${method} ${path}`).toEqual([403, kept]);
    }
  });

  it("22c5f36d48: another user's id and an unknown one are answered alike, byte for byte (A3)", async () => {
    for (const { options } of dialects) {
      const service = await makeService(options);
      for (const { method, path } of service.service.routes) {
        if (!path.includes("{id}")) continue;
        const ask = async (id: string) => {
          const call = { token: service.mine.text, json: { name: "x" } };
          const { status, headers, text } = await service.call(method, pathOf(path, id), call);
          return JSON.stringify([status, [...headers], text]);
        };
        expect(await ask(service.his.token.id)).toBe(await ask(NOBODYS_ID));
      }
      const asker = await issue(service.auth, service.bob, { scopes: ["tokens:introspect"] });
      const describe = async (token: string) =>
        (await service.call("POST", "/introspect/", { token: asker.text, json: { token } })).text;
      const gone = await issue(service.auth, "nobody");
      expect(await describe(gone.text)).toBe(await describe("lk_typo"));
    }
  });
});

describe("when they end", () => {
  it("GHSA-2vg6-77g8-24mp: no token survives the end of its user, on any server, however warm (A10)", async () => {
    const ends = [
      deleteUser,
      (auth: Parameters<typeof deleteUser>[0], id: string) => setActive(auth, id, false),
    ] as const;
    for (const end of ends) {
      const store = memoryStore();
      const options = { store, onLogin: "reuse", secret: SECRET } as const;
      const { auth } = makeAuth(options);
      const elsewhere = makeAuth(options).auth;
      const ada = await makeUser(auth, "ada");
      const texts = [
        (await issue(auth, ada)).text,
        (await issue(auth, ada, { expiresIn: null })).text,
        must(await grantToken(auth, ada)).text.reveal(),
      ];
      texts.push(must(await rotateToken(auth, texts[0] ?? "")).text.reveal());
      for (const text of texts) {
        expect([await reasonOf(auth, text), await reasonOf(elsewhere, text)]).toEqual(["ok", "ok"]);
      }
      await end(auth, ada.id);
      // One that is made for the user who was looked up before.
      texts.push((await issue(auth, ada)).text);
      for (const text of texts) {
        expect(await reasonOf(auth, text)).not.toBe("ok");
        expect(await reasonOf(elsewhere, text)).not.toBe("ok");
      }
    }
  });

  it("GHSA-392p-2q2v-4372, GHSA-pw9m-5jxm-xr6h: of rotations at once one wins, and a replay ends the family (A12, R4)", async () => {
    const { auth, clock } = makeAuth({ rotationOverlap: MINUTE });
    const { text } = await issue(auth, await makeUser(auth, "ada"));
    const rotated = await Promise.all(Array.from({ length: 20 }, () => rotateToken(auth, text)));
    const successors = new Set(rotated.map((result) => must(result).text.reveal()));
    expect(successors.size).toBe(1);
    const [successor = ""] = successors;
    const next = must(await rotateToken(auth, successor)).text.reveal();
    clock.now += MINUTE;
    expect(await reasonOf(auth, next)).toBe("ok");
    expect(await reasonOf(auth, text)).toBe("rotated_token");
    const ended = [await reasonOf(auth, successor), await reasonOf(auth, next)];
    expect(ended).toEqual(["revoked_token", "revoked_token"]);
    expect((await rotateToken(auth, next)).ok).toBe(false);
  });

  // We change no addresses: a password and the tokens that end with it are the pair we change as one.
  it("CVE-2026-32700 / GHSA-57hq-95w6-v4fc: of two password changes at once one wins, and the tokens are that one's (R9)", async () => {
    for (let round = 0; round < 10; round++) {
      const { auth } = makeAuth();
      const ada = await makeUser(auth, "ada");
      const before = await issue(auth, ada);
      const changes = await Promise.all(["first", "second"].map(async (next) => {
        const replacement = { current: "ada-password", next: `${next} new password` };
        const changed = await changePassword(auth, ada.id, replacement);
        if (!changed.ok) return { next: replacement.next, reason: changed.failure.reason };
        const granted = must(await grantToken(auth, changed.value));
        return { next: replacement.next, reason: await reasonOf(auth, granted) };
      }));
      expect(changes.map(({ reason }) => reason).sort()).toEqual(["changed_meanwhile", "ok"]);
      for (const { next: password, reason } of changes) {
        const { ok } = await verifyPassword(auth, { username: "ada", password });
        expect(ok).toBe(reason === "ok");
      }
      expect((await verifyPassword(auth, { username: "ada", password: "ada-password" })).ok)
        .toBe(false);
      expect(await reasonOf(auth, before.text)).toBe("revoked_token");
    }
  });

  it("(unpublished, found here) keypal: a use cannot undo a revocation, a warm token of an inactive user fails, no other scheme counts (R3, A10, H4)", async () => {
    const store = memoryStore();
    const { auth, clock } = makeAuth({ store, touchInterval: 1 });
    const ada = await makeUser(auth, "ada");
    const [one, two] = [await issue(auth, ada), await issue(auth, ada)];
    const guard = createGuard(auth);
    const ask = async (header: string) =>
      (await guard({ method: "GET", headers: new Headers({ Authorization: header }) })).ok;
    expect(await ask(`Token ${one.text}`)).toBe(true);
    for (const scheme of ["Basic", "Bearer", "Digest", "Negotiate", "TokenX", "X", ""]) {
      expect(await ask(`${scheme} ${one.text}`), scheme).toBe(false);
    }
    await store.revokeToken(one.token.id, { at: clock.now, reason: "revoked" });
    await store.touchTokens([{ id: one.token.id, usedAt: clock.now + 5 }]);
    expect(await ask(`Token ${one.text}`)).toBe(false);
    expect(await ask(`Token ${two.text}`)).toBe(true);
    await store.setActive(ada.id, false, { newEpoch: false });
    expect(await ask(`Token ${two.text}`)).toBe(false);
  });
});

describe("what is decided at every request", () => {
  it("GHSA-qvp4-rpmr-xwrr (CVE-2021-32701 from memory): a token that has just passed with one scope does not pass where another is asked for (C7)", async () => {
    const { auth } = makeAuth();
    const { text } = await issue(auth, await makeUser(auth, "ada"), { scopes: ["a"] });
    const headers = new Headers({ Authorization: `Token ${text}` });
    const [first, second] = ["a", "b"].map((scope) =>
      createGuard(auth, { permissions: [hasScopes([scope])] })
    );
    for (let round = 0; round < 3; round++) {
      expect(await first?.({ method: "GET", headers })).toMatchObject({ ok: true });
      expect(await second?.({ method: "GET", headers })).toMatchObject({
        failure: { status: 403 },
      });
    }
  });

  // We know no levels of assurance: the scopes and the staff flag are what a route asks for beyond a user.
  it("GHSA-wc43-73w7-x2f5: what a token may do and who its user is are asked anew at every request (C7)", async () => {
    const inner = memoryStore();
    const now: { isStaff: boolean; scopes: readonly string[] } = { isStaff: true, scopes: ["a"] };
    const change = (found: unknown) => ({
      ...Object(found),
      token: { ...Object(Reflect.get(Object(found), "token")), scopes: now.scopes },
    });
    const users = new Map<string, User>();
    const { auth } = makeAuth({
      store: alterVerb(inner, "findToken", change),
      findUser: async (id) => {
        const user = users.get(id);
        return user === undefined ? null : { ...user, isStaff: now.isStaff };
      },
    });
    const ada = await makeUser(auth, "ada", true);
    users.set(ada.id, ada);
    const { text } = await issue(auth, ada, { scopes: ["a"] });
    const headers = new Headers({ Authorization: `Token ${text}` });
    const guard = createGuard(auth, { permissions: [isAdminUser, hasScopes(["a"])] });
    const ask = async (): Promise<Principal | number> => {
      const result = await guard({ method: "GET", headers });
      return result.ok ? result.value : result.failure.status;
    };
    expect(await ask()).toMatchObject({ user: { isStaff: true }, token: { scopes: ["a"] } });
    now.isStaff = false;
    expect(await ask()).toBe(403);
    now.isStaff = true;
    now.scopes = [];
    expect(await ask()).toBe(403);
    now.scopes = ["a"];
    expect(await ask()).toMatchObject({ user: { isStaff: true } });
  });
});
