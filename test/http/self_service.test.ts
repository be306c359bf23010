import {
  createSelfService,
  type Dialect,
  drf,
  hasScopes,
  listTokens,
  type SelfServiceOptions,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, START } from "../fixture.ts";
import { issue } from "./issue.ts";
import { makeService, read, readText, send, type Service } from "./service.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const NOBODYS_ID = "0000000000000000000000";
const NOT_FOUND = '{"detail":"Not found."}';
const INVALID = '{"detail":"Invalid token."}';

/** Whether a token holds, asked of the library and not of the service. */
async function holds({ auth }: Service, text: string): Promise<boolean> {
  return (await verifyToken(auth, text)).ok;
}

/** All that is stored, to compare before and after. */
async function snapshot({ store, ada, bob }: Service): Promise<string> {
  const kept = [];
  for (const { id } of [ada, bob]) {
    kept.push(await store.listTokens(id, { limit: 1_000 }), await store.findUser(id));
  }
  return JSON.stringify(kept);
}

describe("POST /login/", () => {
  it("gives a token with the scopes and lifetime that were configured", async () => {
    const service = await makeService({}, { login: { scopes: ["read"], expiresIn: MINUTE } });
    const json = { username: "ada", password: "ada-password" };
    const reply = await service.call("POST", "/login/", { json });
    expect(reply.status).toBe(200);
    const verified = await verifyToken(service.auth, readText(reply.body, "token"));
    expect(verified).toMatchObject({
      value: { token: { owner: service.ada.id, scopes: ["read"], expiresAt: START + MINUTE } },
    });
  });

  it("refuses what does not match with one answer, and says when there is no room", async () => {
    const service = await makeService({ tokenLimit: 1 });
    const login = (username: string, password: string) =>
      service.call("POST", "/login/", { json: { username, password } });
    const wrong = await login("ada", "x");
    expect([wrong.status, (await login("eve", "x")).text]).toEqual([400, wrong.text]);
    expect(await login("ada", "ada-password")).toMatchObject({ status: 403 });
  });
});

describe("POST /logout/", () => {
  it("revokes the token that asks, all of the user's, or all others", async () => {
    const one = await makeService();
    const other = await issue(one.auth, one.ada);
    expect(await one.call("POST", "/logout/", { token: one.mine.text }))
      .toMatchObject({ status: 204, text: "" });
    expect([await holds(one, one.mine.text), await holds(one, other.text)]).toEqual([false, true]);
    expect((await one.call("POST", "/logout/", { token: one.mine.text })).status).toBe(401);

    const all = await makeService();
    const more = await issue(all.auth, all.ada);
    expect((await all.call("POST", "/logout/all/", { token: all.mine.text })).status).toBe(204);
    expect([await holds(all, all.mine.text), await holds(all, more.text)]).toEqual([false, false]);
    expect(await holds(all, all.his.text)).toBe(true);

    const others = await makeService();
    const third = await issue(others.auth, others.ada);
    expect((await others.call("POST", "/logout/others/", { token: others.mine.text })).status)
      .toBe(204);
    expect([await holds(others, others.mine.text), await holds(others, third.text)])
      .toEqual([true, false]);
    expect(await holds(others, others.his.text)).toBe(true);
  });
});

describe("GET /me/", () => {
  it("tells whose the token is and what it may do, with times as texts", async () => {
    const service = await makeService();
    const { body } = await service.call("GET", "/me/", { token: service.mine.text });
    expect(body).toEqual({
      user: { id: service.ada.id, username: "ada", is_staff: false, is_superuser: false },
      token: {
        id: service.mine.token.id,
        name: "laptop",
        hint: service.mine.text.slice(0, 7),
        scopes: ["read", "tokens:write"],
        created_at: "2027-01-15T08:00:00.000Z",
        last_used_at: null,
        expires_at: "2027-02-14T08:00:00.000Z",
      },
    });
  });

  it("can write down any instant that a token may end at", async () => {
    const service = await makeService();
    for (const expiresIn of [null, 3_155_760_000_000_000]) {
      const { text } = await issue(service.auth, service.ada, { expiresIn });
      expect((await service.call("GET", "/me/", { token: text })).status).toBe(200);
      expect((await service.call("GET", "/tokens/", { token: text })).status).toBe(200);
    }
  });
});

