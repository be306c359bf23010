/** A server in a process of its own, which says how much memory it has when it is asked. */
import { serve } from "@hono/node-server";
import { createClient } from "@libsql/client";
import { Hono } from "hono";
import { createUser, defineAuth, issueToken } from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { guard, obtainToken } from "latchkey/hono";
import { libsqlStore, migrate } from "latchkey/libsql";
import process from "node:process";
import { must } from "../fixture.ts";

const [, , path = ""] = process.argv;
const client = createClient({ url: `file:${path}`, timeout: 1_000 });
await migrate(client);
// All defaults but the limits, which would refuse most of the storm before anything is hashed.
const auth = defineAuth({
  store: libsqlStore(client),
  passwords: [argon2id()],
  loginLimits: null,
});
const credentials = { username: "ada", password: "seven herons above the mill" };
const user = must(await createUser(auth, credentials));
const { text } = must(await issueToken(auth, user));

let peak = 0;
const read = () => {
  const { rss } = process.memoryUsage();
  peak = Math.max(peak, rss);
  return rss;
};
setInterval(read, 10);
// Each question is answered with the highest since the one before.
process.on("message", () => {
  const now = read();
  process.send?.({ kind: "memory", now, peak });
  peak = now;
});
process.once("disconnect", () => process.exit(0));

const app = new Hono();
app.get("/", guard(auth), (c) => c.json({ hello: "World" }));
app.post("/login", obtainToken(auth));
serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => {
  process.send?.({ kind: "ready", port, token: text.reveal(), credentials });
});
