import {
  allowAny,
  type Answer,
  bearer,
  type BearerOptions,
  createGuard,
  createObtainToken,
  defineEndpoint,
  type Denial,
  type GuardOptions,
  hasScopes,
  isAdminUser,
  isAuthenticated,
  type Permission,
  permission,
  revokeAllTokens,
  revokeToken,
  rotateToken,
  setActive,
  toResponse,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, START } from "../fixture.ts";
import { issue } from "./issue.ts";
import { read, send } from "./service.ts";

const PROBLEM = "application/problem+json";

/** A token for every reason why one may not hold, and some that do. */
async function makeTokens() {
  const { auth, clock } = makeAuth({
    dialect: bearer({ realm: "notes" }),
    scopes: ["read", "write"],
    idleTimeout: 1_000_000,
    revokeOn: { deactivation: false },
  });
  const ada = await makeUser(auth, "ada");
  const bob = await makeUser(auth, "bob");
  const eve = await makeUser(auth, "eve");
  const text = async (...rest: [owner: string, options?: object]) =>
    (await issue(auth, ...rest)).text;
  const revoked = await issue(auth, ada);
  const rotated = await text(ada.id, { idleTimeout: null });
  const tokens = {
    revoked: revoked.text,
    rotated,
    expired: await text(ada.id, { expiresIn: 1, idleTimeout: null }),
    idle: await text(ada.id, { idleTimeout: 200_000 }),
    inactive: await text(bob.id, { idleTimeout: null }),
    "of another epoch": await text(eve.id, { idleTimeout: null }),
    orphan: await text("nobody", { idleTimeout: null }),
    unknown: "lk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3TQtQq",
    malformed: "lk_typo",
    ada: await text(ada.id, { scopes: ["read"], idleTimeout: null }),
  };
  await revokeToken(auth, revoked.token.id);
  await rotateToken(auth, rotated);
  await setActive(auth, bob.id, false);
  await revokeAllTokens(auth, eve.id);
  clock.now += 200_000;
  return { auth, tokens };
}

const { auth, tokens } = await makeTokens();

async function ask(header: string | null, options: GuardOptions = {}, own = auth): Promise<Answer> {
  const headers = new Headers(header === null ? {} : { Authorization: header });
  const result = await createGuard(own, options)({ method: "GET", headers });
  return result.ok
    ? { status: 200, headers: {}, body: result.value?.user.username ?? null }
    : result.failure;
}

function problem(
  status: number,
  title: string,
  code: string,
  detail: unknown = expect.any(String),
) {
  return { type: "about:blank", title, status, detail, code };
}

