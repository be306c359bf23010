/**
 * The tutorial with a login written by hand: `npm run example:custom-login`.
 *
 * A plain valibot schema, a criterion beyond the password, and the application's
 * own answers, out of nothing but functions.
 */
import { type HttpBindings, serve } from "@hono/node-server";
import { Hono } from "hono";
import { findClientAddress, grantToken, readBody, verifyPassword } from "latchkey";
import { guard, logout, obtainToken } from "latchkey/hono";
import * as v from "valibot";
import { announce, auth, hostname, onStop, port } from "./setup.ts";

const Login = v.object({
  username: v.pipe(v.string(), v.trim(), v.maxLength(20)),
  password: v.pipe(v.string(), v.maxLength(20)),
});

const app = new Hono<{ Bindings: HttpBindings }>();
app.post("/api/login/", async (c) => {
  const body = await readBody(c.req.raw);
  const input = body.ok ? v.safeParse(Login, body.value) : null;
  if (!input?.success) return c.json({ msg: "Send a username and a password of up to 20" }, 400);
  const client = {
    headers: c.req.raw.headers,
    address: c.env.incoming.socket.remoteAddress ?? null,
  };
  const address = findClientAddress(client, auth.trustedProxies);
  const verified = await verifyPassword(auth, { ...input.output, address });
  if (!verified.ok && verified.failure.reason === "throttled") {
    return c.json({ msg: "Too many attempts, come back later" }, 429);
  }
  const isWelcome = verified.ok && verified.value.isStaff;
  const granted = isWelcome ? await grantToken(auth, verified.value) : null;
  if (!granted?.ok) return c.json({ msg: "Invalid username/password" }, 400);
  const token = granted.value.text.reveal();
  return c.json({ token }, 200, { "Cache-Control": "no-store" });
});
app.all("/api/get-token/", obtainToken(auth));
app.all("/api/logout/", logout(auth));
app.get("/api/secret-info/", guard(auth), (c) => c.json({ hello: "World" }));

const server = serve({ fetch: app.fetch, hostname, port }, announce);
onStop(() => server.close());
