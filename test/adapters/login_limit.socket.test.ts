import { describe, expect, it } from "vitest";
import { makeWorld } from "./application.ts";
import { exchange, type RawRequest } from "./raw_http.ts";
import { targets } from "./target.ts";

const THROTTLED = '{"detail":"Request was throttled. Expected available in 60 seconds."}';

describe.each(targets)("$name", ({ start }) => {
  it("refuses logins of an address that failed too often, and of no other (B1, B6, B8)", async () => {
    const world = await makeWorld({
      trustedProxies: 1,
      loginLimits: { address: { max: 1, window: 60_000 } },
    });
    const server = await start(world.auth);
    const login = (password: string, ...more: readonly string[]): RawRequest => ({
      method: "POST",
      path: "/get-token",
      lines: ["Content-Type: application/json", ...more],
      body: JSON.stringify({ username: "ada", password }),
    });
    const elsewhere = "X-Forwarded-For: 192.0.2.1, 203.0.113.9";
    const token = `Authorization: Token ${world.tokens.ada}`;
    const change: RawRequest = {
      method: "POST",
      path: "/api/auth/password/",
      lines: ["Content-Type: application/json", token],
      body: JSON.stringify({ current_password: "ada-password", new_password: "another" }),
    };
    const ask = async (request: RawRequest) => {
      const { status, headers, body } = await exchange(server.port, request);
      return [status, headers.get("retry-after"), body];
    };
    const wrong = [
      400,
      undefined,
      '{"non_field_errors":["Unable to log in with provided credentials."]}',
    ];
    const refused = [429, "60", THROTTLED];
    try {
      expect(await ask(login("wrong"))).toEqual(wrong);
      expect(await ask(login("wrong"))).toEqual(refused);
      expect(await ask(login("ada-password"))).toEqual(refused);
      expect(await ask(change)).toEqual(refused);
      expect(await ask(login("wrong", elsewhere))).toEqual(wrong);
      expect(await ask(login("ada-password", "X-Forwarded-For: 203.0.113.9"))).toEqual(refused);
      expect((await ask(login("ada-password", "X-Forwarded-For: 203.0.113.10")))[0]).toBe(200);
      expect((await ask({ method: "GET", path: "/secret", lines: [token] }))[0]).toBe(200);
    } finally {
      await server.close();
    }
  });
});
