import {
  allowAny,
  bearer,
  createGuard,
  createSelfService,
  type GuardOptions,
  type GuardRequest,
} from "latchkey";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser } from "../fixture.ts";
import { issue } from "./issue.ts";
import { dialects, send } from "./service.ts";

async function makeCaller(dialect: object = {}) {
  const { auth } = makeAuth(dialect);
  const { text } = await issue(auth, await makeUser(auth, "ada"));
  const ask = async (options: GuardOptions, lines: readonly (readonly [string, string])[]) => {
    const headers = new Headers();
    for (const [name, value] of lines) headers.append(name, value);
    const result = await createGuard(auth, options)({ method: "GET", headers });
    return result.ok ? result.value?.user.username ?? "nobody" : result.failure.status;
  };
  return { auth, text, ask };
}

describe.each(dialects)("in $name", ({ name, options }) => {
  const malformed = name === "bearer" ? 400 : 401;

  it("accepts two schemes side by side and challenges with the first", async () => {
    const { auth, text, ask } = await makeCaller(options);
    const schemes = ["Token", "Bearer"];
    for (const scheme of ["Token", "Bearer", "tOkEn", "BEARER"]) {
      expect(await ask({ schemes }, [["Authorization", `${scheme} ${text}`]])).toBe("ada");
    }
    for (const scheme of ["Basic", "Tokens", "Token,Bearer", "TokenBearer", ""]) {
      expect(await ask({ schemes }, [["Authorization", `${scheme} ${text}`]])).toBe(401);
    }
    expect(await ask({ schemes }, [["Authorization", `Token Bearer ${text}`]])).toBe(malformed);
    const refused = await createGuard(auth, { schemes })({ method: "GET", headers: new Headers() });
    expect(refused.ok || refused.failure.headers["WWW-Authenticate"]).toMatch(/^Token\b/);
  });

  it("reads a token of its own header only where that was asked for", async () => {
    const { text, ask } = await makeCaller(options);
    const key = ["x-api-key", text] as const;
    const asked = { apiKeyHeader: "X-Api-Key" };
    expect(await ask({}, [key])).toBe(401);
    expect(await ask({ permissions: [allowAny] }, [key])).toBe("nobody");
    expect(await ask(asked, [key])).toBe("ada");
    expect(await ask(asked, [["X-API-KEY", ` ${text}\t`]])).toBe("ada");
    expect(await ask({ ...asked, schemes: [] }, [key])).toBe("ada");
    expect(await ask({ ...asked, schemes: [] }, [])).toBe(403);
    expect(await ask(asked, [])).toBe(401);
    expect(await ask(asked, [["x-other-key", text]])).toBe(401);
  });

  it("H13: refuses a token in two places, also the same one, also where all are welcome", async () => {
    const { text, ask } = await makeCaller(options);
    const scheme = name === "bearer" ? "Bearer" : "Token";
    const asked: GuardOptions = { apiKeyHeader: "x-api-key", permissions: [allowAny] };
    const key = ["x-api-key", text] as const;
    expect(await ask(asked, [key, ["Authorization", `${scheme} ${text}`]])).toBe(400);
    expect(await ask(asked, [key, ["Authorization", `${scheme} x`]])).toBe(400);
    expect(await ask(asked, [key, ["Authorization", scheme]])).toBe(400);
    expect(await ask(asked, [["x-api-key", ""], ["Authorization", `${scheme} ${text}`]])).toBe(400);
    // Credentials of another scheme are somebody else's.
    expect(await ask(asked, [key, ["Authorization", "Basic YTpi"]])).toBe("ada");
  });

  it("H6: refuses a header of its own that is empty, is there twice or has more in it", async () => {
    const { text, ask } = await makeCaller(options);
    const asked: GuardOptions = { apiKeyHeader: "x-api-key", permissions: [allowAny] };
    for (const value of ["", "  ", `${text} ${text}`, `Token ${text}`, "\xff", "a".repeat(9_000)]) {
      expect(await ask(asked, [["x-api-key", value]]), value).toBe(malformed);
    }
    expect(await ask(asked, [["x-api-key", text], ["x-api-key", text]])).toBe(malformed);
    expect(await ask(asked, [["x-api-key", text], ["x-api-key", ""]])).toBe(
      401,
    );
    for (const value of ["x", `\xa0${text}`, `${text}\xa0`, `"${text}"`]) {
      expect([400, 401], value).toContain(await ask(asked, [["x-api-key", value]]));
    }
  });

  it("H16: reads headers through get() alone, whatever keeps them", async () => {
    const { auth, text } = await makeCaller(options);
    const guard = createGuard(auth, { schemes: ["Token"] });
    const own = new Map([["authorization", `Token ${text}`], ["__proto__", "x"]]);
    const request: GuardRequest = {
      method: "GET",
      headers: { get: (name) => own.get(name.toLowerCase()) ?? null },
    };
    expect(await guard(request)).toMatchObject({ ok: true });
    own.delete("authorization");
    expect(await guard(request)).toMatchObject({ ok: false });
  });

  it.each<[string, object]>([
    ["the query", {}],
    ["JSON", { json: { access_token: "TOKEN", token: "TOKEN", Authorization: "Token TOKEN" } }],
    ["H14: JSON of other types", { json: { access_token: ["TOKEN"], token: { $ne: null } } }],
    ["a form", { form: { access_token: "TOKEN", "access_token[]": "TOKEN" } }],
    ["a cookie", { headers: { Cookie: "token=TOKEN; Authorization=Token TOKEN" } }],
    ["other headers", {
      headers: {
        "X-Authorization": "Token TOKEN",
        "Proxy-Authorization": "Token TOKEN",
        "X-Access-Token": "TOKEN",
      },
    }],
  ])("H13: ignores a token in %s", async (_place, call) => {
    const { auth, text } = await makeCaller(options);
    const filled: object = JSON.parse(JSON.stringify(call).replaceAll("TOKEN", text));
    const { endpoint } = createSelfService(auth, { apiKeyHeader: "x-api-key" });
    const query = `?access_token=${text}&token=${text}&access_token[]=${text}&x-api-key=${text}`;
    for (const path of ["/tokens/", "/tokens/rotate/", "/logout/"]) {
      const reply = await send(endpoint, auth, "POST", `${path}${query}`, filled);
      expect(reply.status).toBe(401);
    }
  });
});

it("the self-service takes a token from the header that was asked for, to rotate it too", async () => {
  const { auth, text } = await makeCaller({ dialect: bearer() });
  const { endpoint } = createSelfService(auth, { apiKeyHeader: "x-api-key" });
  const headers = { "X-Api-Key": text };
  expect((await send(endpoint, auth, "GET", "/me/", { headers })).status).toBe(200);
  const rotated = await send(endpoint, auth, "POST", "/tokens/rotate/", { headers });
  expect([rotated.status, rotated.text.includes(text)]).toEqual([200, false]);
  expect((await send(endpoint, auth, "POST", "/tokens/rotate/", { headers })).text).toBe(
    rotated.text,
  );
  const both = await send(endpoint, auth, "POST", "/tokens/rotate/", { headers, token: text });
  expect(both.status).toBe(400);
});

it("F5: refuses a header that is not one, or has another meaning", () => {
  const { auth } = makeAuth();
  for (const apiKeyHeader of ["", "a b", "a\r\n", "é", "x:", "Authorization", "cookie"]) {
    expect(() => createGuard(auth, { apiKeyHeader }), apiKeyHeader).toThrow(
      "Cannot use this apiKeyHeader",
    );
  }
});
