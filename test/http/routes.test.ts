import {
  createSelfService,
  hasScopes,
  type Route,
  type SelfServiceOptions,
  type Store,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth } from "../fixture.ts";
import { issue } from "./issue.ts";
import { type CallOptions, dialects, makeService, read, send } from "./service.ts";

const { service } = await makeService();
const everyRoute = service.routes.map((route) => ({
  ...route,
  title: `${route.method} ${route.path}`,
}));

/** The methods of each path, as `Allow` must list them. */
const allowed = new Map<string, string>();
for (const { path } of everyRoute) {
  const methods = everyRoute.filter((route) => route.path === path).map(({ method }) => method);
  const head = methods.includes("GET") ? ["HEAD"] : [];
  allowed.set(path, [...methods, ...head, "OPTIONS"].join(", "));
}

/** A request that a route answers with success. */
function goodCall({ name, path }: Route, token: string, id: string): [string, CallOptions] {
  const bodies: Readonly<Record<string, unknown>> = {
    login: { username: "ada", password: "ada-password" },
    changePassword: { current_password: "ada-password", new_password: "another" },
    createToken: {},
    renameToken: { name: "x" },
    revoke: { token },
    introspect: { token },
  };
  return [path.replace("{id}", id), { token, json: bodies[name] }];
}

