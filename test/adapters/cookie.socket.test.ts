import express from "express";
import express4 from "express4";
import { Hono } from "hono";
import {
  type Auth,
  bearer,
  cookieTransport,
  createLogout,
  createObtainToken,
  createSelfService,
  type Endpoint,
  issueToken,
  type Principal,
  type User,
} from "latchkey";
import * as onExpress from "latchkey/express";
import * as onFetch from "latchkey/fetch";
import * as onHono from "latchkey/hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf } from "../fixture.ts";
import { exchange, type RawAnswer } from "./raw_http.ts";
import {
  type FetchFunction,
  listen,
  type RunningServer,
  serveNatively,
  serveOnNode,
} from "./target.ts";

const APP = "https://app.example.com";
const NAME = "__Host-token";
const CLEARED = `${NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0`;
const cookie = cookieTransport({ origins: [APP] });
const JSON_TYPE = "Content-Type: application/json";
const ORIGIN = `Origin: ${APP}`;

/** An endpoint of an application, with cookies of its own. */
const several: Endpoint = async () => {
  const headers = new Headers({ "X-Other": "1" });
  for (const line of ["a=1; Expires=Thu, 01 Jan 2032 00:00:00 GMT", "b=2"]) {
    headers.append("Set-Cookie", line);
  }
  return await Promise.resolve(new Response("two", { headers }));
};

interface Endpoints {
  readonly [path: string]: Endpoint;
}

function listEndpoints(auth: Auth): Endpoints {
  return {
    "/login": createObtainToken(auth, { cookie }),
    "/logout": createLogout(auth, { cookie }),
    "/several": several,
    "/auth/me/": createSelfService(auth, { cookie, basePath: "/auth" }).endpoint,
  };
}

function startExpress(make: typeof express): (auth: Auth) => Promise<RunningServer> {
  return (auth) => {
    const app = make();
    app.use((_request, response, next) => {
      response.setHeader("Set-Cookie", "before=1");
      next();
    });
    for (const [path, endpoint] of Object.entries(listEndpoints(auth))) {
      app.all(path, onExpress.mount(endpoint));
    }
    app.all("/guarded", onExpress.guard(auth, { cookie }), (_request, response) => {
      response.end(response.locals.principal.user.username);
    });
    app.all("/plain", onExpress.guard(auth), (_request, response) => {
      response.end(response.locals.principal.user.username);
    });
    return listen(app);
  };
}

function makeHono(auth: Auth): Hono {
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header("Set-Cookie", "before=1", { append: true });
  });
  for (const [path, endpoint] of Object.entries(listEndpoints(auth))) {
    app.all(path, onHono.mount(endpoint));
  }
  app.all("/guarded", onHono.guard(auth, { cookie }), (c) => c.text(c.var.principal.user.username));
  app.all("/plain", onHono.guard(auth), (c) => c.text(c.var.principal.user.username));
  return app;
}

function makeFetch(auth: Auth): FetchFunction {
  const handlers = new Map<string, FetchFunction>(
    Object.entries(listEndpoints(auth)).map(([path, endpoint]) => [path, onFetch.mount(endpoint)]),
  );
  const answer = (_request: Request, { user }: Principal, _platform?: object) =>
    new Response(user.username);
  handlers.set("/guarded", onFetch.guard(auth, { cookie })(answer));
  handlers.set("/plain", onFetch.guard(auth)(answer));
  return (request, platform) =>
    handlers.get(new URL(request.url).pathname)?.(request, platform) ??
      new Response(null, { status: 404 });
}

