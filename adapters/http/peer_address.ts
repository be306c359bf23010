/** What `Deno.serve` tells of a connection that is gone, and the others here with it. */
const GONE = "0.0.0.0";

/**
 * Finds the address of the socket's other end in what a platform passes besides a request.
 *
 * That is the second argument of a fetch-style handler, and `c.env` in Hono: on
 * `@hono/node-server` it has the request of Node, on `Deno.serve` a `remoteAddr`,
 * on `Bun.serve` it is the server, or in Hono has it as `server`. `null` for all else: the
 * bindings of a Worker, a socket of Unix, and on Bun a request that was made anew,
 * from which a connection that is gone cannot be told there.
 */
export function findPeerAddress(platform: unknown, request: Request): string | null {
  const hostname = readProperty(readProperty(platform, "remoteAddr"), "hostname");
  if (typeof hostname === "string") return hostname;
  for (const server of [platform, readProperty(platform, "server")]) {
    if (isBunServer(server)) {
      const address = readProperty(server.requestIP(request), "address");
      return typeof address === "string" ? address : null;
    }
  }
  return findSocketAddress(readProperty(readProperty(platform, "incoming"), "socket"));
}

/**
 * Finds the address of the other end of a socket of Node; `null` for a socket of Unix.
 *
 * Whoever sends a request and resets the connection at once has no address any
 * more when the request is handled. They get no answer, so they may all be one
 * client, `0.0.0.0`; an unknown address would let them pass where only known ones are counted.
 */
export function findSocketAddress(socket: unknown): string | null {
  const address = readProperty(socket, "remoteAddress");
  if (typeof address === "string") return address;
  const isGone = readProperty(socket, "destroyed") === true ||
    typeof readProperty(socket, "localAddress") === "string";
  return isGone ? GONE : null;
}

/** A binding of a Worker may be a stub that takes any name for a method: the count is no method. */
function isBunServer(value: unknown): value is { requestIP(request: Request): unknown } {
  return typeof readProperty(value, "requestIP") === "function" &&
    typeof readProperty(value, "pendingRequests") === "number";
}

function readProperty(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}
