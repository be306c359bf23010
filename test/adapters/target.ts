/** The servers that must answer alike: each mounts the same application its own way. */
import { createServer, type RequestListener, type Server } from "node:http";
import { serve } from "@hono/node-server";
import express from "express";
import express4 from "express4";
import { Hono } from "hono";
import { type Auth, createSelfService } from "latchkey";
import * as onExpress from "latchkey/express";
import * as onFetch from "latchkey/fetch";
import * as onHono from "latchkey/hono";
import { logins, routes, SERVICE_PATH } from "./application.ts";

/** A server that listens on this machine. */
export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

/** A way to serve the application. */
export interface Target {
  readonly name: string;
  /** Starts on a free port. */
  start(auth: Auth): Promise<RunningServer>;
}

/** A function from `Request` to `Response`, as every fetch-style server takes it, with what it passes. */
export type FetchFunction = (request: Request, platform?: object) => Response | Promise<Response>;

// The package puts its own `Response` in place of the global one, as its users have it on Node;
// the servers of Deno and Bun, which run beside it here, would not take that one for an answer.
const overrideGlobalObjects = typeof Bun === "undefined" && typeof Deno === "undefined";
const hostname = "127.0.0.1";
const JSON_TYPE = { "Content-Type": "application/json" };
const NOT_FOUND = '{"detail":"Not found."}';

/** Listens with Node's own server, which Deno and Bun have as well. */
export async function listen(handler: RequestListener): Promise<RunningServer> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, hostname, resolve));
  return describeServer(server);
}

/** Serves a fetch function through `@hono/node-server`. */
export async function serveOnNode(fetch: FetchFunction): Promise<RunningServer> {
  let server: ReturnType<typeof serve> | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve(
      { fetch, port: 0, hostname, overrideGlobalObjects },
      ({ port }) => resolve(port),
    );
  });
  return { port, close: () => new Promise((resolve) => server?.close(() => resolve())) };
}

function describeServer(server: Server): RunningServer {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Mounts the application into Express of either version; `middlewares` come first. */
export function makeExpressApplication(
  make: typeof express,
  auth: Auth,
  ...middlewares: readonly express.RequestHandler[]
): express.Express {
  const app = make();
  for (const middleware of middlewares) app.use(middleware);
  for (const { path, options } of logins) app.all(path, onExpress.obtainToken(auth, options));
  app.all("/logout", onExpress.logout(auth));
  for (const { path, options, answer } of routes) {
    app.all(path, onExpress.guard(auth, options), (_request, response, next) => {
      const made = answer(response.locals.principal);
      // Express 4 does not wait for promises, so that handlers there pass their rejections on.
      Promise.resolve(made).then((text) => response.writeHead(200, JSON_TYPE).end(text))
        .catch(next);
    });
  }
  const { endpoint } = createSelfService(auth, { basePath: SERVICE_PATH });
  const [outer, inner] = [make.Router(), make.Router()];
  inner.use("/auth", onExpress.mount(endpoint));
  outer.use("/api", inner);
  app.use(outer);
  app.use((_request, response) => {
    response.writeHead(404, JSON_TYPE).end(NOT_FOUND);
  });
  return app;
}

/** Mounts the application into Hono. */
export function makeHonoApplication(auth: Auth, app: Hono = new Hono()): Hono {
  for (const { path, options } of logins) app.all(path, onHono.obtainToken(auth, options));
  app.all("/logout", onHono.logout(auth));
  for (const { path, options, answer } of routes) {
    app.all(path, onHono.guard(auth, options), (c): Response | Promise<Response> => {
      const made = answer(c.var.principal);
      return typeof made === "string"
        ? c.body(made, 200, JSON_TYPE)
        : made.then((text) => c.body(text, 200, JSON_TYPE));
    });
  }
  const { endpoint } = createSelfService(auth, { basePath: SERVICE_PATH });
  const inner = new Hono().basePath("/auth").all("/*", onHono.mount(endpoint));
  app.route("/api", inner);
  app.notFound((c) => c.body(NOT_FOUND, 404, JSON_TYPE));
  return app;
}

/** Mounts the application into a fetch function. */
export function makeFetchApplication(auth: Auth): FetchFunction {
  const handlers = new Map<string, FetchFunction>([
    ["/logout", onFetch.logout(auth)],
  ]);
  for (const { path, options } of logins) handlers.set(path, onFetch.obtainToken(auth, options));
  for (const { path, options, answer } of routes) {
    const handler = onFetch.guard(auth, options)((_request, principal, _platform?: object) => {
      const made = answer(principal);
      return typeof made === "string"
        ? new Response(made, { headers: JSON_TYPE })
        : made.then((text) => new Response(text, { headers: JSON_TYPE }));
    });
    handlers.set(path, handler);
  }
  const service = onFetch.mount(createSelfService(auth, { basePath: SERVICE_PATH }).endpoint);
  return (request, platform) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith(`${SERVICE_PATH}/`)) return service(request, platform);
    return handlers.get(pathname)?.(request, platform) ??
      new Response(NOT_FOUND, { status: 404, headers: JSON_TYPE });
  };
}

/** Serves a fetch function on the runtime's own server; Node has none of that kind. */
export async function serveNatively(fetch: FetchFunction): Promise<RunningServer> {
  if (typeof Bun !== "undefined") {
    const server = Bun.serve({ hostname, port: 0, routes: {}, fetch });
    return { port: server.port, close: () => server.stop() };
  }
  if (typeof Deno === "undefined") return await serveOnNode(fetch);
  let server: ReturnType<typeof Deno.serve> | undefined;
  const port = await new Promise<number>((resolve) => {
    server = Deno.serve({ hostname, port: 0, onListen: (found) => resolve(found.port) }, fetch);
  });
  return { port, close: async () => await server?.shutdown() };
}

/** The fetch-style target is named after the server that it stands for here. */
const nativeName = typeof Bun !== "undefined"
  ? "Bun.serve"
  : typeof Deno !== "undefined"
  ? "Deno.serve"
  : "a fetch function";

/** All of them. */
export const targets: readonly Target[] = [
  { name: "Express 5", start: (auth) => listen(makeExpressApplication(express, auth)) },
  { name: "Express 4", start: (auth) => listen(makeExpressApplication(express4, auth)) },
  { name: "Hono", start: (auth) => serveOnNode(makeHonoApplication(auth).fetch) },
  { name: nativeName, start: (auth) => serveNatively(makeFetchApplication(auth)) },
  {
    name: `Hono on ${nativeName}`,
    start: (auth) => serveNatively(makeHonoApplication(auth).fetch),
  },
];
