import express from "express";
import express4 from "express4";
import type { Store } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { makeWorld, type World } from "./application.ts";
import { exchange, openConnection, type RawRequest } from "./raw_http.ts";
import { listen, makeExpressApplication, type RunningServer, targets } from "./target.ts";

const OUTAGE = '{"detail":"Service temporarily unavailable, try again later."}';

/** What no store of the library throws: an error of a driver, with a parameter in it. */
function fail(): never {
  throw new RangeError("SELECT * FROM token WHERE digest = 'secret-parameter'");
}

describe.each(targets)("$name", ({ start }) => {
  let world: World;
  let server: RunningServer;
  let isBroken = false;
  beforeAll(async () => {
    // The frameworks write what a handler throws to the console.
    vi.spyOn(console, "error").mockImplementation(() => {});
    const store = memoryStore();
    const breakable: Store = {
      ...store,
      findToken: async (digests) => await (isBroken ? fail() : store.findToken(digests)),
      // A store may also throw before it has a promise to reject.
      findUserByName: (username) => isBroken ? fail() : store.findUserByName(username),
    };
    world = await makeWorld({ store: breakable });
    server = await start(world.auth);
  });
  afterAll(async () => {
    await server.close();
    vi.restoreAllMocks();
  });

  it.each(["/throws", "/rejects"])(
    "leaves an error of a handler to the framework at %s (F2)",
    async (path) => {
      const connection = openConnection(server.port);
      const lines = [`Authorization: Token ${world.tokens.ada}`];
      connection.send({ method: "GET", path, lines });
      const failed = await connection.receive("GET");
      expect(failed?.status).toBe(500);
      // The next request, on the same connection where there is one, is somebody else's.
      connection.send({ method: "GET", path: "/open" });
      const next = await connection.receive("GET") ??
        await exchange(server.port, { method: "GET", path: "/open" });
      expect([next.status, next.body]).toEqual([200, '{"user":null}']);
      connection.close();
    },
  );

  it.each(["/throws", "/rejects"])(
    "never runs the handler of a refused request at %s",
    async (path) => {
      expect((await exchange(server.port, { method: "GET", path })).status).toBe(401);
    },
  );

  it("answers 503 while the store fails, and says nothing of why", async () => {
    const lines = [`Authorization: Token ${world.tokens.ada}`];
    const requests: readonly RawRequest[] = [
      { method: "GET", path: "/secret", lines },
      { method: "GET", path: "/open", lines },
      { method: "POST", path: "/logout", lines, body: "" },
      {
        method: "POST",
        path: "/get-token",
        lines: ["Content-Type: application/json"],
        body: '{"username":"ada","password":"ada-password"}',
      },
    ];
    isBroken = true;
    for (const request of requests) {
      const { status, headers, body } = await exchange(server.port, request);
      expect([status, headers.get("retry-after"), body]).toEqual([503, "1", OUTAGE]);
      expect(headers.get("content-type")).toBe("application/json");
      expect(headers.has("www-authenticate")).toBe(false);
    }
    isBroken = false;
    const mended = await exchange(server.port, { method: "GET", path: "/open", lines });
    expect(mended.body).toBe('{"user":"ada"}');
  });

  it.each([
    ["hangs up in the middle of a declared body", "Content-Length: 1000"],
    ["hangs up in the middle of a chunk", "Transfer-Encoding: chunked"],
  ])("outlives a client that %s", async (_title, line) => {
    const connection = openConnection(server.port);
    const start = line.startsWith("C") ? '{"username":' : '3e8\r\n{"username":';
    connection.sendBytes(new TextEncoder().encode(
      `POST /get-token HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${line}\r\n\r\n${start}`,
    ));
    await connection.finish();
    const next = await exchange(server.port, { method: "GET", path: "/open" });
    expect([next.status, next.body]).toEqual([200, '{"user":null}']);
  });

  it("reads no more of a body than its length says (J2)", async () => {
    const { status, body } = await exchange(server.port, {
      method: "POST",
      path: "/get-token",
      lines: ["Content-Type: application/json", "Content-Length: 20"],
      body: '{"username":"ada","password":"ada-password"}',
    });
    // A server may find the bytes that follow wrong before the answer to the cut body is out.
    expect(status).toBe(400);
    expect(["", '{"detail":"JSON parse error - the body is not valid JSON"}']).toContain(body);
  });

  it.each([
    "/secret/",
    "//secret",
    "/SECRET",
    "/%73ecret",
    "/secret%2f",
    "/secret%00",
    "/secret;a=b",
    "/./secret",
    "/open/../secret",
    "/open/%2e%2e/secret",
    "/open/..%2fsecret",
    "/secret?/open",
    "/open#/secret",
    "http://localhost/secret",
    "*",
  ])("opens the vault to nobody at the path %s (J7)", async (path) => {
    for (const method of ["GET", "HEAD", "POST", "get"]) {
      const connection = openConnection(server.port);
      connection.send({ method, path, ...(method === "POST" ? { body: "" } : {}) });
      const answer = await connection.receive(method);
      connection.close();
      expect(answer?.body ?? "").not.toContain("vault");
      // Where the path leads to /open it may be answered, and then nobody is named.
      if (answer?.status === 200) expect(["", '{"user":null}']).toContain(answer.body);
    }
  });
});

describe.each([["Express 5", express], ["Express 4", express4]] as const)("%s", (_name, make) => {
  it.each(["/secret", "/open", "/get-token"])(
    "survives at %s a middleware that answers and goes on",
    async (path) => {
      const { auth } = await makeWorld();
      const app = makeExpressApplication(make, auth, (request, response, next) => {
        if (request.headers["x-early"] !== undefined) response.end("early");
        next();
      });
      const server = await listen(app);
      const lines = ["X-Early: 1"];
      const answer = await exchange(server.port, { method: "GET", path, lines });
      expect([answer.status, answer.body]).toEqual([200, "early"]);
      const next = await exchange(server.port, { method: "GET", path: "/open" });
      expect([next.status, next.body]).toEqual([200, '{"user":null}']);
      await server.close();
    },
  );
});
