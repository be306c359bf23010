import { connect, createServer, type IncomingHttpHeaders } from "node:http2";
import { serve } from "@hono/node-server";
import { expect, it } from "vitest";
import { makeWorld } from "./application.ts";
import { makeHonoApplication } from "./target.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

it("answers over HTTP/2 as ever, also in the middle of a body (F6)", async () => {
  const { auth, tokens } = await makeWorld();
  const { fetch } = makeHonoApplication(auth);
  let server: ReturnType<typeof serve> | undefined;
  const port = await new Promise<number>((resolve) => {
    server = serve(
      { fetch, createServer, port: 0, hostname: "127.0.0.1", overrideGlobalObjects: false },
      (address) => resolve(address.port),
    );
  });
  const session = connect(`http://127.0.0.1:${port}`);
  const ask = (headers: Record<string, string>, body?: string, isWhole = true) =>
    new Promise<Answer>((resolve, reject) => {
      const stream = session.request(headers, { endStream: body === undefined });
      let head: IncomingHttpHeaders = {};
      let text = "";
      stream.setEncoding("utf8");
      stream.on("response", (received) => head = received);
      stream.on("data", (chunk: string) => text += chunk);
      stream.on(
        "end",
        () => resolve({ status: Number(head[":status"]), headers: head, body: text }),
      );
      stream.on("error", reject);
      if (body !== undefined && isWhole) stream.end(body);
      else if (body !== undefined) stream.write(body);
    });
  const login = { ":method": "POST", ":path": "/get-token", "content-type": "application/json" };
  const soon = { ...login, ":path": "/get-token-soon" };
  const LOGIN = '{"username":"ada","password":"ada-password"}';

  const refused = await ask({ ":path": "/secret" });
  expect([refused.status, refused.headers["www-authenticate"]]).toEqual([401, "Token"]);
  const authorization = `Token ${tokens.ada}`;
  expect((await ask({ ":path": "/secret", authorization })).body).toContain("vault");
  expect((await ask(login, LOGIN)).body).toBe(JSON.stringify({ token: tokens.ada }));
  expect((await ask(login, "x".repeat(65_537))).status).toBe(413);
  // A connection of HTTP/2 is shared, so that nothing of it is closed with the answer.
  const late = await ask(soon, LOGIN.slice(0, 20), false);
  expect([late.status, late.headers.connection]).toEqual([408, undefined]);
  expect((await ask(soon, LOGIN)).status).toBe(200);
  session.destroy();
  await new Promise((resolve) => server?.close(resolve));
});
