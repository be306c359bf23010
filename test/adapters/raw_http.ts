/** HTTP/1.1 by hand over one TCP connection: what no client library sends, and several answers in turn. */
import { Buffer } from "node:buffer";
import { connect } from "node:net";

/** A request, byte for byte. */
export interface RawRequest {
  readonly method: string;
  /** The request target, as it is sent. */
  readonly path: string;
  /** Whole header lines, in this order; each character is one byte. */
  readonly lines?: readonly string[];
  /** A text is sent as UTF-8. Its length is declared unless a line frames the body. */
  readonly body?: string | Uint8Array;
}

/** An answer; lines of the same header are joined by a comma. */
export interface RawAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
}

/** A connection that stays open between requests. */
export interface RawConnection {
  send(request: RawRequest): void;
  /** Sends what is no whole request. */
  sendBytes(bytes: Uint8Array): void;
  /** The next answer; `null` when the server has hung up before it was whole. */
  receive(method: string): Promise<RawAnswer | null>;
  /** Sends the same bytes again and again, as fast as they are taken, until the server hangs up. */
  flood(bytes: Uint8Array): void;
  /** Says that nothing more is coming; answers still arrive. */
  end(): void;
  /** Waits until the server hangs up. */
  waitForEnd(): Promise<void>;
  /** Says that nothing more is coming, and waits until the server hangs up. */
  finish(): Promise<void>;
  close(): void;
}

const LINE = "\r\n";
const TIMEOUT = 20_000;

/** Connects to a server on this machine. */
export function openConnection(port: number): RawConnection {
  const socket = connect({ host: "127.0.0.1", port });
  let received = Buffer.alloc(0);
  let isOver = false;
  let wake = () => {};
  const end = () => {
    isOver = true;
    wake();
  };
  socket.setNoDelay(true);
  socket.setTimeout(TIMEOUT, () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    wake();
  });
  // A server that refuses a body may reset the connection after it has answered.
  socket.on("error", end);
  socket.on("end", end);
  socket.on("close", end);
  const wait = () => new Promise<void>((resolve) => wake = resolve);
  const waitForEnd = async () => {
    while (!isOver) await wait();
  };
  const sendBytes = (bytes: Uint8Array) => {
    if (!isOver) socket.write(bytes);
  };
  return {
    send: (request) => sendBytes(writeRequest(request)),
    sendBytes,
    async receive(method) {
      for (;;) {
        const found = readAnswer(received, method, isOver);
        if (found !== null) {
          received = received.subarray(found.size);
          if (found.answer.status !== 100) return found.answer;
        } else if (isOver) return null;
        else await wait();
      }
    },
    flood(bytes) {
      const pour = () => {
        while (!isOver && socket.write(bytes));
      };
      socket.on("drain", pour);
      pour();
    },
    end: () => {
      socket.end();
    },
    waitForEnd,
    async finish() {
      socket.end();
      await waitForEnd();
      socket.destroy();
    },
    close: () => socket.destroy(),
  };
}

/** Sends one request on a connection of its own. */
export async function exchange(port: number, request: RawRequest): Promise<RawAnswer> {
  const connection = openConnection(port);
  try {
    connection.send(request);
    const answer = await connection.receive(request.method);
    if (answer === null) throw new Error(`${request.method} ${request.path} got no answer`);
    return answer;
  } finally {
    connection.close();
  }
}

/** Cuts a body into chunks of `size` bytes, as `Transfer-Encoding: chunked` frames them. */
export function writeChunks(body: string, size: number): Uint8Array {
  const bytes = Buffer.from(body, "utf8");
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    const chunk = bytes.subarray(start, start + size);
    parts.push(Buffer.from(`${chunk.length.toString(16)}${LINE}`), chunk, Buffer.from(LINE));
  }
  return Buffer.concat([...parts, Buffer.from(`0${LINE}${LINE}`)]);
}

function writeRequest({ method, path, lines = [], body }: RawRequest): Buffer {
  const bytes = typeof body === "string" ? Buffer.from(body, "utf8") : body ?? new Uint8Array();
  const isFramed = lines.some((line) => /^(content-length|transfer-encoding):/i.test(line));
  const length = body === undefined || isFramed ? [] : [`Content-Length: ${bytes.length}`];
  const head = [`${method} ${path} HTTP/1.1`, "Host: localhost", ...lines, ...length, "", ""];
  return Buffer.concat([Buffer.from(head.join(LINE), "latin1"), bytes]);
}

/** The first answer in `bytes` and how long it is; `null` while it is not whole. */
function readAnswer(
  bytes: Buffer,
  method: string,
  isOver: boolean,
): { readonly answer: RawAnswer; readonly size: number } | null {
  const headEnd = bytes.indexOf(LINE + LINE);
  if (headEnd === -1) return null;
  const [first = "", ...lines] = bytes.subarray(0, headEnd).toString("latin1").split(LINE);
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1]);
  if (!Number.isInteger(status)) throw new Error(`Cannot read this as an answer: ${first}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  }
  const start = headEnd + 2 * LINE.length;
  const body = readBody(bytes.subarray(start), headers, { method, status, isOver });
  if (body === null) return null;
  const { content, size } = body;
  return { answer: { status, headers, body: content.toString("utf8") }, size: start + size };
}

function readBody(
  rest: Buffer,
  headers: ReadonlyMap<string, string>,
  { method, status, isOver }: {
    readonly method: string;
    readonly status: number;
    readonly isOver: boolean;
  },
): { readonly content: Buffer; readonly size: number } | null {
  const none = { content: Buffer.alloc(0), size: 0 };
  if (method === "HEAD" || status === 204 || status === 304 || status < 200) return none;
  if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") return joinChunks(rest);
  const length = headers.get("content-length");
  // Without a length the body ends with the connection.
  if (length === undefined) return isOver ? { content: rest, size: rest.length } : null;
  const size = Number(length);
  return rest.length < size ? null : { content: rest.subarray(0, size), size };
}

function joinChunks(rest: Buffer): { readonly content: Buffer; readonly size: number } | null {
  const chunks: Buffer[] = [];
  for (let offset = 0;;) {
    const end = rest.indexOf(LINE, offset);
    if (end === -1) return null;
    const size = parseInt(rest.subarray(offset, end).toString("latin1"), 16);
    const start = end + LINE.length;
    const next = start + size + LINE.length;
    if (Number.isNaN(size)) throw new Error("Cannot read the answer: a chunk has no size");
    if (rest.length < next) return null;
    if (size === 0) return { content: Buffer.concat(chunks), size: next };
    chunks.push(rest.subarray(start, start + size));
    offset = next;
  }
}
