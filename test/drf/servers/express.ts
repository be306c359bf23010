/** The recorded application on Express 5. */
import express from "express";
import { guard, mount, obtainToken } from "latchkey/express";
import type { AddressInfo } from "node:net";
import { REACHED, runServer } from "../control.ts";
import { answerView, listViews, loginGuard, loginViews, tutorialLogin } from "../views.ts";

await runServer((world) => {
  const app = express();
  const mark = (path: string, allow: string) => {
    app.use(path, (_request, response, next) => {
      response.setHeader(REACHED.name, REACHED.value);
      response.setHeader("Allow", allow);
      next();
    });
  };
  for (const view of listViews(world)) {
    mark(view.path, view.methods.join(", "));
    app.all(
      view.path,
      guard(world.auth, view.guard),
      async (request, response) => {
        const { status, headers, body } = await answerView(view, world, {
          method: request.method,
          authorization: request.headers.authorization ?? null,
          principal: response.locals.principal,
        });
        response.writeHead(status, { ...headers }).end(body);
      },
    );
  }
  for (const { path, kind, allow, options } of loginViews) {
    mark(path, allow);
    if (kind === "tutorial") app.use(path, guard(world.auth, loginGuard));
    app.all(
      path,
      kind === "obtain" ? obtainToken(world.auth, options) : mount(tutorialLogin(world)),
    );
  }
  return new Promise((resolve) => {
    const server = app.listen(0, "127.0.0.1", () => resolve(portOf(server.address())));
  });
});

function portOf(address: AddressInfo | string | null): number {
  if (typeof address !== "object" || address === null) throw new Error("Cannot listen");
  return address.port;
}
