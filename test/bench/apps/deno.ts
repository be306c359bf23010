/** Deno's own server with a guarded route: `deno.ts <variant>`. */
import { createFetch } from "./fetch.ts";
import { announce } from "./serving.ts";

const { handle, authorization } = await createFetch();
Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => void announce(port, authorization),
}, handle);
