/**
 * The tutorial with endpoints for looking after one's own tokens: `npm run example:self-service`.
 *
 * A user logs in and out, lists, makes, renames, rotates and revokes tokens, and
 * changes the password, all below `/api/auth/`.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { createSelfService } from "latchkey";
import { guard, logout, mount, obtainToken } from "latchkey/hono";
import { customLogin } from "./login.ts";
import { announce, auth, hostname, onStop, port } from "./setup.ts";

const app = new Hono();
app.all("/api/auth/*", mount(createSelfService(auth, { basePath: "/api/auth" }).endpoint));
app.all("/api/get-token/", obtainToken(auth));
app.all("/api/login/", mount(customLogin(auth)));
app.all("/api/logout/", logout(auth));
app.get("/api/secret-info/", guard(auth), (c) => c.json({ hello: "World" }));

const more = (url: string): string => `
Make a token for another device, and list yours (201, 200):
  curl -i ${url}/api/auth/tokens/ -H "Authorization: Token $TOKEN" -d name=laptop
  curl -i ${url}/api/auth/tokens/ -H "Authorization: Token $TOKEN"

Log every other device out (204):
  curl -i -X POST ${url}/api/auth/logout/others/ -H "Authorization: Token $TOKEN"
`;
const server = serve({ fetch: app.fetch, hostname, port }, (address) => announce(address, more));
onStop(() => server.close());
