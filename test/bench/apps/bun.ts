/** Bun's own server with a guarded route: `bun.ts <variant>`. */
import { createFetch } from "./fetch.ts";
import { announce } from "./serving.ts";

const { handle, authorization } = await createFetch();
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  routes: {},
  fetch: handle,
});
await announce(server.port, authorization);
