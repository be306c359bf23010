/** HTTP/1.1 by hand over TCP: what no client library would send, and every byte of the answer. */
import { Buffer } from "node:buffer";
import { connect } from "node:net";

/** A request, byte for byte. */
export interface WireRequest {
  readonly method: string;
  readonly path: string;
  /** Sent in this order and spelling, each character as one byte, line folding and all. */
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | null;
}

/** An answer; lines of the same header are joined by a comma. */
export interface WireAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

const TIMEOUT = 30_000;
const LINE = "\r\n";

/**
 * Sends a request to this machine and reads the answer until the server hangs up.
 *
 * Adds `Host`, `Connection: close` and `Content-Length`, each unless it is among the headers.
 */
export function exchange(port: number, request: WireRequest): Promise<WireAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host: "127.0.0.1", port });
    const settle = (error: Error | null) => {
      socket.destroy();
      const answer = readAnswer(Buffer.concat(chunks), request.method);
      // A server that refuses a body may reset the connection after it has answered.
      if (answer !== null) resolve(answer);
      else reject(error ?? new Error("the server hung up without an answer"));
    };
    socket.setTimeout(TIMEOUT, () => settle(new Error("no answer in time")));
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("end", () => settle(null));
    socket.on("error", settle);
    socket.write(writeRequest(request));
  });
}

function writeRequest({ method, path, headers, body }: WireRequest): Buffer {
  const named = new Set(headers.map(([name]) => name.toLowerCase()));
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  if (!named.has("connection")) lines.unshift("Connection: close");
  if (!named.has("host")) lines.unshift("Host: testserver");
  const length = body?.length ?? (["POST", "PUT", "PATCH"].includes(method) ? 0 : null);
  if (length !== null && !named.has("content-length") && !named.has("transfer-encoding")) {
    lines.push(`Content-Length: ${length}`);
  }
  const head = [`${method} ${path} HTTP/1.1`, ...lines, "", ""].join(LINE);
  return Buffer.concat([Buffer.from(head, "latin1"), body ?? new Uint8Array()]);
}

/** `null` for anything but one whole answer. */
function readAnswer(bytes: Buffer, method: string): WireAnswer | null {
  const end = bytes.indexOf(LINE + LINE);
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split(LINE);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  if (!Number.isInteger(status)) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const rest = bytes.subarray(end + 2 * LINE.length);
  const body = readBody(rest, headers, method);
  return body === null ? null : { status, headers, body: body.toString("utf8") };
}

function readBody(
  rest: Buffer,
  headers: ReadonlyMap<string, string>,
  method: string,
): Buffer | null {
  if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") {
    return method === "HEAD" ? rest : joinChunks(rest);
  }
  const length = headers.get("content-length");
  // Whatever follows the head of an answer to HEAD is returned, so that it can be found wrong.
  if (method === "HEAD" || length === undefined) return rest;
  return rest.length === Number(length) ? rest : null;
}

function joinChunks(rest: Buffer): Buffer | null {
  const chunks: Buffer[] = [];
  for (let offset = 0;;) {
    const end = rest.indexOf(LINE, offset);
    const size = end === -1 ? NaN : parseInt(rest.subarray(offset, end).toString("latin1"), 16);
    if (Number.isNaN(size)) return null;
    if (size === 0) return Buffer.concat(chunks);
    const start = end + LINE.length;
    chunks.push(rest.subarray(start, start + size));
    offset = start + size + LINE.length;
  }
}
