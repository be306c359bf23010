import express, { type RequestHandler } from "express";
import express4 from "express4";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld, type World } from "./application.ts";
import { exchange, type RawRequest } from "./raw_http.ts";
import {
  listen,
  makeExpressApplication,
  makeHonoApplication,
  type RunningServer,
  serveNatively,
  serveOnNode,
} from "./target.ts";

const post = (type: string, body: string): RawRequest => ({
  method: "POST",
  path: "/get-token",
  lines: type === "" ? [] : [`Content-Type: ${type}`],
  body,
});
const FORM_TYPE = "application/x-www-form-urlencoded";
const MULTIPART_TYPE = "multipart/form-data; boundary=edge";
const MULTIPART = [
  '--edge\r\nContent-Disposition: form-data; name="username"\r\n\r\nada',
  '--edge\r\nContent-Disposition: form-data; name="password"\r\n\r\nada-password',
  "--edge--\r\n",
].join("\r\n");

/** What is sent, the same to a server with a parser in front and to one without. */
const requests: readonly (readonly [string, RawRequest])[] = [
  ["JSON", post("application/json", '{"username":"ada","password":"ada-password"}')],
  [
    "JSON with a charset",
    post("application/json; charset=utf-8", '{"username":"ada","password":"ada-password"}'),
  ],
  ["JSON with numbers", post("application/json", '{"username":1,"password":2.5}')],
  ["JSON with a wrong field", post("application/json", '{"username":["ada"],"password":null}')],
  ["JSON of an empty object", post("application/json", "{}")],
  ["an empty list", post("application/json", "[]")],
  ["a form", post(FORM_TYPE, "username=ada&password=ada-password")],
  ["a form with a wrong password", post(FORM_TYPE, "username=ada&password=x+y%20z")],
  ["a form with a bad escape", post(FORM_TYPE, "username=%zz&password=%")],
  ["multipart", post(MULTIPART_TYPE, MULTIPART)],
  ["text", post("text/plain", '{"username":"ada","password":"ada-password"}')],
  ["no media type", post("", "username=ada&password=ada-password")],
  ["an empty body", post("application/json", "")],
  ["no body", { method: "POST", path: "/get-token" }],
  ["OPTIONS", { method: "OPTIONS", path: "/get-token" }],
  ["GET", { method: "GET", path: "/get-token" }],
  ["a stale token", {
    method: "POST",
    path: "/logout",
    lines: ["Authorization: Token x"],
    body: "{}",
  }],
];

const versions = [["Express 5", express], ["Express 4", express4]] as const;

describe.each(versions)("%s", (_name, make) => {
  const parsers: readonly (readonly [string, readonly RequestHandler[]])[] = [
    ["express.json", [express.json()]],
    ["express.urlencoded", [express.urlencoded({ extended: false })]],
    ["express.urlencoded, extended", [express.urlencoded({ extended: true })]],
    ["express.json and express.urlencoded", [express.json(), express.urlencoded()]],
    ["express.raw", [express.raw({ type: () => true })]],
    ["express.text", [express.text({ type: () => true })]],
    ["the parsers of Express 4", [express4.json(), express4.urlencoded({ extended: true })]],
  ];

  describe.each(parsers)("J6: answers behind %s as without it to", (_parser, middlewares) => {
    let plain: RunningServer;
    let parsed: RunningServer;
    beforeAll(async () => {
      plain = await listen(makeExpressApplication(make, (await makeWorld()).auth));
      parsed = await listen(makeExpressApplication(make, (await makeWorld()).auth, ...middlewares));
    });
    afterAll(async () => {
      await plain.close();
      await parsed.close();
    });

    it.each(requests)("%s", async (_title, request) => {
      const wanted = await exchange(plain.port, request);
      const found = await exchange(parsed.port, request);
      expect({ status: found.status, body: found.body, type: found.headers.get("content-type") })
        .toEqual({
          status: wanted.status,
          body: wanted.body,
          type: wanted.headers.get("content-type"),
        });
    });
  });

  // What such a parser has folded into lists and objects cannot be unfolded: it is refused.
  it.each([
    ["a repeated name", "username=x&username=ada&password=ada-password", ["username"]],
    ["brackets", "username[a]=ada&password[]=ada-password", ["username", "password"]],
  ])("refuses a form with %s behind express.urlencoded, extended", async (_title, form, names) => {
    const { auth } = await makeWorld();
    const server = await listen(
      makeExpressApplication(make, auth, express.urlencoded({ extended: true })),
    );
    const answer = await exchange(server.port, post(FORM_TYPE, form));
    const errors = names.map((name) => [name, ["Not a valid string."]]);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([400, Object.fromEntries(errors)]);
    await server.close();
  });

  it("J6: tells the error handler when a middleware has consumed the body and kept nothing", async () => {
    const { auth } = await makeWorld();
    const errors: unknown[] = [];
    const app = makeExpressApplication(make, auth, async (request, _response, next) => {
      for await (const _ of request);
      next();
    });
    const onError: express.ErrorRequestHandler = (error, _request, response, _next) => {
      errors.push(error);
      response.status(500).end("handled");
    };
    app.use(onError);
    const server = await listen(app);
    const answer = await exchange(server.port, post(MULTIPART_TYPE, MULTIPART));
    expect([answer.status, answer.body]).toEqual([500, "handled"]);
    expect(errors.map(String)).toEqual([
      "TypeError: Cannot read the body: it was consumed before, " +
      "mount the endpoint ahead of what reads bodies",
    ]);
    await server.close();
  });
});

describe.each([
  ["Hono", serveOnNode],
  ["Hono on the runtime's own server", serveNatively],
])("%s", (_name, serve) => {
  const readers: readonly (readonly [string, (app: Hono) => void])[] = [
    ["c.req.text()", (app) =>
      app.use(async (c, next) => {
        await c.req.text();
        await next();
      })],
    ["c.req.json()", (app) =>
      app.use(async (c, next) => {
        await c.req.json().catch(() => null);
        await next();
      })],
    ["c.req.arrayBuffer()", (app) =>
      app.use(async (c, next) => {
        await c.req.arrayBuffer();
        await next();
      })],
    ["c.req.parseBody()", (app) =>
      app.use(async (c, next) => {
        await c.req.parseBody().catch(() => null);
        await next();
      })],
  ];
  let world: World;
  let plain: RunningServer;
  beforeAll(async () => {
    world = await makeWorld();
    const app = makeHonoApplication(world.auth);
    plain = await serve((request) => app.fetch(request));
  });
  afterAll(() => plain.close());

  describe.each(readers)("answers behind %s as without it to", (_name, read) => {
    let server: RunningServer;
    beforeAll(async () => {
      const app = new Hono();
      read(app);
      makeHonoApplication(world.auth, app);
      server = await serve((request) => app.fetch(request));
    });
    afterAll(() => server.close());

    it.each(requests)("%s", async (_title, request) => {
      const wanted = await exchange(plain.port, request);
      const found = await exchange(server.port, request);
      expect([found.status, found.body]).toEqual([wanted.status, wanted.body]);
    });
  });
});
