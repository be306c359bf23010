/** The recorded application on Hono, on Node through @hono/node-server. */
import { serve } from "@hono/node-server";
import { Hono, type MiddlewareHandler } from "hono";
import { toResponse } from "latchkey";
import { guard, mount, obtainToken } from "latchkey/hono";
import { REACHED, runServer } from "../control.ts";
import { answerView, listViews, loginGuard, loginViews, tutorialLogin } from "../views.ts";

await runServer((world) => {
  const app = new Hono();
  const mark = (allow: string): MiddlewareHandler => async (c, next) => {
    await next();
    c.res.headers.set(REACHED.name, REACHED.value);
    c.res.headers.set("Allow", allow);
  };
  for (const view of listViews(world)) {
    app.all(
      view.path,
      mark(view.methods.join(", ")),
      guard(world.auth, view.guard),
      async (c) =>
        toResponse(
          await answerView(view, world, {
            method: c.req.method,
            authorization: c.req.header("authorization") ?? null,
            principal: c.var.principal,
          }),
        ),
    );
  }
  for (const { path, kind, allow, options } of loginViews) {
    if (kind === "obtain") app.all(path, mark(allow), obtainToken(world.auth, options));
    else {
      app.all(path, mark(allow), guard(world.auth, loginGuard), mount(tutorialLogin(world)));
    }
  }
  return new Promise((resolve) => {
    serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) => resolve(port));
  });
});
