/** The recorded application on Deno's own server. */
import { toResponse } from "latchkey";
import { type FetchHandler, guard, obtainToken } from "latchkey/deno";
import { REACHED, runServer } from "../control.ts";
import { answerView, listViews, loginGuard, loginViews, tutorialLogin } from "../views.ts";

await runServer((world) => {
  const routes = new Map<string, FetchHandler>();
  const mount = (path: string, allow: string, handler: FetchHandler) => {
    routes.set(path, async (request, ...rest) => {
      const response = await handler(request, ...rest);
      response.headers.set(REACHED.name, REACHED.value);
      response.headers.set("Allow", allow);
      return response;
    });
  };
  for (const view of listViews(world)) {
    const guarded = guard(world.auth, view.guard);
    mount(
      view.path,
      view.methods.join(", "),
      guarded(async (request, principal) =>
        toResponse(
          await answerView(view, world, {
            method: request.method,
            authorization: request.headers.get("authorization"),
            principal,
          }),
        )
      ),
    );
  }
  for (const { path, kind, allow, options } of loginViews) {
    const login = tutorialLogin(world);
    mount(
      path,
      allow,
      kind === "obtain" ? obtainToken(world.auth, options) : guard(world.auth, loginGuard)(login),
    );
  }
  return new Promise((resolve) => {
    Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => resolve(port) },
      (request, info) =>
        routes.get(new URL(request.url).pathname)?.(request, info) ??
          new Response("Not found", { status: 404 }),
    );
  });
});