describe("bearer()", () => {
  it("RFC 6750 §3.1: challenges without an error code where there are no credentials", async () => {
    for (const header of [null, "", "Basic dXNlcg==", 'Digest a="b"', "Bearerish x"]) {
      const { status, headers, body } = await ask(header);
      expect([status, headers]).toEqual([401, {
        "Content-Type": PROBLEM,
        "WWW-Authenticate": 'Bearer realm="notes"',
      }]);
      expect(JSON.parse(body ?? "")).toEqual(problem(401, "Unauthorized", "not_authenticated"));
    }
  });

  it.each([
    "Bearer",
    "Bearer ",
    "Bearer a b",
    "bearer a, Bearer b",
    "Bearer \xff",
    `Bearer ${"a".repeat(9_000)}`,
  ])("RFC 6750 §3.1: answers 400 invalid_request to a header like %.20j", async (header) => {
    for (const permissions of [[isAuthenticated], [allowAny]] as const) {
      const { status, headers, body } = await ask(header, { permissions });
      expect([status, headers["WWW-Authenticate"]]).toEqual([
        400,
        'Bearer realm="notes", error="invalid_request"',
      ]);
      expect(JSON.parse(body ?? "")).toEqual(problem(400, "Bad Request", "invalid_request"));
    }
  });

  it("L7: tells of a token that does not hold nothing of why", async () => {
    const reasons = Object.entries(tokens).filter(([name]) => name !== "ada");
    expect(reasons).toHaveLength(9);
    for (const [name, text] of reasons) {
      const { status, headers, body } = await ask(`Bearer ${text}`);
      expect([status, headers, JSON.parse(body ?? "")], name).toEqual([
        401,
        {
          "Content-Type": PROBLEM,
          "WWW-Authenticate": 'Bearer realm="notes", error="invalid_token"',
        },
        problem(401, "Unauthorized", "invalid_token", "The token does not hold."),
      ]);
    }
    expect(await ask(`bEaReR  ${tokens.ada}`)).toMatchObject({ status: 200, body: "ada" });
  });

  it("RFC 6750 §3.1: names the scopes that were needed", async () => {
    const good = `Bearer ${tokens.ada}`;
    const lacking = await ask(good, { permissions: [hasScopes(["read", "write"])] });
    expect([lacking.status, lacking.headers["WWW-Authenticate"]]).toEqual([
      403,
      'Bearer realm="notes", error="insufficient_scope", scope="read write"',
    ]);
    expect(JSON.parse(lacking.body ?? "")).toEqual(
      problem(403, "Forbidden", "insufficient_scope"),
    );
    expect(await ask(good, { permissions: [hasScopes(["read"])] })).toMatchObject({ status: 200 });
    const anonymous = await ask(null, { permissions: [hasScopes(["write"])] });
    expect(anonymous.headers["WWW-Authenticate"]).toBe('Bearer realm="notes"');
  });

  it("answers 403 without a challenge where a better token would not help", async () => {
    const permissions = [isAuthenticated, permission(() => false, "Not on Sundays.")] as const;
    const { status, headers, body } = await ask(`Bearer ${tokens.ada}`, { permissions });
    expect([status, headers]).toEqual([403, { "Content-Type": PROBLEM }]);
    expect(JSON.parse(body ?? "")).toEqual(
      problem(403, "Forbidden", "permission_denied", "Not on Sundays."),
    );
    const admin = await ask(`Bearer ${tokens.ada}`, { permissions: [isAdminUser] });
    expect(read(JSON.parse(admin.body ?? ""), "code")).toBe("permission_denied");
  });

  it("RFC 9110 §15.5.2: makes a 401 a 403 where there is no challenge to send", async () => {
    for (const [header, status] of [[null, 403], ["Bearer x", 403], ["Bearer", 400]] as const) {
      const answer = await ask(header, { challenge: false });
      expect([answer.status, "WWW-Authenticate" in answer.headers]).toEqual([status, false]);
      expect(read(JSON.parse(answer.body ?? ""), "status")).toBe(status);
    }
  });

  it("C4: answers 503 while the store fails", async () => {
    const store = { ...memoryStore(), findToken: () => Promise.reject(new Error("down")) };
    const broken = makeAuth({ store, dialect: bearer() }).auth;
    const { status, headers, body } = await ask(`Bearer ${tokens.ada}`, {}, broken);
    expect([status, headers]).toEqual([503, { "Content-Type": PROBLEM, "Retry-After": "1" }]);
    expect(JSON.parse(body ?? "")).toEqual(problem(503, "Service Unavailable", "unavailable"));
  });

  const endpoint = defineEndpoint(auth, {
    schema: v.object({ name: v.string("Not a valid string.") }),
    handle: () => new Response(null, { status: 204 }),
    maxBody: 100,
  });
  it.each<[string, string, object, number, string, object]>([
    ["another method", "PUT", { json: {} }, 405, "method_not_allowed", {}],
    [
      "a text",
      "POST",
      { json: {}, headers: { "Content-Type": "text/plain" } },
      415,
      "unsupported_media_type",
      {},
    ],
    ["a large body", "POST", { json: "x".repeat(101) }, 413, "body_too_large", {}],
    ["malformed JSON", "POST", { json: "{" }, 400, "malformed_body", {}],
    ["a missing field", "POST", { json: {} }, 400, "invalid_input", {
      errors: { name: ["This field is required."] },
    }],
    ["a list", "POST", { json: [] }, 400, "invalid_input", {
      errors: {},
      messages: ["Invalid data. Expected a dictionary, but got list."],
    }],
  ])("RFC 9457: answers %s with a problem", async (_title, method, options, status, code, more) => {
    const { headers, body } = await send(endpoint, auth, method, "/", options);
    expect(headers.get("Content-Type")).toBe(PROBLEM);
    expect(body).toEqual({ ...problem(status, expect.any(String), code), ...more });
  });

  it("RFC 9457: has a code for every refusal, and titles that are those of the statuses", () => {
    const reasons: readonly Denial[] = [
      { reason: "several_credentials" },
      { reason: "bad_credentials" },
      { reason: "token_limit" },
      { reason: "not_found" },
      { reason: "changed_meanwhile" },
      { reason: "malformed_body", kind: "form" },
    ];
    const titles = { 400: "Bad Request", 403: "Forbidden", 404: "Not Found", 409: "Conflict" };
    const codes = reasons.map((denial) => {
      const { status, body } = bearer().deny(denial, "Bearer");
      const parsed: unknown = JSON.parse(body ?? "");
      expect(read(parsed, "title")).toBe(Reflect.get(titles, status));
      expect(read(parsed, "status")).toBe(status);
      return [status, read(parsed, "code")];
    });
    expect(codes).toEqual([
      [400, "invalid_request"],
      [400, "bad_credentials"],
      [403, "token_limit"],
      [404, "not_found"],
      [409, "changed_meanwhile"],
      [400, "malformed_body"],
    ]);
  });

  it("RFC 6749 §5.1: grants with the remaining seconds and the scopes", async () => {
    const json = { username: "ada", password: "ada-password" };
    const grant = async (options: object) => {
      const { headers, body } = await send(createObtainToken(auth, options), auth, "POST", "/", {
        json,
      });
      expect(headers.get("Cache-Control")).toBe("no-store");
      return body;
    };
    const access_token = expect.stringMatching(/^lk_\w{49}$/);
    expect(await grant({ scopes: ["read", "write"], expiresIn: 90_999 })).toEqual({
      access_token,
      token_type: "Bearer",
      expires_in: 90,
      scope: "read write",
    });
    expect(await grant({ expiresIn: null })).toEqual({ access_token, token_type: "Bearer" });
    const wrong = await send(createObtainToken(auth), auth, "POST", "/", {
      json: { ...json, password: "x" },
    });
    expect([wrong.status, read(wrong.body, "code")]).toEqual([400, "bad_credentials"]);
    const { token } = await issue(auth, "1", { expiresIn: 1, idleTimeout: null });
    const late = bearer().grant("text", token, START + 10_000_000);
    expect(read(JSON.parse(late.body ?? ""), "expires_in")).toBe(0);
  });

  it("H18: quotes a realm, and refuses one that no header can carry", () => {
    const challenge = (options: BearerOptions) =>
      bearer(options).deny({ reason: "not_authenticated" }, "Bearer").headers["WWW-Authenticate"];
    expect(challenge({ realm: 'a "b" \\c' })).toBe('Bearer realm="a \\"b\\" \\\\c"');
    expect(challenge({})).toBe('Bearer realm="api"');
    for (const realm of ["", "a\r\nSet-Cookie: b=c", "é", "a\0", "\x7f", "x".repeat(129)]) {
      expect(() => bearer({ realm }), realm).toThrow("Cannot use this realm");
    }
    for (const scheme of ["", "a b", "a\r\n", "é", 'a"']) {
      expect(() => bearer({ scheme }), scheme).toThrow("Cannot use this scheme");
    }
  });

  it("H18: lets nothing into a header that is no scope, whatever a permission names", async () => {
    const scopes = ["a\r\nSet-Cookie: b=c", "é", "a b", 'a"', "", "good"];
    const own: Permission = { check: () => ({ scopes }) };
    const answer = await ask(`Bearer ${tokens.ada}`, { permissions: [isAuthenticated, own] });
    expect(toResponse(answer).headers.get("WWW-Authenticate")).toBe(
      'Bearer realm="notes", error="insufficient_scope", scope="good"',
    );
  });
});