describe("POST /password/", () => {
  const change = (current: string, next: string) => ({
    json: { current_password: current, new_password: next },
  });

  it("changes it for whoever knows it, revokes every token and gives another", async () => {
    const service = await makeService();
    const token = service.mine.text;
    const reply = await service.call("POST", "/password/", {
      token,
      ...change("ada-password", "another password"),
    });
    expect(reply.status).toBe(200);
    const fresh = await verifyToken(service.auth, readText(reply.body, "token"));
    expect(fresh).toMatchObject({ value: { token: { scopes: ["read", "tokens:write"] } } });
    expect([await holds(service, token), await holds(service, service.his.text)])
      .toEqual([false, true]);
    const login = (password: string) =>
      service.call("POST", "/login/", { json: { username: "ada", password } });
    expect((await login("ada-password")).status).toBe(400);
    expect((await login("another password")).status).toBe(200);
  });

  it.each<[string, string, string, string]>([
    ["a wrong current password", "x", "another", '{"current_password":['],
    ["one above the cap", "x".repeat(5_000), "another", '{"current_password":['],
    ["a new one above the cap", "ada-password", "x".repeat(5_000), '{"new_password":['],
    ["a blank new one", "ada-password", "", '{"new_password":["This field may not be blank."'],
  ])("P11: changes nothing for %s", async (_title, current, next, start) => {
    const service = await makeService();
    const before = await snapshot(service);
    const options = { token: service.mine.text, ...change(current, next) };
    const reply = await service.call("POST", "/password/", options);
    expect([reply.status, reply.text.startsWith(start)]).toEqual([400, true]);
    expect(await snapshot(service)).toBe(before);
  });

  it("R9: answers 409 to whoever was overtaken", async () => {
    const store = { ...memoryStore(), replacePassword: () => Promise.resolve(false) };
    const service = await makeService({ store });
    const options = { token: service.mine.text, ...change("ada-password", "another") };
    expect((await service.call("POST", "/password/", options)).status).toBe(409);
    expect(await holds(service, service.mine.text)).toBe(true);
  });
});

