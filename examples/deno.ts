/** The tutorial on Deno's own server: `npm run example:deno`. */
import { type FetchHandler, guard, logout, mount, obtainToken } from "latchkey/deno";
import { customLogin } from "./login.ts";
import { announce, auth, hostname, onStop, port } from "./setup.ts";

const routes: Record<string, FetchHandler> = {
  "/api/get-token/": obtainToken(auth),
  "/api/login/": mount(customLogin(auth)),
  "/api/logout/": logout(auth),
  "/api/secret-info/": guard(auth)(() => Response.json({ hello: "World" })),
};

const server = Deno.serve({ hostname, port, onListen: announce }, (request, info) => {
  const route = routes[new URL(request.url).pathname];
  return route === undefined ? new Response("Not found", { status: 404 }) : route(request, info);
});
onStop(() => server.shutdown());
