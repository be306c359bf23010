import {
  allowAny,
  bearer,
  type CookieOptions,
  type CookieTransport,
  cookieTransport,
  createGuard,
  createLogout,
  createObtainToken,
  createSelfService,
  type GuardOptions,
  type GuardRequest,
  StoreError,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, reasonOf, SECRET, seededNumbers, START } from "../fixture.ts";
import { issue } from "./issue.ts";
import { type CallOptions, dialects, read, send } from "./service.ts";

const APP = "https://app.example.com";
const ORIGINS: CookieOptions["origins"] = [APP, "https://b.example.com:8443"];
const cookie = cookieTransport({ origins: ORIGINS });
const NAME = "__Host-token";
const LOGIN = { username: "ada", password: "ada-password" };
const GIVEN = /^__Host-token=(lk_[0-9A-Za-z]{49}); Path=\/; Secure; HttpOnly; SameSite=Lax/;
const CLEARED = "__Host-token=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0";

type Headers = Readonly<Record<string, string>>;

/** A request with headers exactly as they are here, by small names, also such as no client could send. */
function request(method: string, headers: Headers): GuardRequest {
  return { method, headers: { get: (name) => headers[name.toLowerCase()] ?? null } };
}

/** Whether a client library sends headers as they are; the socket tests send others. */
function isSendable(headers: Headers): boolean {
  return Object.values(headers).every((value) =>
    /^(?:[\x21-\x7e](?:.*[\x21-\x7e])?)?$/.test(value)
  ) &&
    !Object.values(headers).some((value) => /[^\x20-\x7e]/.test(value));
}

async function makeCaller(options: object = {}) {
  const { auth, clock } = makeAuth(options);
  const ada = await makeUser(auth, "ada");
  const bob = await makeUser(auth, "bob");
  const mine = (await issue(auth, ada)).text;
  const his = (await issue(auth, bob)).text;
  const scheme = auth.dialect?.scheme ?? "Token";
  const ask = async (method: string, headers: Headers, more: GuardOptions = {}) => {
    const result = await createGuard(auth, { cookie, ...more })(request(method, headers));
    return result.ok ? result.value?.user.username ?? "nobody" : result.failure.status;
  };
  const post = (endpoint: ReturnType<typeof createLogout>, options: CallOptions) =>
    send(endpoint, auth, "POST", "/", options);
  return { auth, clock, ada, bob, mine, his, scheme, ask, post };
}

const UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "post", "get", ""];