describe("GET /tokens/", () => {
  async function listAll(service: Service, query: string) {
    const ids: string[] = [];
    for (let cursor: string | null = "", pages = 0; cursor !== null && pages < 100; pages++) {
      const after: string = cursor === "" ? "" : `&cursor=${cursor}`;
      const { status, body } = await service.call("GET", `/tokens/?${query}${after}`, {
        token: service.mine.text,
      });
      expect(status).toBe(200);
      const tokens = read(body, "tokens");
      if (!Array.isArray(tokens)) throw new Error("no list");
      ids.push(...tokens.map((token) => readText(token, "id")));
      const next = read(body, "next");
      cursor = typeof next === "string" ? next : null;
    }
    return ids;
  }

  it("lists the user's own tokens in parts until the end, each once, the newest first", async () => {
    const service = await makeService();
    const made = [service.mine.token.id];
    for (let count = 0; count < 29; count++) {
      if (count % 3 === 0) service.clock.now += 1;
      made.push((await issue(service.auth, service.ada)).token.id);
      await issue(service.auth, service.bob);
    }
    for (const query of ["limit=1", "limit=7", "limit=30", "limit=100", "limit=15", ""]) {
      const ids = await listAll(service, query);
      expect([ids.length, new Set(ids)], query).toEqual([30, new Set(made)]);
      expect(ids.at(-1)).toBe(service.mine.token.id);
    }
  });

  it("L5: shows what is known of each and nothing that could be used", async () => {
    const service = await makeService();
    const { text, token } = await issue(service.auth, service.ada, { name: "old", expiresIn: 1 });
    service.clock.now += 1;
    const { body } = await service.call("GET", "/tokens/", { token: service.mine.text });
    expect(read(body, "next")).toBeNull();
    const listed = read(body, "tokens");
    const first = Array.isArray(listed)
      ? listed.find((each) => read(each, "id") === token.id)
      : undefined;
    expect(first).toEqual({
      id: token.id,
      name: "old",
      hint: text.slice(0, 7),
      scopes: [],
      created_at: new Date(START).toISOString(),
      last_used_at: null,
      expires_at: new Date(START + 1).toISOString(),
      status: "expired",
      revoked_at: null,
      revoked_reason: null,
      current: false,
    });
    expect(JSON.stringify(listed)).toContain('"current":true');
  });

  it.each(["0", "101", "-1", "1.5", "abc", "", "1e2", "010", "9999999999", "%00"])(
    "D4: refuses the limit %j",
    async (limit) => {
      const service = await makeService();
      const path = `/tokens/?limit=${limit}`;
      expect(await service.call("GET", path, { token: service.mine.text })).toMatchObject({
        status: 400,
        body: { limit: ["Ensure this value is a whole number from 1 to 100."] },
      });
    },
  );

  it("D4: refuses a cursor that was tampered with, and another user's shows nothing of theirs", async () => {
    const service = await makeService();
    for (let count = 0; count < 3; count++) await issue(service.auth, service.bob);
    const list = await listTokens(service.auth, service.bob.id, { limit: 2 });
    const cursor = list.ok ? list.value.next ?? "" : "";
    expect(cursor).not.toBe("");
    const get = (value: string) =>
      service.call("GET", `/tokens/?cursor=${encodeURIComponent(value)}`, {
        token: service.mine.text,
      });
    const foreign = await get(cursor);
    expect(foreign.status).toBe(200);
    expect(foreign.text).not.toContain("phone");
    const tampered = [
      `${cursor}A`,
      cursor.slice(1),
      `${cursor}=`,
      "",
      "%",
      "null",
      "x".repeat(4_000),
    ];
    for (const wrong of tampered) {
      expect(await get(wrong), wrong).toMatchObject({
        status: 400,
        body: { cursor: ["Not a valid cursor."] },
      });
    }
  });
});

