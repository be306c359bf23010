import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeWorld } from "./application.ts";
import { comparedHeaders, listCases } from "./parity_case.ts";
import { exchange, openConnection, type RawAnswer } from "./raw_http.ts";
import { type RunningServer, targets } from "./target.ts";

const NEXT = { method: "GET", path: "/open" };
const world = await makeWorld();

describe.each(targets)("$name", ({ start }) => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await start((await makeWorld()).auth);
  });
  afterAll(() => server.close());

  describe("F1: answers as all targets do to", () => {
    for (const { status, headers, answer, title, ...request } of listCases(world)) {
      it(`${title} [${request.method} ${request.path.slice(0, 20)}]`, async () => {
        const connection = openConnection(server.port);
        try {
          connection.send(request);
          const received = await connection.receive(request.method);
          expect(received && pick(received)).toEqual({ status, headers, body: answer });
          // What follows on the same connection is answered as ever; only a server that did not
          // want the rest of a body may hang up instead.
          connection.send(NEXT);
          const next = await connection.receive(NEXT.method);
          if (next !== null || status !== 413) expect(next?.body).toBe('{"user":null}');
        } finally {
          connection.close();
        }
        expect((await exchange(server.port, NEXT)).body).toBe('{"user":null}');
      });
    }
  });
});

it("expects a challenge in every 401 and no-store beside every token", () => {
  for (const { status, headers, answer } of listCases(world)) {
    expect("www-authenticate" in headers).toBe(status === 401);
    if (answer.includes("lk_")) expect(headers["cache-control"]).toBe("no-store");
  }
});

function pick({ status, headers, body }: RawAnswer) {
  const picked = comparedHeaders.flatMap((name) => {
    const value = headers.get(name);
    return value === undefined ? [] : [[name, value]];
  });
  return { status, headers: Object.fromEntries(picked), body };
}