const foreignOrigins: readonly (readonly [string, Headers])[] = [
  ["none at all", {}],
  ["an empty one", { origin: "" }],
  ["null", { origin: "null" }],
  ["null of a page of the same origin", { origin: "null", "sec-fetch-site": "same-origin" }],
  ["another site", { origin: "https://evil.com" }],
  ["a sub-domain", { origin: "https://evil.app.example.com" }],
  ["the parent", { origin: "https://example.com" }],
  ["a sibling", { origin: "https://app2.example.com" }],
  ["a sibling, as same-site", {
    origin: "https://evil.example.com",
    "sec-fetch-site": "same-site",
  }],
  ["another scheme", { origin: "http://app.example.com" }],
  ["another port", { origin: `${APP}:8443` }],
  ["the default port", { origin: `${APP}:443` }],
  ["no port where one is named", { origin: "https://b.example.com" }],
  ["the host alone", { origin: "app.example.com" }],
  ["no scheme", { origin: "//app.example.com" }],
  ["a longer host", { origin: `${APP}.evil.com` }],
  ["a host that ends with it", { origin: "https://evil-app.example.com" }],
  ["a dot at the end", { origin: `${APP}.` }],
  ["userinfo before it", { origin: "https://evil@app.example.com" }],
  ["itself as userinfo", { origin: `${APP}@evil.com` }],
  ["itself in a path", { origin: `https://evil.com/${APP}` }],
  ["a slash at the end", { origin: `${APP}/` }],
  ["a path", { origin: `${APP}/x` }],
  ["upper case", { origin: "HTTPS://APP.EXAMPLE.COM" }],
  ["an upper-case letter", { origin: "https://App.example.com" }],
  ["a Cyrillic letter", { origin: "https://\u0430pp.example.com" }],
  ["its punycode", { origin: "https://xn--pp-6kc.example.com" }],
  ["a full-width letter", { origin: "https://\uff41pp.example.com" }],
  ["two values, this first", { origin: `${APP}, https://evil.com` }],
  ["two values, this last", { origin: `https://evil.com, ${APP}` }],
  ["itself twice", { origin: `${APP}, ${APP}` }],
  ["both that are named", { origin: ORIGINS.join(" ") }],
  ["white space around it", { origin: ` ${APP} ` }],
  ["a byte too much", { origin: `${APP}\0` }],
  ["a star", { origin: "*" }],
  ["a member of every object", { origin: "constructor" }],
  ["an extension", { origin: "chrome-extension://abcdefgh" }],
  ["the right one of a request that is cross-site", {
    origin: APP,
    "sec-fetch-site": "cross-site",
  }],
  ["the right one of a site unknown", { origin: APP, "sec-fetch-site": "new-site" }],
  ["the right one of two sites", { origin: APP, "sec-fetch-site": "same-site, cross-site" }],
  ["a cross-site request", { "sec-fetch-site": "cross-site" }],
  ["a same-site request", { "sec-fetch-site": "same-site" }],
  ["a request of nobody's page", { "sec-fetch-site": "none" }],
  ["same-origin twice", { "sec-fetch-site": "same-origin, same-origin" }],
  ["same-origin in capitals", { "sec-fetch-site": "Same-Origin" }],
  ["another site that says same-origin", {
    origin: "https://evil.com",
    "sec-fetch-site": "same-origin",
  }],
  ["a referer only", { referer: `${APP}/page` }],
  ["a forwarded host", { host: "app.example.com", "x-forwarded-host": "app.example.com" }],
];

const ownOrigins: readonly Headers[] = [
  ...ORIGINS.map((origin) => ({ origin })),
  { origin: APP, "sec-fetch-site": "same-origin" },
  { origin: APP, "sec-fetch-site": "same-site" },
  { "sec-fetch-site": "same-origin" },
];

