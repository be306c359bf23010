import express from "express";
import express4 from "express4";
import { Hono } from "hono";
import {
  allowAny,
  type Endpoint,
  type GuardOptions,
  type GuardRequest,
  type Throttle,
} from "latchkey";
import * as onExpress from "latchkey/express";
import * as onFetch from "latchkey/fetch";
import * as onHono from "latchkey/hono";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, expect, it } from "vitest";
import { findClientAddress } from "../../src/http/client_address.ts";
import { makeAuth } from "../fixture.ts";
import { exchange } from "./raw_http.ts";
import {
  type FetchFunction,
  listen,
  type RunningServer,
  serveNatively,
  serveOnNode,
} from "./target.ts";

const PEER = "127.0.0.1";
const TEXT_TYPE = { "Content-Type": "text/plain" };
const FORWARDED = ["X-Forwarded-For: 6.6.6.6", "x-forwarded-for: 192.0.2.1, 203.0.113.1"];

/** A guard, a login and an endpoint that keep where their requests came from. */
function makeWorld() {
  const { auth } = makeAuth();
  const seen: { address: string | null | undefined; client: string | null }[] = [];
  let arrive = () => {};
  const arrived = new Promise<void>((resolve) => arrive = resolve);
  const keep = (request: GuardRequest) => {
    seen.push({ address: request.address, client: findClientAddress(request, 2) });
    arrive();
  };
  const look: Endpoint = async (request) => {
    keep(request);
    return new Response("seen", { headers: TEXT_TYPE });
  };
  const throttle: Throttle = async (_auth, request) => {
    keep(request);
    return null;
  };
  const options: GuardOptions = { permissions: [allowAny], throttle };
  return { auth, seen, arrived, look, throttle, options };
}

type World = ReturnType<typeof makeWorld>;

function serveExpress({ auth, look, throttle, options }: World, make: typeof express) {
  const app = make();
  app.all("/endpoint", express.json(), onExpress.mount(look));
  app.all("/login", onExpress.obtainToken(auth, { throttle }));
  app.get("/guard", onExpress.guard(auth, options), (_request, response) => {
    response.writeHead(200, TEXT_TYPE).end("seen");
  });
  return listen(app);
}

function makeHono({ auth, look, throttle, options }: World): Hono {
  const app = new Hono();
  app.all("/endpoint", onHono.mount(look));
  app.all("/login", onHono.obtainToken(auth, { throttle }));
  app.get("/guard", onHono.guard(auth, options), (c) => c.text("seen"));
  return app;
}

function makeFetch({ auth, look, throttle, options }: World): FetchFunction {
  const endpoint = onFetch.mount(look);
  const login = onFetch.obtainToken(auth, { throttle });
  const guarded = onFetch.guard(auth, options)((_request, _principal, ..._rest: unknown[]) =>
    new Response("seen", { headers: TEXT_TYPE })
  );
  const routes: Record<string, onFetch.FetchHandler> = { "/guard": guarded, "/login": login };
  return (request, platform) =>
    (routes[new URL(request.url).pathname] ?? endpoint)(request, platform);
}

const targets: readonly (readonly [string, (world: World) => Promise<RunningServer>])[] = [
  ["Express 5", (world) => serveExpress(world, express)],
  ["Express 4", (world) => serveExpress(world, express4)],
  ["Hono on Node's server", (world) => serveOnNode(makeHono(world).fetch)],
  ["Hono on the runtime's own server", (world) => serveNatively(makeHono(world).fetch)],
  ["a fetch function on Node's server", (world) => serveOnNode(makeFetch(world))],
  ["a fetch function on the runtime's own server", (world) => serveNatively(makeFetch(world))],
  ...(typeof Bun === "undefined"
    ? []
    : [["Hono with Bun's server in its bindings", serveInBindings]] as const),
];

function serveInBindings(world: World): Promise<RunningServer> {
  const app = makeHono(world);
  return serveNatively((request, server) => app.fetch(request, { server }));
}

describe.each(targets)("%s", (_name, start) => {
  it.each([
    { method: "GET", path: "/guard" },
    { method: "GET", path: "/endpoint" },
    { method: "POST", path: "/login" },
    { method: "POST", path: "/endpoint", lines: ["Content-Type: application/json"], body: "{}" },
  ])("tells $method $path the address of the socket, whatever the headers say (B6)", async ({
    lines = [],
    ...request
  }) => {
    const world = makeWorld();
    const server = await start(world);
    try {
      await exchange(server.port, { ...request, lines });
      await exchange(server.port, { ...request, lines: [...lines, ...FORWARDED] });
      expect(world.seen).toEqual([
        { address: PEER, client: PEER },
        // Both lines count, as one list.
        { address: PEER, client: "192.0.2.1" },
      ]);
    } finally {
      await server.close();
    }
  });
});

describe("a client that resets the connection", () => {
  it.for(targets)(
    "has no address of its own, but is counted, by %s (B6)",
    async ([, start], context) => {
      if (typeof Bun !== "undefined" || typeof Deno !== "undefined") {
        return context.skip(
          "only Node lets the reset be there before the server reads the request",
        );
      }
      const world = makeWorld();
      const server = await start(world);
      try {
        const socket = connect({ host: PEER, port: server.port });
        await once(socket, "connect");
        socket.write("GET /endpoint HTTP/1.1\r\nHost: localhost\r\n\r\n");
        socket.resetAndDestroy();
        await world.arrived;
        expect(world.seen).toEqual([{ address: "0.0.0.0", client: "0.0.0.0" }]);
      } finally {
        await server.close();
      }
    },
  );

  it("is still told from a socket of Unix once its own socket is destroyed (B6)", async () => {
    const world = makeWorld();
    await makeFetch(world)(new Request("http://test/"), {
      incoming: { socket: { destroyed: true } },
    });
    expect(world.seen).toEqual([{ address: "0.0.0.0", client: "0.0.0.0" }]);
  });
});

describe("no address", () => {
  const call = () => {
    throw new Error("called");
  };
  /** A binding of a Worker that takes every name for a method. */
  const stub = new Proxy({}, { get: () => call, has: () => true });

  it.each<[string, object | undefined]>([
    ["nothing", undefined],
    ["a Worker's bindings", { KEY: "x", remoteAddr: "6.6.6.6", server: stub, requestIP: stub }],
    ["a socket of Unix on Deno", { remoteAddr: { transport: "unix", path: "/run/app.sock" } }],
    ["a socket of Unix on Node", { incoming: { socket: { destroyed: false } } }],
    ["a connection that is gone on Bun", { pendingRequests: 0, requestIP: () => null }],
  ])("is told where the platform passes %s (B6)", async (_name, platform) => {
    const world = makeWorld();
    await makeFetch(world)(new Request("http://test/endpoint"), platform);
    await makeFetch(world)(new Request("http://test/guard"), platform);
    await makeHono(world).request("/endpoint", {}, platform);
    await makeHono(world).request("/guard", {}, platform);
    expect(world.seen).toEqual(Array(4).fill({ address: null, client: null }));
  });
});