describe("POST /tokens/", () => {
  it("makes a token whose text is shown once, with a part of the scopes", async () => {
    const service = await makeService();
    const { status, body } = await service.call("POST", "/tokens/", {
      token: service.mine.text,
      json: { name: " script ", scopes: ["read"], expires_in: 60 },
    });
    expect([status, read(body, "name"), read(body, "scopes")]).toEqual([201, "script", ["read"]]);
    expect(read(body, "expires_at")).toBe(new Date(START + MINUTE).toISOString());
    const verified = await verifyToken(service.auth, readText(body, "token"));
    expect(verified).toMatchObject({
      value: {
        user: { id: service.ada.id },
        token: { name: "script", scopes: ["read"], expiresAt: START + MINUTE },
      },
    });
  });

  it("needs nothing in the body, and gives no scope that was not asked for", async () => {
    const service = await makeService();
    for (const options of [{ json: {} }, {}, { form: { name: "form" } }]) {
      const { status, body } = await service.call("POST", "/tokens/", {
        token: service.mine.text,
        ...options,
      });
      expect([status, read(body, "scopes")]).toEqual([201, []]);
    }
  });

  it.each<[string, unknown, number]>([
    ["an unknown scope", ["nonsense"], 400],
    ["A5: one with a space", ["read write"], 400],
    ["A5: an empty one", [""], 400],
    ["A5: a wildcard", ["*"], 400],
    ["A5: another case", ["READ"], 400],
    ["A5: names of objects", ["__proto__", "constructor"], 400],
    ["A5: line breaks", ["read\r\nSet-Cookie: a=b"], 400],
    ["A5: 10,000 unknown ones", Array.from({ length: 5_000 }, (_, index) => `s${index}`), 400],
    ["A5: one 10,000 times", Array.from({ length: 9_000 }, () => "read"), 400],
    ["A5: a text", "read", 400],
    ["A5: numbers", [1, 2], 400],
    ["null", null, 400],
    ["A4: one that the token has not", ["read", "read:all"], 403],
    ["A5: one twice", ["read", "read"], 201],
  ])("answers to %s", async (_title, scopes, status) => {
    const service = await makeService();
    const before = await snapshot(service);
    const reply = await service.call("POST", "/tokens/", {
      token: service.mine.text,
      json: { scopes },
    });
    expect(reply.status).toBe(status);
    if (status === 201) expect(read(reply.body, "scopes")).toEqual(["read"]);
    else expect(await snapshot(service)).toBe(before);
  });

  it("A5: refuses what is no scope also where none are declared", async () => {
    const { auth } = makeAuth();
    const { text } = await issue(auth, await makeUser(auth, "ada"), { scopes: ["read"] });
    const { endpoint } = createSelfService(auth);
    const many = Array.from({ length: 65 }, (_, index) => `s${index}`);
    for (
      const [scopes, status] of [
        [["read"], 201],
        [["write"], 403],
        [["read write"], 400],
        [["é"], 400],
        [["a\r\nb"], 400],
        [[""], 400],
        [many, 400],
      ] as const
    ) {
      const reply = await send(endpoint, auth, "POST", "/tokens/", {
        token: text,
        json: { scopes },
      });
      expect(reply.status, String(scopes)).toBe(status);
    }
  });

  it.each([0, -1, 1.5, "60", null, true, [60], 1e20, 3_155_760_001])(
    "A7: refuses a lifetime of %j seconds",
    async (expires_in) => {
      const service = await makeService();
      const reply = await service.call("POST", "/tokens/", {
        token: service.mine.text,
        json: { expires_in },
      });
      expect([reply.status, Object.keys(Object(reply.body))]).toEqual([400, ["expires_in"]]);
    },
  );

  it("A4: never lives longer than the token that makes it", async () => {
    const service = await makeService({ tokenLifetime: 100 * DAY });
    const short = await issue(service.auth, service.ada, { expiresIn: DAY });
    for (const json of [{}, { expires_in: 3_155_760_000 }]) {
      const { body } = await service.call("POST", "/tokens/", { token: short.text, json });
      expect(read(body, "expires_at")).toBe(new Date(START + DAY).toISOString());
    }
  });

  it("answers 403 at the limit", async () => {
    const service = await makeService({ tokenLimit: 2 });
    const create = () => service.call("POST", "/tokens/", { token: service.mine.text, json: {} });
    expect([(await create()).status, (await create()).status]).toEqual([201, 403]);
  });

  it.each(["a\nb", "\u0000", "x".repeat(101), "\u202e", "\u2028", "  ", 1.5e400, {}, null])(
    "L8: refuses the name %j",
    async (name) => {
      const service = await makeService();
      const json = `{"name":${JSON.stringify(name)}}`;
      const reply = await service.call("POST", "/tokens/", { token: service.mine.text, json });
      expect([reply.status, Object.keys(Object(reply.body))]).toEqual([400, ["name"]]);
    },
  );
});

