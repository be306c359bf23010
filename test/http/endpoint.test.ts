import {
  createLogout,
  createObtainToken,
  defineEndpoint,
  type Endpoint,
  StoreError,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, SECRET } from "../fixture.ts";
import { issue } from "./issue.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

async function call(
  endpoint: Endpoint,
  init: RequestInit,
): Promise<{ status: number; headers: Headers; body: string }> {
  const response = await endpoint(new Request("http://test/", init));
  return { status: response.status, headers: response.headers, body: await response.text() };
}

function post(body: unknown, headers: Record<string, string> = JSON_TYPE): RequestInit {
  return { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) };
}

const REFUSED = '{"non_field_errors":["Unable to log in with provided credentials."]}';

describe("createObtainToken()", () => {
  it("gives a token that no cache may keep", async () => {
    const { auth } = makeAuth();
    await makeUser(auth, "ada");
    const { status, headers, body } = await call(
      createObtainToken(auth),
      post({ username: " ada ", password: "ada-password" }),
    );
    expect(status).toBe(200);
    expect(headers.get("Cache-Control")).toBe("no-store");
    expect(headers.get("Allow")).toBe("POST, OPTIONS");
    const token: unknown = Reflect.get(JSON.parse(body), "token");
    expect(await verifyToken(auth, String(token))).toMatchObject({ ok: true });
  });

  it.each<[string, unknown, number, string]>([
    ["an unknown user", { username: "eve", password: "x" }, 400, REFUSED],
    ["a wrong password", { username: "ada", password: "x" }, 400, REFUSED],
    [
      "P1: a password above the cap",
      { username: "ada", password: "x".repeat(5_000) },
      400,
      REFUSED,
    ],
    [
      "a null password",
      { username: "ada", password: null },
      400,
      '{"password":["This field may not be null."]}',
    ],
    [
      "nothing",
      {},
      400,
      '{"username":["This field is required."],"password":["This field is required."]}',
    ],
    [
      "a list",
      [],
      400,
      '{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}',
    ],
    [
      "a number",
      42,
      400,
      '{"non_field_errors":["Invalid data. Expected a dictionary, but got int."]}',
    ],
    [
      "a fraction",
      1.5,
      400,
      '{"non_field_errors":["Invalid data. Expected a dictionary, but got float."]}',
    ],
    [
      "a boolean",
      true,
      400,
      '{"non_field_errors":["Invalid data. Expected a dictionary, but got bool."]}',
    ],
    [
      "a text",
      '"text"',
      400,
      '{"non_field_errors":["Invalid data. Expected a dictionary, but got str."]}',
    ],
    ["null", null, 400, '{"non_field_errors":["No data provided"]}'],
    ["malformed JSON", "{oops", 400, '{"detail":"JSON parse error - the body is not valid JSON"}'],
    [
      "J3: deep JSON",
      "[".repeat(60_000),
      400,
      '{"detail":"JSON parse error - the body is not valid JSON"}',
    ],
    [
      "J2: a large body",
      "x".repeat(65_537),
      413,
      '{"detail":"Request body is larger than 65536 bytes."}',
    ],
  ])("answers %s", async (_name, body, status, expected) => {
    const { auth } = makeAuth();
    await makeUser(auth, "ada");
    const answer = await call(createObtainToken(auth), post(body));
    expect([answer.status, answer.body]).toEqual([status, expected]);
    expect(answer.headers.get("WWW-Authenticate")).toBeNull();
  });

  it.each(["GET", "HEAD", "PUT", "PATCH", "DELETE"])(
    "answers %s with 405 and what is allowed",
    async (method) => {
      const { status, headers, body } = await call(createObtainToken(makeAuth().auth), { method });
      expect([status, headers.get("Allow")]).toEqual([405, "POST, OPTIONS"]);
      expect(body).toBe(
        method === "HEAD" ? "" : `{"detail":"Method \\"${method}\\" not allowed."}`,
      );
    },
  );

  it("does not look at Authorization, so a stale token cannot keep anybody out", async () => {
    const { auth } = makeAuth();
    await makeUser(auth, "ada");
    const stale = { ...JSON_TYPE, Authorization: "Token stale stale" };
    const { status } = await call(
      createObtainToken(auth),
      post({ username: "ada", password: "ada-password" }, stale),
    );
    expect(status).toBe(200);
  });

  it("A2: obeys no owner, scope or expiry in the body", async () => {
    const { auth } = makeAuth({ scopes: ["read"] });
    const ada = await makeUser(auth, "ada");
    const body = {
      username: "ada",
      password: "ada-password",
      owner: "2",
      scopes: ["read"],
      expiresAt: null,
      id: "x",
    };
    const { body: answer } = await call(createObtainToken(auth), post(body));
    const verified = await verifyToken(auth, String(Reflect.get(JSON.parse(answer), "token")));
    if (!verified.ok) throw new Error(verified.failure.reason);
    expect(verified.value.token).toMatchObject({ owner: ada.id, scopes: [] });
    expect(verified.value.token.expiresAt).not.toBeNull();
  });

  it("checks its scopes when it is made", () => {
    const { auth } = makeAuth({ scopes: ["read"] });
    expect(() => createObtainToken(auth, { scopes: ["raed"] })).toThrow(RangeError);
    expect(() => createObtainToken(auth, { expiresIn: NaN })).toThrow(RangeError);
    expect(() => createObtainToken(auth, { maxBody: 0 })).toThrow(RangeError);
  });

  it("L2: no answer and no thrown error holds the secret, a digest, a stored password or SQL", async () => {
    const store = memoryStore();
    const { auth } = makeAuth({ store, onLogin: "reuse", secret: SECRET });
    await makeUser(auth, "ada");
    const stored = (await store.findUserByName("ada"))?.password ?? "";
    const bodies = [
      { username: "ada", password: "ada-password" },
      { username: "ada", password: "sentinel" },
      {},
      "{sentinel",
    ];
    for (const body of bodies) {
      const answer = await call(createObtainToken(auth), post(body));
      const seen = JSON.stringify([answer.body, ...answer.headers]);
      const token: unknown = answer.status === 200
        ? Reflect.get(JSON.parse(answer.body), "token")
        : "none";
      for (
        const secret of [
          SECRET,
          stored,
          auth.digest(String(token)).digest,
          "sentinel",
          "ada-password",
        ]
      ) {
        expect(seen).not.toContain(secret);
      }
    }
  });

  it("C4: answers a store that fails with 503", async () => {
    const { auth } = makeAuth({
      store: { ...memoryStore(), findUserByName: () => Promise.reject(new Error("down")) },
    });
    const { status, headers } = await call(
      createObtainToken(auth),
      post({ username: "ada", password: "x" }),
    );
    expect([status, headers.get("Retry-After"), headers.get("Cache-Control")]).toEqual([
      503,
      "1",
      "no-store",
    ]);
  });
});

