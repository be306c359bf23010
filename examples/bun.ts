/** The tutorial on Bun's own server: `npm run example:bun`. */
import { guard, logout, mount, obtainToken } from "latchkey/fetch";
import { customLogin } from "./login.ts";
import { announce, auth, hostname, onStop, port } from "./setup.ts";

const server = Bun.serve({
  hostname,
  port,
  routes: {
    "/api/get-token/": obtainToken(auth),
    "/api/login/": mount(customLogin(auth)),
    "/api/logout/": logout(auth),
    "/api/secret-info/": guard(auth)(() => Response.json({ hello: "World" })),
  },
  fetch: () => new Response("Not found", { status: 404 }),
});
announce(server);
onStop(() => server.stop());