describe("/tokens/{id}/", () => {
  it("renames and revokes a token of one's own", async () => {
    const service = await makeService();
    const { mine, call } = service;
    const other = await issue(service.auth, service.ada);
    const path = `/tokens/${other.token.id}/`;
    expect(await call("PATCH", path, { token: mine.text, json: { name: "renamed" } }))
      .toMatchObject({ status: 204, text: "" });
    const { text } = await call("GET", "/tokens/", { token: mine.text });
    expect(text).toContain('"name":"renamed"');
    expect((await call("PATCH", path, { token: mine.text, json: {} })).status).toBe(400);
    expect((await call("DELETE", path, { token: mine.text })).status).toBe(204);
    expect(await holds(service, other.text)).toBe(false);
    expect((await call("DELETE", path, { token: mine.text })).status).toBe(404);
    expect((await call("PATCH", path, { token: mine.text, json: { name: "x" } })).status).toBe(404);
  });

  it("A3: answers another user's id as an unknown one, byte for byte, and changes nothing", async () => {
    const service = await makeService();
    const before = await snapshot(service);
    for (const [method, options] of [["DELETE", {}], ["PATCH", { json: { name: "x" } }]] as const) {
      const ask = async (id: string) => {
        const { status, headers, text } = await service.call(method, `/tokens/${id}/`, {
          token: service.mine.text,
          ...options,
        });
        return JSON.stringify([status, [...headers], text]);
      };
      const foreign = await ask(service.his.token.id);
      expect(foreign).toBe(await ask(NOBODYS_ID));
      expect(foreign).toContain("404");
    }
    expect(await snapshot(service)).toBe(before);
  });

  it.each(["..%2f", "%00", "a b", "a'--", "é", "x".repeat(65), "a/b", "{id}", "-", "__proto__"])(
    "answers 404 to the id %j",
    async (id) => {
      const service = await makeService();
      const { status, text } = await service.call("DELETE", `/tokens/${id}/`, {
        token: service.mine.text,
      });
      expect([status, text]).toEqual([404, NOT_FOUND]);
    },
  );
});

describe("POST /tokens/rotate/", () => {
  it("A12: gives one successor, lets both hold for a while, and ends the family at reuse", async () => {
    const service = await makeService({ rotationOverlap: MINUTE });
    const rotate = () => service.call("POST", "/tokens/rotate/", { token: service.mine.text });
    const first = await rotate();
    const successor = readText(first.body, "token");
    expect(successor).not.toBe(service.mine.text);
    service.clock.now += MINUTE - 1;
    expect([(await rotate()).text, first.status]).toEqual([first.text, 200]);
    const both = [await holds(service, service.mine.text), await holds(service, successor)];
    expect(both).toEqual([true, true]);
    const me = await service.call("GET", "/me/", { token: successor });
    expect(me.body).toMatchObject({
      token: { name: "laptop", scopes: ["read", "tokens:write"] },
    });
    service.clock.now += 1;
    const reused = await rotate();
    expect([reused.status, reused.text]).toEqual([401, INVALID]);
    expect(await holds(service, successor)).toBe(false);
    expect(await holds(service, service.his.text)).toBe(true);
  });
});

describe("POST /revoke/ (RFC 7009)", () => {
  it.each(["json", "form"] as const)(
    "revokes the token in a body of %s for whoever holds it",
    async (kind) => {
      const service = await makeService();
      const token = service.mine.text;
      const revoke = () => service.call("POST", "/revoke/", { [kind]: { token } });
      expect(await revoke()).toMatchObject({ status: 200, text: "" });
      expect(await holds(service, token)).toBe(false);
      expect(await holds(service, service.his.text)).toBe(true);
      expect(await revoke()).toMatchObject({ status: 200, text: "" });
    },
  );

  it("A11: answers 200 to what does not hold, and 400 where there is no token", async () => {
    const service = await makeService();
    const unknown = (await issue((await makeService()).auth, "1")).text;
    const hints = ["access_token", "refresh_token", "nonsense"];
    for (const token of [unknown, "nonsense", "", "\u0000", "x".repeat(10_000)]) {
      for (const token_type_hint of hints) {
        const json = { token, token_type_hint };
        expect((await service.call("POST", "/revoke/", { json })).status).toBe(200);
      }
    }
    const json = [{}, { token: null }, { token: { $ne: null } }, { token: ["x"] }, { token: 1 }];
    for (const body of json) {
      expect(await service.call("POST", "/revoke/", { json: body })).toMatchObject({
        status: 400,
        body: { token: expect.anything() },
      });
    }
    const form = { "token[]": service.mine.text };
    expect((await service.call("POST", "/revoke/", { form })).status).toBe(400);
    expect(await holds(service, service.mine.text)).toBe(true);
  });
});