describe("the self-service", () => {
  it("has these routes", () => {
    expect(everyRoute.map(({ name, title }) => `${name}: ${title}`)).toEqual([
      "login: POST /login/",
      "logout: POST /logout/",
      "whoAmI: GET /me/",
      "changePassword: POST /password/",
      "listTokens: GET /tokens/",
      "createToken: POST /tokens/",
      "renameToken: PATCH /tokens/{id}/",
      "revokeToken: DELETE /tokens/{id}/",
      "rotateToken: POST /tokens/rotate/",
      "logoutAll: POST /logout/all/",
      "logoutOthers: POST /logout/others/",
      "revoke: POST /revoke/",
      "introspect: POST /introspect/",
    ]);
    expect(Object.keys(service.endpoints)).toEqual(service.routes.map(({ name }) => name));
  });

  describe.each(everyRoute)("$title", (route) => {
    const options: SelfServiceOptions = { introspect: [hasScopes(["read"])] };

    it("answers with success, below the mount and on its own, with or without the last slash", async () => {
      const statuses: number[] = [];
      for (const isMounted of [true, false]) {
        for (const hasSlash of [true, false]) {
          const { auth, service, mine, ada } = await makeService({}, {
            ...options,
            basePath: "/api/v1.0/~auth",
          });
          const other = await issue(auth, ada);
          const [path, call] = goodCall(route, mine.text, other.token.id);
          const endpoint = isMounted ? service.endpoint : service.endpoints[route.name];
          if (endpoint === undefined) throw new Error("no endpoint");
          const full = isMounted ? `/api/v1.0/~auth${path}` : `/elsewhere${path}`;
          const place = hasSlash ? full : full.slice(0, -1);
          const reply = await send(endpoint, auth, route.method, place, call);
          statuses.push(reply.status);
          expect(reply.headers.get("Cache-Control")).toBe("no-store");
        }
      }
      const successes = Object.keys(route.answers).map(Number).filter((status) => status < 300);
      expect(successes).toHaveLength(1);
      expect(statuses).toEqual(Array(4).fill(successes[0]));
    });

    it("J7: answers every other method with 405 and what is allowed", async () => {
      const { call, mine } = await makeService({}, options);
      const path = route.path.replace("{id}", mine.token.id);
      const allow = allowed.get(route.path) ?? "";
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
        if (allow.split(", ").includes(method)) continue;
        const reply = await call(method, path, { token: mine.text });
        expect([reply.status, reply.headers.get("Allow")], method).toEqual([405, allow]);
        if (method === "HEAD") expect(reply.text).toBe("");
      }
      const described = await call("OPTIONS", path);
      expect([200, 204]).toContain(described.status);
      expect(described.headers.get("Allow")).toBe(allow);
      const good = await call(...alike(route, mine.text, mine.token.id));
      expect(good.headers.get("Allow")).toBe(allow);
    });

    it.each(dialects)("answers 401 without a token that holds, in $name, if it is guarded", async (
      { options: dialect },
    ) => {
      const { call, mine } = await makeService(dialect, options);
      const [path, good] = goodCall(route, mine.text, mine.token.id);
      const anonymous = await call(route.method, path, { ...good, token: undefined });
      expect(anonymous.status === 401).toBe(route.guarded);
      const wrong = await call(route.method, path, { ...good, token: "lk_typo" });
      expect(wrong.status === 401).toBe(route.guarded);
      expect(route.guarded).toBe(401 in route.answers);
    });

    it("C4: answers 503 while the store fails, with all of the above", async () => {
      const store = memoryStore();
      const broken: Partial<Record<keyof Store, () => Promise<never>>> = {};
      for (const verb of Object.keys(store)) {
        Reflect.set(broken, verb, () => Promise.reject(new Error("SELECT secret")));
      }
      const { auth } = makeAuth({ store: { ...store, ...broken }, scopes: ["read"] });
      const made = createSelfService(auth, options);
      const text = "lk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3TQtQq";
      const [path, good] = goodCall(route, text, "0");
      const reply = await send(made.endpoint, auth, route.method, path, good);
      expect([reply.status, reply.headers.get("Retry-After")]).toEqual([503, "1"]);
      expect(reply.headers.get("Cache-Control")).toBe("no-store");
      expect(reply.text).not.toContain("SELECT");
    });
  });

  it("answers HEAD as GET, without the body", async () => {
    const { call, mine } = await makeService();
    for (const path of ["/me/", "/tokens/", "/tokens"]) {
      const got = await call("GET", path, { token: mine.text });
      const head = await call("HEAD", path, { token: mine.text });
      expect([head.status, head.text]).toEqual([200, ""]);
      expect([...head.headers]).toEqual([...got.headers]);
      expect((await call("HEAD", path)).status).toBe(401);
    }
  });

  it.each([
    "",
    "/",
    "/nowhere/",
    "//me/",
    "//x/me/",
    "/me//",
    "//",
    "///",
    "/ME/",
    "/Me",
    "/me/.",
    "/me/x",
    "/%6de/",
    "/me%2f",
    "/me%00",
    "/me;a=b",
    "/tokens//",
    "/tokens/a/b/",
    "/tokens%2frotate/",
    "/logout/ALL/",
    "/x/me/",
    "/api/me/",
    "/api/authx/me/",
    "/api/auth",
    "/api/auth//me/",
    "/api/auth%2fme/",
    "/API/auth/me/",
    "//api/auth/me/",
    "http://",
    "*",
  ])("J7: answers 404 to the target %j, at the root and below a base path", async (target) => {
    for (const basePath of ["", "/api/auth"]) {
      const { auth, mine } = await makeService();
      const { endpoint } = createSelfService(auth, { basePath });
      const headers = new Headers({ Authorization: `Token ${mine.text}` });
      // As Express hands it over: a path and no whole URL.
      const request = { method: "GET", url: target, headers, body: null, bodyUsed: false };
      const isDot = target === "/me/." && basePath === "";
      const { status, headers: sent } = await endpoint(request);
      expect([status, sent.get("Cache-Control")]).toEqual([isDot ? 200 : 404, "no-store"]);
    }
  });

  it("answers HEAD to an unknown path without a body", async () => {
    const { call } = await makeService();
    expect(await call("HEAD", "/nowhere/")).toMatchObject({ status: 404, text: "" });
  });

  it("F5: refuses when it is made a base path, a scope or a header that cannot work", () => {
    const { auth } = makeAuth({ scopes: ["read"] });
    for (const basePath of ["api", "/api/", "/", "/a b", "/a//b", "/é", "/a?b", "/..", "/a/./b"]) {
      expect(() => createSelfService(auth, { basePath }), basePath).toThrow("Cannot mount");
    }
    for (const basePath of ["", "/api", "/api/v1.0", "/~a/-_"]) {
      createSelfService(auth, { basePath });
    }
    const scopes = ["raed"];
    expect(() => createSelfService(auth, { login: { scopes } })).toThrow("is not declared");
    expect(() => createSelfService(auth, { schemes: ["a b"] })).toThrow("Cannot use this scheme");
  });
});

/** The method, path and options of a request that succeeds. */
function alike(route: Route, token: string, id: string): [string, string, CallOptions] {
  const [path, options] = goodCall(route, token, id);
  return [route.method, path, options];
}

