/** Hono on Node with a guarded route: `hono.ts <variant>`. */
import { serve } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { bearerAuth } from "hono/bearer-auth";
import { guard, obtainToken } from "latchkey/hono";
import { announce, ANSWER, createHeaderCheck, prepareSubject, TEXT, variant } from "./serving.ts";

const subject = await prepareSubject();
const app = new Hono();
if (subject === null) {
  app.get(
    "/",
    variant === "bearerAuth" ? bearerAuth({ token: TEXT }) : checkMap(),
    (c) => c.json(ANSWER),
  );
} else {
  app.get("/", guard(subject.auth), (c) => c.json(ANSWER));
  app.post("/login", obtainToken(subject.auth));
}
const scheme = variant === "bearerAuth" ? "Bearer" : "Token";
serve(
  { fetch: app.fetch, hostname: "127.0.0.1", port: 0 },
  ({ port }) => announce(port, `${scheme} ${subject?.text ?? TEXT}`),
);

function checkMap(): MiddlewareHandler {
  const check = createHeaderCheck();
  return async (c, next) => {
    const user = check(c.req.header("authorization"));
    if (user === undefined) return c.json({ detail: "Invalid token." }, 401);
    c.set("user", user);
    return await next();
  };
}