const targets: readonly {
  readonly name: string;
  /** The cookie that a middleware of the application sets, where there are any. */
  readonly before: string;
  readonly start: (auth: Auth) => Promise<RunningServer>;
}[] = [
  { name: "Express 5", before: "before=1", start: startExpress(express) },
  { name: "Express 4", before: "before=1", start: startExpress(express4) },
  {
    name: "Hono on Node's server",
    before: "before=1",
    start: (auth) => serveOnNode(makeHono(auth).fetch),
  },
  {
    name: "Hono on the runtime's own",
    before: "before=1",
    start: (auth) => serveNatively(makeHono(auth).fetch),
  },
  { name: "a fetch function", before: "", start: (auth) => serveNatively(makeFetch(auth)) },
];

const dialects = [{ dialect: "drf", options: {} }, {
  dialect: "bearer",
  options: { dialect: bearer() },
}];

describe.each(targets)("$name", ({ start, before }) => {
  describe.each(dialects)("in $dialect", ({ options }) => {
    let server: RunningServer;
    let auth: Auth;
    let mine: string;
    let his: string;
    let bob: User;
    beforeAll(async () => {
      auth = makeAuth(options).auth;
      const ada = await makeUser(auth, "ada");
      mine = must(await issueToken(auth, ada)).text.reveal();
      bob = await makeUser(auth, "bob");
      his = must(await issueToken(auth, bob)).text.reveal();
      server = await start(auth);
    });
    afterAll(() => server.close());

    const send = async (method: string, path: string, lines: readonly string[], body?: string) => {
      const filled = lines.map((line) => line.replaceAll("MINE", mine).replaceAll("HIS", his));
      const answer = await exchange(server.port, {
        method,
        path,
        lines: filled,
        ...(body === undefined ? {} : { body }),
      });
      expect([...answer.headers.keys()].filter((name) => name.startsWith("access-control-")))
        .toEqual([]);
      return answer;
    };
    const cookiesOf = ({ headers }: RawAnswer) => {
      const line = headers.get("set-cookie") ?? "";
      return line.split(/, (?=[\w-]+=)/).filter((one) => one !== "" && one !== before);
    };

    it.each<[number | "ada", string, readonly string[]]>([
      ["ada", "GET", ["Cookie: __Host-token=MINE"]],
      ["ada", "GET", ["cookie: a=1; __Host-token=MINE; b=2"]],
      ["ada", "GET", ["Cookie: a=1", "Cookie: __Host-token=MINE"]],
      ["ada", "GET", ["Cookie: __Host-token=MINE", "COOKIE: a=1"]],
      ["ada", "GET", ["Cookie: a=\xff\x80; __Host-token=MINE"]],
      [400, "GET", ["Cookie: __Host-token=MINE; __Host-token=HIS"]],
      [400, "GET", ["Cookie: __Host-token=MINE", "Cookie: __Host-token=HIS"]],
      [400, "GET", ["Cookie: __Host-token=MINE", "Cookie: __Host-token=MINE"]],
      [401, "GET", ["Cookie: theme=a, __Host-token=MINE"]],
      [401, "GET", ["Cookie: \xe2\x80\x80__Host-token=MINE; \xa0__Host-token=MINE"]],
      [401, "GET", ['Cookie: __Host-token="MINE"']],
      [401, "GET", ["Cookie: __Host-token=MINE, a=b"]],
      [401, "GET", ["Cookie: __Host-token="]],
      [401, "GET", ["Cookie: __host-token=MINE"]],
    ])("answers %s to %s with %j (X5)", async (expected, method, lines) => {
      const answer = await send(method, "/guarded", lines);
      expect(answer.status === 200 ? answer.body : answer.status).toBe(expected);
      expect((await send(method, "/plain", lines)).status).toBe(401);
    });

    it.each<[number | "ada", string, readonly string[]]>([
      ["ada", "POST", [ORIGIN]],
      ["ada", "DELETE", [ORIGIN, "Sec-Fetch-Site: same-site"]],
      ["ada", "PUT", ["Sec-Fetch-Site: same-origin"]],
      [403, "POST", []],
      [403, "POST", ["Origin: null"]],
      [403, "POST", ["Origin:"]],
      [403, "POST", ["Origin: https://evil.app.example.com"]],
      [403, "POST", ["Origin: http://app.example.com"]],
      [403, "POST", ["Origin: https://app.example.com:8443"]],
      [403, "POST", ["Origin: https://app.example.com.evil"]],
      [403, "POST", ["Origin: https://\xd0\xb0pp.example.com"]],
      [403, "POST", [ORIGIN, ORIGIN]],
      [403, "POST", [ORIGIN, "Origin: https://evil.com"]],
      [403, "POST", ["Origin: https://evil.com", ORIGIN]],
      [403, "PATCH", [ORIGIN, "Sec-Fetch-Site: cross-site"]],
      [403, "PATCH", [ORIGIN, "Sec-Fetch-Site: same-origin", "Sec-Fetch-Site: cross-site"]],
      [403, "POST", ["Sec-Fetch-Site: same-site"]],
    ])("answers %s to %s with the cookie and %j (X1)", async (expected, method, lines) => {
      const answer = await send(method, "/guarded", ["Cookie: __Host-token=MINE", ...lines]);
      expect(answer.status === 200 ? answer.body : answer.status).toBe(expected);
      if (expected === "ada") return;
      const json = '{"username":"ada","password":"ada-password"}';
      const login = await send("POST", "/login", [JSON_TYPE, ...lines], json);
      expect([login.status, cookiesOf(login)]).toEqual([403, []]);
    });

    it("refuses the header and the cookie of two users, and passes those of one (X2)", async () => {
      const scheme = auth.dialect?.scheme ?? "Token";
      const carried = ["Cookie: __Host-token=MINE", ORIGIN];
      const ask = (text: string) =>
        send("POST", "/guarded", [`Authorization: ${scheme} ${text}`, ...carried]);
      expect((await ask("HIS")).status).toBe(400);
      expect((await ask("MINE")).body).toBe("ada");
    });

    it("logs in with one new cookie, and out of it, beside cookies of others (X3) (X4)", async () => {
      const planted = must(await issueToken(auth, bob));
      const json = '{"username":"ada","password":"ada-password"}';
      const given = await send("POST", "/login", [
        JSON_TYPE,
        ORIGIN,
        `Cookie: __Host-token=${planted.text.reveal()}`,
      ], json);
      const [line = "", ...more] = cookiesOf(given);
      expect([given.status, given.body, more]).toEqual([204, "", []]);
      expect(line).toMatch(
        /^__Host-token=lk_[0-9A-Za-z]{49}; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=\d+$/,
      );
      expect(await reasonOf(auth, planted)).toBe("revoked_token");
      const carried = `Cookie: ${line.split(";")[0]}`;
      expect((await send("GET", "/guarded", [carried])).body).toBe("ada");
      expect((await send("GET", "/auth/me/", [carried])).status).toBe(200);
      for (const status of [204, 401]) {
        const ended = await send("POST", "/logout", [carried, ORIGIN]);
        expect([ended.status, cookiesOf(ended)]).toEqual([status, [CLEARED]]);
        expect(ended.headers.has("www-authenticate")).toBe(status === 401);
        if (before !== "") expect(ended.headers.get("set-cookie")).toContain(before);
      }
    });

    it("keeps every cookie of an endpoint apart", async () => {
      const answer = await send("GET", "/several", []);
      expect(cookiesOf(answer)).toEqual(["a=1; Expires=Thu, 01 Jan 2032 00:00:00 GMT", "b=2"]);
      expect([answer.body, answer.headers.get("x-other")]).toEqual(["two", "1"]);
    });

    it("adds no CORS header to a preflight or a 401 (X6)", async () => {
      for (const path of ["/login", "/logout", "/guarded", "/auth/me/"]) {
        for (const method of ["OPTIONS", "GET", "POST"]) {
          await send(method, path, [ORIGIN, "Access-Control-Request-Method: POST"]);
        }
      }
    });
  });
});