describe("POST /introspect/ (RFC 7662)", () => {
  it("is not there unless it was asked for", async () => {
    const service = await makeService({}, {});
    const reply = await service.call("POST", "/introspect/", {
      token: service.mine.text,
      json: { token: service.mine.text },
    });
    expect([reply.status, reply.text]).toEqual([404, NOT_FOUND]);
    expect(Object.keys(service.service.endpoints)).not.toContain("introspect");
  });

  it("A14: tells whoever has the scope whose a token is, in seconds", async () => {
    const service = await makeService();
    const asker = await issue(service.auth, service.bob, { scopes: ["tokens:introspect"] });
    const ask = (token: string, by?: string) =>
      service.call("POST", "/introspect/", { token: by, form: { token } });
    expect((await ask(service.mine.text)).status).toBe(401);
    expect((await ask(service.mine.text, service.mine.text)).status).toBe(403);
    expect((await ask(service.mine.text, asker.text)).body).toEqual({
      active: true,
      scope: "read tokens:write",
      username: "ada",
      sub: service.ada.id,
      jti: service.mine.token.id,
      token_type: "Token",
      iat: START / 1000,
      exp: (START + 30 * DAY) / 1000,
    });
    const forever = await issue(service.auth, service.ada, { expiresIn: null });
    expect(read((await ask(forever.text, asker.text)).body, "exp")).toBeUndefined();
  });

  it("A14: says of everything that does not hold that it is not active, and nothing else", async () => {
    const service = await makeService();
    const asker = await issue(service.auth, service.bob, { scopes: ["tokens:introspect"] });
    const elsewhere = (await issue((await makeService()).auth, "1")).text;
    const expired = await issue(service.auth, service.ada, { expiresIn: 1 });
    const revoked = await issue(service.auth, service.ada);
    const rotated = await issue(service.auth, service.ada);
    const orphan = await issue(service.auth, "nobody");
    await service.call("POST", "/logout/", { token: revoked.text });
    await service.call("POST", "/tokens/rotate/", { token: rotated.text });
    service.clock.now += 2 * MINUTE;
    const dead = [expired, revoked, rotated, orphan].map(({ text }) => text);
    for (const token of [...dead, elsewhere, "nonsense", "", "\u0000"]) {
      const reply = await service.call("POST", "/introspect/", {
        token: asker.text,
        json: { token },
      });
      expect([reply.status, reply.text]).toEqual([200, '{"active":false}']);
    }
  });
});