const DEEP = "[".repeat(20_000) + "]".repeat(20_000);
const hostileBodies: readonly string[] = [
  "",
  "{",
  "null",
  "true",
  "0",
  "1e999",
  '"text"',
  "[]",
  "[[]]",
  "{}",
  DEEP,
  `{"token":${DEEP},"name":${DEEP},"scopes":${DEEP},"username":${DEEP}}`,
  '{"__proto__":{"token":"x","name":"x","username":"x","password":"x"}}',
  '{"constructor":{"prototype":{"polluted":1}},"__proto__":{"polluted":1}}',
  '{"hasOwnProperty":1,"then":1,"toString":null,"valueOf":null}',
  '{"name":{"$ne":null},"token":{"$ne":null},"username":{"$gt":""},"password":{"$gt":""}}',
  '{"name":["x"],"token":["x"],"username":["x"],"password":["x"],"scopes":{"length":1}}',
  '{"name":1e400,"token":1,"expires_in":1e400,"scopes":[1e400]}',
  '{"name":-0,"token":-0,"expires_in":-0,"current_password":-0,"new_password":-0}',
  '{"name":null,"token":null,"scopes":null,"expires_in":null,"username":null,"password":null}',
  '{"name":"\\ud800","token":"\\ud800","username":"\\udfff","password":"\\ud800","scopes":["\\ud800"]}',
  '{"name":"\\u0000","token":"\\u0000","username":"\\u0000","password":"\\u0000","scopes":["\\u0000"]}',
  `{"name":"${"x".repeat(60_000)}"}`,
  `{"token":"${"x".repeat(60_000)}"}`,
  `{"scopes":[${Array(20_000).fill(1).join(",")}]}`,
  `{"scopes":[${Array(9_000).fill('"read"').join(",")}]}`,
  `{"username":"'; DROP TABLE users; --","password":"' OR 1=1"}`,
  `{"current_password":"x\\r\\nSet-Cookie: a=b","new_password":"${"y".repeat(5_000)}"}`,
  `{${Array.from({ length: 5_000 }, (_, index) => `"k${index}":1`).join(",")}}`,
  '{"name":"\\u202e\\u0007","expires_in":9007199254740993}',
];
const hostileQueries: readonly string[] = [
  "limit=",
  "limit=NaN",
  "limit=1&limit=-1",
  "limit[]=1",
  "cursor=",
  "cursor=%00",
  "cursor=%ff%fe",
  "cursor[$ne]=",
  "__proto__=x&constructor=y",
  "%",
  "&&&===",
  `cursor=${"A".repeat(5_000)}`,
  "cursor=MDow",
  "cursor=OTk5OTk5OTk5OTk5OTk5OTph",
];

describe.each(dialects)("in $name, a hostile body", ({ name, options }) => {
  it.each(everyRoute)("is answered by $title in the shape of the dialect", async (route) => {
    const { call, mine } = await makeService(options, { introspect: [hasScopes(["read"])] });
    const path = route.path.replace("{id}", mine.token.id);
    const replies = [];
    for (const json of hostileBodies) {
      if (route.method !== "GET") {
        replies.push(await call(route.method, path, { token: mine.text, json }));
      }
      const sent = {
        token: mine.text,
        headers: { "Content-Type": "multipart/form-data; boundary=a" },
      };
      if (route.method !== "GET") {
        replies.push(await call(route.method, path, { ...sent, json }));
        replies.push(
          await call(route.method, path, {
            ...sent,
            json,
            headers: { "Content-Type": "application/x-www-form-urlencoded; charset=utf-16le" },
          }),
        );
      }
    }
    for (const query of hostileQueries) {
      replies.push(await call(route.method, `${path}?${query}`, { token: mine.text }));
    }
    for (const { status, headers, text, body } of replies) {
      expect(status, text).toBeGreaterThanOrEqual(200);
      expect(status, text).toBeLessThan(500);
      if (status < 400) continue;
      if (name === "bearer") {
        expect(headers.get("Content-Type")).toBe("application/problem+json");
        expect(body).toMatchObject({ type: "about:blank", status, code: expect.any(String) });
      } else {
        expect(headers.get("Content-Type")).toBe("application/json");
        const members = Object.entries(Object(body));
        expect(members.length).toBeGreaterThan(0);
        for (const [key, value] of members) {
          if (key === "detail") expect(value).toBeTypeOf("string");
          else expect(value).toEqual(expect.arrayContaining([expect.any(String)]));
        }
      }
      expect(text.length).toBeLessThan(1_000);
    }
    expect(read({}, "polluted")).toBeUndefined();
  });
});
