// Compiled, never run: what an application's handlers see without a single annotation.
import express from "express";
import { Hono } from "hono";
import {
  allowAny,
  and,
  type Auth,
  createSelfService,
  hasScopes,
  isAdminUser,
  isAuthenticated,
  issueToken,
  permission,
  type Principal,
} from "latchkey";
import * as fetchStyle from "latchkey/deno";
import * as onExpress from "latchkey/express";
import * as onHono from "latchkey/hono";

declare const auth: Auth<"notes:read" | "notes:write">;
declare const open: Auth;

type Notes = "notes:read" | "notes:write";
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;
function check<Expected>() {
  return <Actual>(_value: Actual, _equal: Equal<Actual, Expected>) => {};
}

const app = new Hono();
app.get("/a/:id", onHono.guard(auth), (c) => {
  check<Principal<Notes>>()(c.var.principal, true);
  check<string>()(c.req.param("id"), true);
  return c.text("");
});
app.get("/b", onHono.guard(auth, { permissions: [allowAny] }), (c) => {
  check<Principal<Notes> | null>()(c.var.principal, true);
  return c.text("");
});
app.get(
  "/c",
  onHono.guard(auth, { permissions: [hasScopes(["notes:read"]), permission(() => true)] }),
  (c) => {
    check<Principal<Notes>>()(c.var.principal, true);
    return c.text("");
  },
);
// @ts-expect-error a misspelt scope does not compile
onHono.guard(auth, { permissions: [hasScopes(["notes:raed"])] });
// @ts-expect-error not inside a combination either
onHono.guard(auth, { permissions: [and(isAuthenticated, hasScopes(["notes:raed"]))] });
// @ts-expect-error nor when a token is issued
issueToken(auth, "1", { scopes: ["notes:raed"] });
issueToken(open, "1", { scopes: ["anything"] });

// The self-service takes declared scopes only, wherever one is named.
const { endpoint } = createSelfService(auth, {
  login: { scopes: ["notes:read"] },
  manage: [hasScopes(["notes:write"])],
  introspect: [isAdminUser, hasScopes(["notes:read"], { any: true })],
});
// @ts-expect-error a misspelt scope does not compile
createSelfService(auth, { login: { scopes: ["notes:raed"] } });
// @ts-expect-error nor where it is asked for
createSelfService(auth, { manage: [hasScopes(["notes:raed"])] });
// @ts-expect-error nobody may manage tokens without one
createSelfService(auth, { manage: [allowAny] });
app.all("/auth/*", onHono.mount(endpoint));
express().use("/auth", onExpress.mount(endpoint));
Deno_serve(fetchStyle.mount(endpoint));

const server = express();
server.get("/a/:id", onExpress.guard(auth), (request, response) => {
  check<Principal<Notes>>()(response.locals.principal, true);
  check<string>()(request.params.id, true);
});
server.get("/b", onExpress.guard(auth, { permissions: [allowAny] }), (_request, response) => {
  check<Principal<Notes> | null>()(response.locals.principal, true);
});
server.all("/c", onExpress.obtainToken(auth));
server.post("/d", onExpress.guard(auth), onExpress.logout(auth));
server.use(onExpress.guard(auth, { permissions: [isAdminUser] }));

Deno_serve(
  fetchStyle.guard(auth)((_request, principal, info) => {
    check<Principal<Notes>>()(principal, true);
    check<{ port: number }>()(info, true);
    return new Response();
  }),
);
fetchStyle.guard(auth, { permissions: [allowAny] })((_request, principal) => {
  check<Principal<Notes> | null>()(principal, true);
  return new Response();
});
declare function Deno_serve(
  handler: (request: Request, info: { port: number }) => Promise<Response>,
): void;