describe("createLogout()", () => {
  it("revokes the token it is called with and no other", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const [one, other] = [await issue(auth, ada), await issue(auth, ada)];
    const headers = { Authorization: `Token ${one.text}` };
    const logout = createLogout(auth);
    expect(await call(logout, { method: "POST", headers })).toMatchObject({
      status: 204,
      body: "",
    });
    expect(await call(logout, { method: "POST", headers })).toMatchObject({ status: 401 });
    expect(await verifyToken(auth, other.text)).toMatchObject({ ok: true });
  });

  it("A1: takes the token from Authorization and from nowhere else", async () => {
    const { auth } = makeAuth();
    const ada = await makeUser(auth, "ada");
    const { text, token } = await issue(auth, ada);
    const body = JSON.stringify({ token: text, id: token.id });
    expect(await call(createLogout(auth), { method: "POST", headers: JSON_TYPE, body }))
      .toMatchObject({ status: 401 });
    expect(await call(createLogout(auth), { method: "GET" })).toMatchObject({ status: 405 });
    expect(await call(createLogout(auth), { method: "OPTIONS" })).toMatchObject({ status: 204 });
    expect(await verifyToken(auth, text)).toMatchObject({ ok: true });
  });
});

describe("defineEndpoint()", () => {
  const schema = v.object({ name: v.string() });

  it("answers a store that fails inside the application's own code with 503, and passes on other errors", async () => {
    const { auth } = makeAuth();
    const failing = (error: Error) =>
      defineEndpoint(auth, { schema, handle: () => Promise.reject(error) });
    expect(await call(failing(new StoreError("find")), post({ name: "x" }))).toMatchObject({
      status: 503,
    });
    await expect(call(failing(new Error("a bug")), post({ name: "x" }))).rejects.toThrow("a bug");
  });

  it("keeps the application's answer and adds its headers", async () => {
    const { auth } = makeAuth();
    const handle = ({ name }: { name: string }) =>
      Response.json({ name }, { status: 201, headers: { "X-Own": "1" } });
    const { status, headers, body } = await call(
      defineEndpoint(auth, { schema, handle }),
      post({ name: "x" }),
    );
    expect([status, body, headers.get("X-Own"), headers.get("Cache-Control")]).toEqual([
      201,
      '{"name":"x"}',
      "1",
      "no-store",
    ]);
  });
});