describe("what a body says", () => {
  /** Everything that nobody but the service decides. */
  const claims = (victim: Service["bob"], { token }: Service["his"]) => ({
    userId: victim.id,
    user_id: victim.id,
    subject: victim.id,
    ownerId: victim.id,
    owner: victim.id,
    username: victim.username,
    expiresAt: null,
    id: token.id,
    hash: "0".repeat(64),
    digest: "0".repeat(64),
    createdAt: 0,
    lastUsedAt: 0,
    revokedAt: null,
    epoch: 99,
    family: token.id,
    slot: "login",
    isStaff: true,
    __proto__: { owner: victim.id },
  });
  const guardedCalls = [
    ["POST", "/tokens/"],
    ["POST", "/tokens/rotate/"],
    ["PATCH", "/tokens/{id}/"],
    ["DELETE", "/tokens/{id}/"],
    ["GET", "/tokens/"],
    ["GET", "/me/"],
    ["POST", "/logout/"],
    ["POST", "/logout/all/"],
    ["POST", "/logout/others/"],
    ["POST", "/password/"],
  ] as const;

  it.each(guardedCalls)("A1: is not even read without credentials: %s %s", async (method, path) => {
    const service = await makeService();
    const before = await snapshot(service);
    const json = {
      ...claims(service.bob, service.his),
      scopes: ["read"],
      name: "x",
      token: service.his.text,
      current_password: "bob-password",
      new_password: "stolen",
    };
    const place = path.replace("{id}", service.his.token.id);
    const reply = await service.call(method, place, method === "GET" ? {} : { json });
    expect([reply.status, await snapshot(service)]).toEqual([401, before]);
  });

  it("A2: cannot name an owner, an id, a digest or a time", async () => {
    const service = await makeService();
    const { mine, ada, bob, store, call } = service;
    const bobs = JSON.stringify(await store.listTokens(bob.id, { limit: 100 }));
    const json = { ...claims(bob, service.his), name: "mine" };
    const created = await call("POST", "/tokens/", { token: mine.text, json });
    expect(created.status).toBe(201);
    const id = readText(created.body, "id");
    const record = (await store.listTokens(ada.id, { limit: 100 }))
      .find(({ token }) => token.id === id)?.token;
    expect(record).toMatchObject({ owner: ada.id, name: "mine", scopes: [], epoch: 0, slot: null });
    expect(record).toMatchObject({ createdAt: START, expiresAt: START + 30 * DAY, family: id });
    expect(record?.digest).not.toBe("0".repeat(64));
    const path = `/tokens/${id}/`;
    expect((await call("PATCH", path, { token: mine.text, json })).status).toBe(204);
    expect((await call("POST", "/tokens/rotate/", { token: mine.text, json })).status).toBe(200);
    const query = `/tokens/?owner=${bob.id}&userId=${bob.id}`;
    expect((await call("GET", query, { token: mine.text })).text).not.toContain("phone");
    expect((await call("DELETE", path, { token: mine.text, json })).status).toBe(204);
    expect((await call("POST", "/logout/others/", { token: mine.text, json })).status).toBe(204);
    expect((await call("POST", "/logout/all/", { token: mine.text, json })).status).toBe(204);
    expect(JSON.stringify(await store.listTokens(bob.id, { limit: 100 }))).toBe(bobs);
    expect(Reflect.get({}, "owner")).toBeUndefined();
  });
});

describe("manage", () => {
  const options: SelfServiceOptions = { manage: [hasScopes(["tokens:write"])] };

  it("A4: keeps a token without the scope from looking after tokens, not from its own end", async () => {
    const service = await makeService({}, options);
    const token = (await issue(service.auth, service.ada, { scopes: ["read"] })).text;
    const before = await snapshot(service);
    const managed = [
      ["GET", "/tokens/", {}],
      ["POST", "/tokens/", { json: {} }],
      ["PATCH", `/tokens/${service.mine.token.id}/`, { json: { name: "x" } }],
      ["DELETE", `/tokens/${service.mine.token.id}/`, {}],
      ["POST", "/tokens/rotate/", {}],
      ["POST", "/logout/all/", {}],
      ["POST", "/logout/others/", {}],
      ["POST", "/password/", {
        json: { current_password: "ada-password", new_password: "another" },
      }],
    ] as const;
    for (const [method, path, more] of managed) {
      const reply = await service.call(method, path, { token, ...more });
      expect(reply.status, `${method} ${path}`).toBe(403);
    }
    expect(await snapshot(service)).toBe(before);
    expect((await service.call("GET", "/me/", { token })).status).toBe(200);
    expect((await service.call("POST", "/logout/", { token })).status).toBe(204);
    const allowed = { token: service.mine.text };
    expect((await service.call("GET", "/tokens/", allowed)).status).toBe(200);
  });

  it("refuses as its guard does: with the guard's challenge, or with none", async () => {
    for (const [challenge, expected] of [[true, "Bearer"], [false, null]] as const) {
      const dialect: Dialect = {
        ...drf(),
        deny: (_denial, scheme) => ({
          status: 418,
          headers: { "X-Scheme": `${scheme}` },
          body: null,
        }),
      };
      const { auth } = makeAuth({ dialect });
      const { endpoint } = createSelfService(auth, { schemes: ["Bearer", "Token"], challenge });
      const { text } = await issue(auth, await makeUser(auth, "ada"));
      const reply = await send(endpoint, auth, "DELETE", `/tokens/${NOBODYS_ID}/`, { token: text });
      expect(reply.headers.get("X-Scheme")).toBe(`${expected}`);
    }
  });
});