describe.each(dialects)("in $name", ({ name: dialect, options }) => {
  const malformed = dialect === "bearer" ? 400 : 401;

  it.each(foreignOrigins)(
    "refuses the cookie with every unsafe method from %s (X1)",
    async (_, from) => {
      const { auth, ask, mine, post } = await makeCaller(options);
      const carried = { cookie: `${NAME}=${mine}`, ...from };
      for (const method of UNSAFE) expect(await ask(method, carried), method).toBe(403);
      expect(await ask("POST", carried, { permissions: [allowAny] })).toBe(403);
      expect(await ask("GET", { ...carried, upgrade: "websocket" })).toBe(403);
      for (const method of ["GET", "HEAD", "OPTIONS"]) {
        expect(await ask(method, carried), method).toBe("ada");
      }
      // The origin says nothing about a request that brings a token which no page could add.
      expect(
        await ask("POST", {
          ...carried,
          authorization: `${auth.dialect?.scheme ?? "Token"} ${mine}`,
        }),
      )
        .toBe("ada");
      if (!isSendable(from)) return;
      const refused = await post(createLogout(auth, { cookie }), { headers: carried });
      expect(refused.status).toBe(403);
      expect(refused.headers.getSetCookie()).toEqual([]);
      expect(await reasonOf(auth, mine)).toBe("ok");
    },
  );

  it.each(ownOrigins)("passes an unsafe method with %j (X1)", async (from) => {
    const { ask, mine } = await makeCaller(options);
    const carried = { cookie: `${NAME}=${mine}`, ...from };
    for (const method of UNSAFE) expect(await ask(method, carried), method).toBe("ada");
    expect(await ask("GET", { ...carried, upgrade: "websocket" })).toBe("ada");
  });

  it("says in its own words that a request came from elsewhere (X1)", async () => {
    const { auth, mine, post } = await makeCaller(options);
    const { body, headers } = await post(createLogout(auth, { cookie }), {
      headers: { cookie: `${NAME}=${mine}` },
    });
    expect(headers.get("WWW-Authenticate")).toBeNull();
    expect(read(body, dialect === "drf" ? "detail" : "code")).toBe(
      dialect === "drf" ? "CSRF Failed: Origin checking failed." : "foreign_origin",
    );
  });

  it("refuses the header and the cookie together unless they are the same (X2)", async () => {
    const { ask, mine, his, scheme, ada, auth } = await makeCaller(options);
    const again = (await issue(auth, ada)).text;
    const origin = APP;
    const all = { permissions: [allowAny], apiKeyHeader: "x-api-key" } as const;
    for (const method of ["GET", "POST"]) {
      const together = (text: string, carried: string, more: Headers = {}) =>
        ask(method, {
          origin,
          authorization: `${scheme} ${text}`,
          cookie: `${NAME}=${carried}`,
          ...more,
        }, all);
      expect(await together(mine, mine)).toBe("ada");
      expect(await together(mine, his)).toBe(400);
      expect(await together(his, mine)).toBe(400);
      expect(await together(mine, again)).toBe(400);
      expect(await together(mine, "")).toBe(400);
      expect(await together("x", mine)).toBe(400);
      expect(await together(mine, mine.toUpperCase())).toBe(400);
      expect(await together("", mine)).toBe(malformed);
      expect(await together(`${mine} ${mine}`, mine)).toBe(malformed);
      expect(await together(mine, mine, { "x-api-key": mine })).toBe(400);
      const key = { origin, "x-api-key": his };
      expect(await ask(method, { ...key, cookie: `${NAME}=${his}` }, all)).toBe("bob");
      expect(await ask(method, { ...key, cookie: `${NAME}=${mine}` }, all)).toBe(400);
      // Credentials of another scheme are somebody else's.
      expect(await together(mine, mine, { authorization: "Basic YTpi" })).toBe("ada");
    }
    const only = { schemes: [], permissions: [allowAny] } as const;
    const both = { authorization: `${scheme} ${his}`, cookie: `${NAME}=${mine}` };
    expect(await ask("GET", both, only)).toBe("ada");
  });

  it.each<[string, (mine: string, his: string) => string, string | number]>([
    ["alone", (mine) => `${NAME}=${mine}`, "ada"],
    ["among others", (mine) => `a=1; ${NAME}=${mine}; b="x; y"`, "ada"],
    ["without a space before it", (mine) => `a=1;${NAME}=${mine};b=2`, "ada"],
    ["after garbage", (mine) => `=; ;;; a; "; =x=; \xff\x01; ${NAME}=${mine};`, "ada"],
    ["after a bad escape", (mine) => `a=%; b=%zz; c=%ff; ${NAME}=${mine}`, "ada"],
    [
      "beside names like it",
      (mine, his) =>
        `${NAME}2=${his}; x${NAME}=${his}; __Secure-token=${his}; token=${his}; ${NAME}=${mine}`,
      "ada",
    ],
    ["twice", (mine, his) => `${NAME}=${mine}; ${NAME}=${his}`, 400],
    ["twice, the other way round", (mine, his) => `${NAME}=${his}; a=1; ${NAME}=${mine}`, 400],
    ["twice the same", (mine) => `${NAME}=${mine}; ${NAME}=${mine}`, 400],
    ["twice, once empty", (mine) => `${NAME}=; ${NAME}=${mine}`, 400],
    ["in another case", (mine) => `__host-token=${mine}; __HOST-TOKEN=${mine}`, "nobody"],
    ["with a space after the name", (mine) => `${NAME} =${mine}`, "nobody"],
    [
      "with an escaped name",
      (mine) => `%5f%5fHost-token=${mine}; __Host%2dtoken=${mine}`,
      "nobody",
    ],
    [
      "behind spaces that are none in HTTP",
      (mine) =>
        `\u2000${NAME}=${mine}; \xa0${NAME}=${mine}; \x85${NAME}=${mine}; \v${NAME}=${mine}; \ufeff${NAME}=${mine}; \xe2\x80\x80${NAME}=${mine}`,
      "nobody",
    ],
    ["behind a comma, in the value of another", (mine) => `theme=a, ${NAME}=${mine}`, "nobody"],
    ["as the name of an attribute", (mine) => `$Version=1, $${NAME}=${mine}`, "nobody"],
    ["without a value", () => NAME, "nobody"],
    ["empty", () => `${NAME}=`, 401],
    ["quoted", (mine) => `${NAME}="${mine}"`, 401],
    ["escaped", (mine) => `${NAME}=${mine.replace("_", "%5F")}`, 401],
    ["with a scheme", (mine) => `${NAME}=Token ${mine}`, 401],
    ["with more behind a comma", (mine) => `${NAME}=${mine}, a=1`, 401],
    ["with a space behind it", (mine) => `a=1; ${NAME}=${mine} ; b=2`, 401],
    ["begun by a quote before", (mine) => `a="${"b".repeat(9)}; ${NAME}=${mine}; c=d"`, "ada"],
    ["with more than a token has", (mine) => `${NAME}=${mine}${"a".repeat(4_000)}`, 401],
    ["above 8 KiB", () => `${NAME}=${"a".repeat(8_193)}`, malformed],
    ["behind a megabyte of others", (mine) => `${"a=b; ".repeat(200_000)}${NAME}=${mine}`, "ada"],
    ["behind a megabyte of semicolons", (mine) => `${";".repeat(1e6)}${NAME}=${mine}`, "ada"],
    ["behind a megabyte of spaces", (mine) => `a=1;${" ".repeat(1e6)}${NAME}=${mine}`, "ada"],
  ])("reads a cookie that is there %s by one rule (X5)", async (_, write, expected) => {
    const { ask, mine, his } = await makeCaller(options);
    const more = { permissions: [allowAny] } as const;
    expect(await ask("GET", { cookie: write(mine, his) }, more)).toBe(expected);
  });

  it("answers 401 with the challenge it has without a cookie, and 403 where it has none", async () => {
    const { auth, ask } = await makeCaller(options);
    expect(await ask("GET", {})).toBe(401);
    expect(await ask("GET", {}, { schemes: [] })).toBe(403);
    const alone = await createGuard(auth, { cookie, schemes: [] })(request("GET", {}));
    expect(alone.ok ? "" : alone.failure.body).toMatch(/not_authenticated|were not provided/);
    const challenges = [{}, { cookie }].map(async (more) => {
      const result = await createGuard(auth, more)(request("GET", {}));
      return result.ok || result.failure.headers;
    });
    const [without, with_] = await Promise.all(challenges);
    expect(with_).toEqual(without);
  });

  it("never asks for the Cookie header where it is not enabled (H13)", async () => {
    const { auth, mine } = await makeCaller(options);
    const headers = { cookie: `${NAME}=${mine}`, origin: APP };
    const asked = new Set<string>();
    const watched: GuardRequest = {
      method: "POST",
      headers: {
        get(name) {
          asked.add(name.toLowerCase());
          return request("POST", headers).headers.get(name);
        },
      },
    };
    for (const more of [{}, { apiKeyHeader: "x-api-key" }, { schemes: [] }]) {
      expect((await createGuard(auth, more)(watched)).ok).toBe(false);
    }
    expect(asked).not.toContain("cookie");
    const { endpoint } = createSelfService(auth);
    for (const path of ["/tokens/", "/tokens/rotate/", "/logout/", "/logout/all/", "/password/"]) {
      expect((await send(endpoint, auth, "POST", path, { headers })).status, path).toBe(401);
    }
    const login = await send(endpoint, auth, "POST", "/login/", { headers, json: LOGIN });
    expect([login.status, login.headers.getSetCookie()]).toEqual([200, []]);
    expect(await reasonOf(auth, mine)).toBe("ok");
  });

  it("gives the token of a login in the cookie and nowhere else (X3)", async () => {
    const { auth, ada, post } = await makeCaller(options);
    const login = createObtainToken(auth, { cookie, expiresIn: 3_600_999 });
    const reply = await post(login, { json: LOGIN, headers: { Origin: APP } });
    const [line = "", ...more] = reply.headers.getSetCookie();
    const text = GIVEN.exec(line)?.[1] ?? "";
    expect([reply.status, reply.text, more]).toEqual([204, "", []]);
    expect(line.endsWith("; SameSite=Lax; Max-Age=3600")).toBe(true);
    expect(reply.headers.get("Cache-Control")).toBe("no-store");
    const others = [...reply.headers].filter(([name]) => name !== "set-cookie");
    expect(JSON.stringify(others)).not.toContain(text);
    expect(
      await createGuard(auth, { cookie })(request("GET", { cookie: line.split(";")[0] ?? "" })),
    )
      .toMatchObject({ ok: true, value: { user: { id: ada.id } } });
  });

  it.each(foreignOrigins)(
    "refuses a login with the right password from %s (X4)",
    async (_, from) => {
      if (!isSendable(from)) return;
      const { auth, mine, his, post, ada } = await makeCaller(options);
      const before = (await auth.store.listTokens(ada.id, { limit: 100 })).length;
      const login = createObtainToken(auth, { cookie });
      for (const carried of [{}, { cookie: `${NAME}=${mine}` }, { cookie: `${NAME}=${his}` }]) {
        const reply = await post(login, { json: LOGIN, headers: { ...from, ...carried } });
        expect(reply.status).toBe(403);
        expect(reply.headers.getSetCookie()).toEqual([]);
      }
      expect(await auth.store.listTokens(ada.id, { limit: 100 })).toHaveLength(before);
      expect([await reasonOf(auth, mine), await reasonOf(auth, his)]).toEqual(["ok", "ok"]);
    },
  );

  it.each<[string, (mine: string, his: string) => string, readonly string[], number]>([
    ["nothing", () => "", ["ok", "ok"], 204],
    ["the user's own token", (mine) => mine, ["revoked_token", "ok"], 204],
    ["a token of somebody else", (_, his) => his, ["ok", "revoked_token"], 204],
    ["a text that is no token", () => "x", ["ok", "ok"], 204],
    ["a token that nobody has", () => `lk_${"0".repeat(49)}`, ["ok", "ok"], 204],
    ["two tokens", (mine, his) => `${mine}; ${NAME}=${his}`, ["ok", "ok"], 400],
  ])(
    "gives a new token where the cookie held %s before, and ends that one (X4)",
    async (...row) => {
      const [_, write, ends, status] = row;
      for (const policy of [{}, { onLogin: "reuse", secret: SECRET }]) {
        const { auth, mine, his, post } = await makeCaller({ ...options, ...policy });
        const login = createObtainToken(auth, { cookie });
        const carried = write(mine, his);
        const headers = {
          Origin: APP,
          ...(carried === "" ? {} : { Cookie: `${NAME}=${carried}` }),
        };
        const wrong = { username: "ada", password: "x" };
        const refused = await post(login, { json: wrong, headers });
        expect([refused.status, refused.headers.getSetCookie()]).toEqual([400, []]);
        expect([await reasonOf(auth, mine), await reasonOf(auth, his)]).toEqual(["ok", "ok"]);

        const given = [];
        for (let time = 0; time < 2; time++) {
          const reply = await post(login, { json: LOGIN, headers });
          expect(reply.status).toBe(status);
          given.push(GIVEN.exec(reply.headers.getSetCookie()[0] ?? "")?.[1]);
        }
        expect([await reasonOf(auth, mine), await reasonOf(auth, his)]).toEqual(ends);
        if (status === 204) {
          expect(new Set([...given, mine, his, carried, undefined]).size).toBeGreaterThan(4);
        }
      }
    },
  );

  it("ends also what became of a token that was planted and rotated (X4)", async () => {
    const { auth, his, mine, scheme, post } = await makeCaller(options);
    const service = createSelfService(auth).endpoint;
    const rotated = await send(service, auth, "POST", "/tokens/rotate/", { token: his });
    const successor = String(read(rotated.body, scheme === "Token" ? "token" : "access_token"));
    expect(await reasonOf(auth, successor)).toBe("ok");
    const headers = { Origin: APP, Cookie: `${NAME}=${his}` };
    expect((await post(createObtainToken(auth, { cookie }), { json: LOGIN, headers })).status).toBe(
      204,
    );
    expect([await reasonOf(auth, successor), await reasonOf(auth, his)])
      .toEqual(["revoked_token", "revoked_token"]);
    expect(await reasonOf(auth, mine)).toBe("ok");
  });

  it("finds room for a login in a browser that has the last token there may be (X4)", async () => {
    const { auth, mine, post } = await makeCaller({ ...options, tokenLimit: 1 });
    const login = createObtainToken(auth, { cookie });
    expect((await post(login, { json: LOGIN, headers: { Origin: APP } })).status).toBe(403);
    const headers = { Origin: APP, Cookie: `${NAME}=${mine}` };
    expect((await post(login, { json: LOGIN, headers })).status).toBe(204);
  });

  it("logs out with the attributes of the cookie, also when the token has ended (X3)", async () => {
    const { auth, mine, his, scheme, post } = await makeCaller(options);
    const headers = { Origin: APP, Cookie: `a=b; ${NAME}=${mine}` };
    for (const more of [{ cookie }, { cookie, schemes: [] }, { cookie, challenge: false }]) {
      const logout = createLogout(auth, more);
      const statuses = [];
      for (let time = 0; time < 2; time++) {
        const reply = await post(logout, { headers });
        statuses.push(reply.status);
        expect(reply.headers.getSetCookie()).toEqual([CLEARED]);
        expect(await reasonOf(auth, mine)).toBe("revoked_token");
      }
      expect(statuses[1]).toBe("schemes" in more || "challenge" in more ? 403 : 401);
    }
    const logout = createLogout(auth, { cookie });
    const both = { ...headers, Authorization: `${scheme} ${his}` };
    const conflict = await post(logout, { headers: both });
    expect([conflict.status, conflict.headers.getSetCookie()]).toEqual([400, []]);
    expect(await reasonOf(auth, his)).toBe("ok");
    const nobody = await post(logout, { headers: { Origin: APP } });
    expect([nobody.status, nobody.headers.getSetCookie()]).toEqual([401, []]);
  });

  it("keeps the cookie while the store is down, so that a logout can be tried again", async () => {
    const store = memoryStore();
    const isDown = { value: false };
    const failing = {
      ...store,
      findToken(digests: readonly string[]) {
        if (isDown.value) throw new StoreError("find the token", "unavailable");
        return store.findToken(digests);
      },
    };
    const { auth, mine, post } = await makeCaller({ ...options, store: failing });
    isDown.value = true;
    const headers = { Origin: APP, Cookie: `${NAME}=${mine}` };
    const reply = await post(createLogout(auth, { cookie }), { headers });
    expect([reply.status, reply.headers.getSetCookie()]).toEqual([503, []]);
    isDown.value = false;
    expect(await reasonOf(auth, mine)).toBe("ok");
  });

  it("keeps tokens of the self-service out of sight of scripts where the cookie asked", async () => {
    const { auth, ada, post: _, scheme } = await makeCaller(options);
    const { endpoint } = createSelfService(auth, { cookie, basePath: "/auth" });
    let carried = "";
    const call = async (path: string, json?: object, headers: Headers = {}) => {
      const more = carried === "" ? {} : { Cookie: `${NAME}=${carried}` };
      const reply = await send(endpoint, auth, "POST", `/auth${path}`, {
        json,
        headers: { Origin: APP, ...more, ...headers },
      });
      const line = reply.headers.getSetCookie()[0];
      const text = GIVEN.exec(line ?? "")?.[1];
      if (text !== undefined) {
        expect(reply.text).toBe("");
        carried = text;
      }
      return [reply.status, line === CLEARED ? "cleared" : text === undefined ? "" : "given"];
    };
    expect(await call("/login/", LOGIN)).toEqual([204, "given"]);
    const first = carried;
    expect(await call("/tokens/rotate/")).toEqual([204, "given"]);
    expect(carried).not.toBe(first);
    const change = { current_password: "ada-password", new_password: "another-password" };
    expect(await call("/password/", change, { Origin: "https://evil.com" })).toEqual([403, ""]);
    expect(await call("/password/", change)).toEqual([204, "given"]);
    expect(await reasonOf(auth, first)).toBe("revoked_token");
    expect(await call("/logout/others/")).toEqual([204, ""]);
    expect(await call("/logout/all/")).toEqual([204, "cleared"]);
    expect(await call("/logout/")).toEqual([401, "cleared"]);

    carried = "";
    const header = { Authorization: `${scheme} ${(await issue(auth, ada.id)).text}` };
    expect(await call("/tokens/rotate/", undefined, header)).toEqual([200, ""]);
  });

  it("adds no CORS header to any answer, a preflight included (X6)", async () => {
    const { auth, mine } = await makeCaller(options);
    const { endpoint } = createSelfService(auth, { cookie });
    const froms: readonly Headers[] = [{}, { Origin: APP }, { Origin: "https://evil.com" }];
    for (const method of ["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]) {
      for (
        const path of ["/login/", "/logout/", "/me/", "/tokens/", "/tokens/rotate/", "/nowhere/"]
      ) {
        for (const from of froms) {
          for (const carried of [{}, { Cookie: `${NAME}=${mine}` }]) {
            const { headers, status } = await send(endpoint, auth, method, path, {
              headers: { ...from, ...carried, "Access-Control-Request-Method": "POST" },
            });
            expect([...headers.keys()].filter((name) => /^access-control-/.test(name))).toEqual([]);
            if (status === 401) expect(headers.get("WWW-Authenticate")).not.toBeNull();
          }
        }
      }
    }
  });
});

it("writes a cookie that ends with its token, or with the browser (X3)", () => {
  const attributes = "Path=/; Secure; HttpOnly; SameSite=Lax";
  const strict = cookieTransport({ origins: ORIGINS, name: "__Host-s.1_x-y", sameSite: "strict" });
  const write = (expiresAt: number | null, transport: CookieTransport = cookie) =>
    transport.write("abc", { expiresAt }, START);
  expect(write(null)).toBe(`${NAME}=abc; ${attributes}`);
  expect(write(START + 60_000)).toBe(`${NAME}=abc; ${attributes}; Max-Age=60`);
  expect(write(START + 60_999)).toBe(`${NAME}=abc; ${attributes}; Max-Age=60`);
  expect(write(START + 999)).toBe(`${NAME}=abc; ${attributes}; Max-Age=0`);
  expect(write(START - 5_000)).toBe(`${NAME}=abc; ${attributes}; Max-Age=0`);
  expect(write(null, strict)).toBe("__Host-s.1_x-y=abc; Path=/; Secure; HttpOnly; SameSite=Strict");
  expect(strict.clear()).toBe(
    "__Host-s.1_x-y=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0",
  );
  for (const text of ["a;b", "a b", 'a"b', "a,b", "a\\b", "a\r\nb", "\x7f", "é", "a\0"]) {
    expect(() => cookie.write(text, { expiresAt: null }, START), text).toThrow(RangeError);
  }
});

it("refuses every origin that differs in one character from those that are named (X1)", () => {
  const seed = 20_261_123;
  const next = seededNumbers(seed);
  for (let round = 0; round < 2_000; round++) {
    const at = next(APP.length + 1);
    const character = String.fromCharCode(next(2) === 0 ? 0x20 + next(0x5f) : next(0x3000));
    const origin = APP.slice(0, at) + character + APP.slice(at + next(2));
    const isForeign = cookie.isForeign(request("POST", { origin }));
    expect(isForeign, `seed ${seed}, round ${round}: ${JSON.stringify(origin)}`).toBe(
      origin !== APP,
    );
  }
});

it("never throws, and reads a token only where a browser would have put it (X5)", () => {
  const seed = 7;
  const next = seededNumbers(seed);
  const pieces = [
    NAME,
    "=",
    ";",
    "; ",
    ",",
    " ",
    '"',
    "%3D",
    "\t",
    "\0",
    "\u2000",
    "a",
    "text",
    "é",
  ];
  for (let round = 0; round < 3_000; round++) {
    const header = Array.from({ length: next(12) }, () => pieces[next(pieces.length)]).join("");
    const found = cookie.read(request("GET", { cookie: header }), { kind: "absent" });
    const pairs = `;${header};`.match(/(?<=;[ \t]*__Host-token=)[^;]*(?=;)/g) ?? [];
    const expected = pairs.length > 1
      ? { kind: "malformed", reason: "several_credentials" }
      : pairs.length === 1
      ? { kind: "present", text: pairs[0] }
      : { kind: "absent" };
    expect(found, `seed ${seed}, round ${round}: ${JSON.stringify(header)}`).toEqual(expected);
  }
});

describe("a cookie that cannot work is refused at construction (F5)", () => {
  it.each([
    "http://app.example.com",
    "https://app.example.com/",
    "https://app.example.com:443",
    "https://App.example.com",
    "https://b\u00fccher.example",
    "https://*.example.com",
    "https://user@app.example.com",
    "https://app.example.com?x",
    "https://",
    "http://localhost.evil.com",
    "http://localhost:80",
    "app.example.com",
    "null",
    "*",
    "",
    "file://",
    "capacitor://localhost",
  ])("from %j", (origin) => {
    expect(() => cookieTransport({ origins: [APP, origin] })).toThrow("Cannot use these origins");
  });

  it.each([
    "https://xn--bcher-kva.example",
    "https://[::1]:8443",
    "http://localhost:5173",
    "http://[::1]",
  ])(
    "but not from %j",
    (origin) => {
      const transport = cookieTransport({ origins: [origin] });
      expect(transport.isForeign(request("POST", { origin }))).toBe(false);
    },
  );

  it.each([
    "token",
    "__Host-",
    "__host-token",
    "__Secure-token",
    "__Host-a b",
    "__Host-a;b",
    "__Host-a=b",
    "__Host-é",
  ])(
    "called %j",
    (name) => {
      expect(() => cookieTransport({ origins: ORIGINS, name })).toThrow(
        "Cannot use this cookie name",
      );
    },
  );

  it("of no origin, of a format that no cookie can hold, or for all sites", () => {
    expect(() => cookieTransport(JSON.parse('{"origins":[]}'))).toThrow(TypeError);
    expect(() => cookieTransport(JSON.parse(`{"origins":"${APP}"}`))).toThrow(TypeError);
    expect(() => cookieTransport(JSON.parse(`{"origins":["${APP}"],"sameSite":"none"}`)))
      .toThrow(RangeError);
    const { auth } = makeAuth({
      formats: [{ encode: () => "a;b", accepts: (text) => text === "a;b", pattern: /a;b/ }],
      dialect: bearer(),
    });
    expect(() => createObtainToken(auth, { cookie })).toThrow("Cannot write tokens into a cookie");
    expect(() => createObtainToken(auth)).not.toThrow();
    const options = JSON.parse(`{"cookie":{"origins":["${APP}"]}}`);
    for (const make of [createGuard, createLogout, createObtainToken, createSelfService]) {
      expect(() => make(auth, options), make.name).toThrow(TypeError);
    }
  });
});
