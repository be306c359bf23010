/** The tutorial on Hono and Node: `npm start`. */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { guard, logout, mount, obtainToken } from "latchkey/hono";
import { customLogin } from "./login.ts";
import { announce, auth, hostname, onStop, port } from "./setup.ts";

const app = new Hono();
app.all("/api/get-token/", obtainToken(auth));
app.all("/api/login/", mount(customLogin(auth)));
app.all("/api/logout/", logout(auth));
app.get("/api/secret-info/", guard(auth), (c) => c.json({ hello: "World" }));

const server = serve({ fetch: app.fetch, hostname, port }, announce);
onStop(() => server.close());
