import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { type BreachedOptions, notBreached } from "latchkey/breached-passwords";
import { afterEach, describe, expect, it } from "vitest";

// SHA-1: ABF7AAD6438836DBE526AA231ABDE2D0EEF74D42
const PASSWORD = "correct horse battery staple";
const PREFIX = "ABF7A";
const ENDING = "AD6438836DBE526AA231ABDE2D0EEF74D42";
const FOUND = `${ENDING}:200`;
const OTHER = "0".repeat(35) + ":7";

const context = { username: "ada" };
const breached = {
  code: "password_breached",
  message: "This password is known from a data breach.",
};
const unchecked = {
  code: "password_not_checked",
  message: "This password could not be checked. Try again later.",
};

/** Longer than a test may take: what fails before it fails by itself. */
const NEVER = 600_000;

interface Service {
  readonly url: string;
  /** The heads of all requests. */
  readonly requests: readonly string[];
  /** Resolves when the first connection is closed. */
  readonly hungUp: Promise<void>;
}

const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) {
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }
});

/** A service that answers each request as the function writes it. */
async function startService(answer: (socket: Socket) => void): Promise<Service> {
  const requests: string[] = [];
  let hangUp = () => {};
  const hungUp = new Promise<void>((resolve) => {
    hangUp = resolve;
  });
  const server = createServer((socket) => {
    let head = "";
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      hangUp();
    });
    socket.on("data", (chunk) => {
      head += String(chunk);
      if (!head.includes("\r\n\r\n")) return;
      requests.push(head);
      head = "";
      answer(socket);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("Expected a port");
  return { url: `http://127.0.0.1:${address.port}/range`, requests, hungUp };
}

/** A whole answer. */
function write(status: string, body: string | Uint8Array, ...lines: readonly string[]) {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const head = [`HTTP/1.1 ${status}`, `Content-Length: ${bytes.length}`, ...lines];
  return (socket: Socket) => {
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.write(bytes);
  };
}

/** Sends a text for as long as somebody takes it. */
function flood(text: string) {
  return (socket: Socket) => {
    const pump = () => {
      while (!socket.destroyed && socket.write(text));
    };
    socket.on("drain", pump);
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    pump();
  };
}

function ask(options: BreachedOptions, password = PASSWORD) {
  return notBreached({ timeout: NEVER, onFailure: "refuse", ...options })(password, context);
}

describe("a password that is looked up", () => {
  it.each([
    ["breached", [OTHER, FOUND], breached],
    ["breached, with a last line break", [FOUND, OTHER, ""], breached],
    ["not breached", [OTHER], null],
    ["not breached, but the padding looks like it", [OTHER, `${ENDING}:0`, `${ENDING}:00`], null],
  ])("is %s (P9)", async (_title, lines, problem) => {
    const { url } = await startService(write("200 OK", lines.join("\r\n")));
    expect(await ask({ url })).toEqual(problem);
    expect(await ask({ url: `${url}/` })).toEqual(problem);
  });

  it("is hashed as it was typed (P9)", async () => {
    const { url, requests } = await startService(write("200 OK", OTHER));
    await ask({ url }, ` ${PASSWORD}`);
    await ask({ url }, PASSWORD.toUpperCase());
    await ask({ url }, "пароль");
    expect(requests.map((head) => head.split(" ")[1]))
      .toEqual(["/range/96EED", "/range/82C6B", "/range/5670B"]);
  });

  it("sends five characters of its hash and nothing else (P9)", async () => {
    const { url, requests } = await startService(write("200 OK", OTHER));
    await ask({ url });
    expect(requests.length).toBe(1);
    const [first = "", ...lines] = requests.join("").split("\r\n");
    expect(first).toBe(`GET /range/${PREFIX} HTTP/1.1`);
    expect(lines.map((line) => line.toLowerCase())).toContain("add-padding: true");
    for (const secret of [PASSWORD, ENDING, ENDING.slice(0, 6), context.username]) {
      expect(requests.join("").toLowerCase()).not.toContain(secret.toLowerCase());
    }
    const names = lines.filter((line) => line !== "").map((line) => line.split(":")[0]);
    expect(names.map((name) => name?.toLowerCase()).filter((name) => name === "cookie")).toEqual(
      [],
    );
    expect(requests.join("").endsWith("\r\n\r\n")).toBe(true);
  });
});

describe("a service that fails", () => {
  const lines = `${OTHER}\r\n`.repeat(100_000);
  const failures: readonly (readonly [string, (socket: Socket) => void])[] = [
    ["answers 500", write("500 Internal Server Error", FOUND)],
    ["answers 404", write("404 Not Found", FOUND)],
    ["answers 429", write("429 Too Many Requests", FOUND, "Retry-After: 1")],
    ["answers 206", write("206 Partial Content", FOUND)],
    ["sends us elsewhere", write("302 Found", FOUND, "Location: /range/00000")],
    ["answers nothing", write("200 OK", "")],
    ["answers a web page", write("200 OK", "<!doctype html><title>Hotel</title>")],
    ["ends in garbage", write("200 OK", `${FOUND}\r\n${OTHER}\r\nx`)],
    ["leaves out a count", write("200 OK", `${FOUND}\r\n${ENDING}:`)],
    ["answers a negative count", write("200 OK", `${FOUND}\r\n${ENDING}:-1`)],
    ["answers an empty line", write("200 OK", `${FOUND}\r\n\r\n${OTHER}`)],
    ["answers bytes", write("200 OK", Uint8Array.from({ length: 4_096 }, (_, byte) => byte))],
    ["answers too much", write("200 OK", `${FOUND}\r\n${lines}`)],
    [
      "answers too much, packed",
      write("200 OK", gzipSync(`${FOUND}\r\n${lines}`), "Content-Encoding: gzip"),
    ],
    ["never ends its lines", flood(lines)],
    ["never ends its only line", flood("0".repeat(65_536))],
    ["speaks no HTTP", (socket) => socket.end("SSH-2.0-OpenSSH_9.2\r\n")],
    ["hangs up", (socket) => socket.destroy()],
    [
      "hangs up halfway",
      (socket) => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n${FOUND}\r\n`),
    ],
  ];

  it.each(failures)(
    "is noticed when it %s, and the option decides (P9)",
    async (_title, answer) => {
      const { url, requests } = await startService(answer);
      expect(await ask({ url, onFailure: "refuse" })).toEqual(unchecked);
      expect(await ask({ url, onFailure: "accept" })).toBeNull();
      // Some clients try again when a connection breaks; none goes where it was sent.
      expect(requests.filter((head) => !head.startsWith(`GET /range/${PREFIX} `))).toEqual([]);
    },
    20_000,
  );

  it.each<[string, (socket: Socket) => void]>([
    ["never answers", () => {}],
    ["never ends its head", (socket) => socket.write("HTTP/1.1 200 OK\r\nX: ")],
    [
      "never sends the body it promised",
      (socket) => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n"),
    ],
    [
      "stops in the middle of the body",
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n${FOUND}\r\n`),
    ],
    [
      "never ends a refusal",
      (socket) => socket.write("HTTP/1.1 503 Busy\r\nContent-Length: 999\r\n\r\nx"),
    ],
  ])("is not waited for when it %s (P9)", async (_title, answer) => {
    const { url, hungUp } = await startService(answer);
    const timeout = { milliseconds: () => 50 };
    expect(await ask({ url, timeout, onFailure: "refuse" })).toEqual(unchecked);
    await hungUp;
    expect(await ask({ url, timeout, onFailure: "accept" })).toBeNull();
  }, 20_000);

  // Node never settles the reading of such a body.
  it("is not waited for when it says wrongly that its answer is packed (P9)", async () => {
    const { url } = await startService(write("200 OK", FOUND, "Content-Encoding: gzip"));
    expect(await ask({ url, timeout: 50, onFailure: "refuse" })).toEqual(unchecked);
    expect(await ask({ url, timeout: 50, onFailure: "accept" })).toBeNull();
  }, 20_000);

  it.each(["never ends its lines", "never ends its only line"])(
    "is hung up on when it %s (P9)",
    async (title) => {
      const { url, hungUp } = await startService(
        failures.find(([name]) => name === title)?.[1] ??
          (() => {}),
      );
      await ask({ url });
      await hungUp;
    },
    20_000,
  );

  it("accepts by default when it is down (P9)", async () => {
    const { url } = await startService(() => {});
    for (const server of servers.splice(0)) {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
    expect(await notBreached({ url })(PASSWORD, context)).toBeNull();
    expect(await ask({ url })).toEqual(unchecked);
  });
});

describe("a fetch of one's own", () => {
  it("gets the public service's address by default, and the signal (P9)", async () => {
    const calls: [string, RequestInit][] = [];
    await ask({
      fetch: (url, init) => {
        calls.push([url, init]);
        return Promise.resolve(new Response(OTHER));
      },
    });
    expect(calls).toMatchObject([[
      `https://api.pwnedpasswords.com/range/${PREFIX}`,
      { redirect: "manual", signal: expect.any(AbortSignal) },
    ]]);
  });

  it.each<[string, NonNullable<BreachedOptions["fetch"]>]>([
    ["does not listen to the signal", () => new Promise(() => {})],
    ["rejects", () => Promise.reject(new Error("no network"))],
    ["throws", () => {
      throw new Error("no network");
    }],
    ["answers without a body", () => Promise.resolve(new Response(null))],
  ])("may fail: it %s (P9)", async (_title, fetch) => {
    expect(await ask({ fetch, timeout: 20 })).toEqual(unchecked);
    expect(await ask({ fetch, timeout: 20, onFailure: "accept" })).toBeNull();
  });
});

describe("a configuration that cannot work", () => {
  it.each([
    "",
    "range",
    "ftp://localhost/range",
    "https://localhost/range?key=1",
    "https://localhost/range#x",
    "https://ada:secret@localhost/range",
  ])("is refused: %j is no address of a service (P9)", (url) => {
    expect(() => notBreached({ url })).toThrow(TypeError);
    expect(() => notBreached({ url })).toThrow("url must be absolute");
  });

  it("is refused: a time that is no time, an unknown word (P9)", () => {
    expect(() => notBreached({ timeout: 0 })).toThrow(RangeError);
    expect(() => notBreached({ timeout: NaN })).toThrow(RangeError);
    const onFailure: string = "ignore";
    expect(() => Reflect.apply(notBreached, undefined, [{ onFailure }])).toThrow(TypeError);
  });
});
