import {
  allowAny,
  type Answer,
  createGuard,
  drf,
  type GuardOptions,
  type GuardRequest,
  hasScopes,
  isAdminUser,
  isAuthenticated,
  isAuthenticatedOrReadOnly,
  not,
  permission,
  revokeToken,
  setActive,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser } from "../fixture.ts";
import { issue } from "./issue.ts";

const ANONYMOUS = '{"detail":"Authentication credentials were not provided."}';
const INVALID = '{"detail":"Invalid token."}';
const FORBIDDEN = '{"detail":"You do not have permission to perform this action."}';

/** An application with every kind of token. */
async function makeTokens() {
  const { auth, clock } = makeAuth({ scopes: ["read"], revokeOn: { deactivation: false } });
  const ada = await makeUser(auth, "ada");
  const bob = await makeUser(auth, "bob");
  const staff = await makeUser(auth, "staff", true);
  const text = async (owner: string, options = {}) => (await issue(auth, owner, options)).text;
  const revoked = await issue(auth, ada);
  const tokens = {
    ada: await text(ada.id),
    reader: await text(ada.id, { scopes: ["read"] }),
    staff: await text(staff.id),
    inactive: await text(bob.id),
    orphan: await text("nobody"),
    expired: await text(ada.id, { expiresIn: 1 }),
    revoked: revoked.text,
    unknown: "lk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3TQtQq",
    typo: "lk_typo",
  };
  await setActive(auth, bob.id, false);
  await revokeToken(auth, revoked.token.id);
  clock.now += 1;
  return { auth, tokens };
}

type Caller = keyof Awaited<ReturnType<typeof makeTokens>>["tokens"] | "anonymous" | "malformed";

function request(header: string | null, method = "GET"): GuardRequest {
  return { method, headers: new Headers(header === null ? {} : { Authorization: header }) };
}

function summarize(answer: Answer): string {
  const challenge = answer.headers["WWW-Authenticate"];
  return [answer.status, ...(challenge === undefined ? [] : [challenge]), answer.body].join(" ");
}

describe("createGuard()", () => {
  it.each<[Caller, GuardOptions, string, string]>([
    ["ada", {}, "GET", "ada"],
    ["anonymous", {}, "GET", `401 Token ${ANONYMOUS}`],
    [
      "malformed",
      {},
      "GET",
      '401 Token {"detail":"Invalid token header. No credentials provided."}',
    ],
    ["unknown", {}, "GET", `401 Token ${INVALID}`],
    ["typo", {}, "GET", `401 Token ${INVALID}`],
    ["expired", {}, "GET", `401 Token ${INVALID}`],
    ["revoked", {}, "GET", `401 Token ${INVALID}`],
    ["orphan", {}, "GET", `401 Token ${INVALID}`],
    ["inactive", {}, "GET", '401 Token {"detail":"User inactive or deleted."}'],
    ["anonymous", { permissions: [allowAny] }, "GET", "nobody"],
    ["ada", { permissions: [allowAny] }, "GET", "ada"],
    ["unknown", { permissions: [allowAny] }, "GET", `401 Token ${INVALID}`],
    [
      "malformed",
      { permissions: [allowAny] },
      "GET",
      '401 Token {"detail":"Invalid token header. No credentials provided."}',
    ],
    ["staff", { permissions: [isAdminUser] }, "GET", "staff"],
    ["ada", { permissions: [isAdminUser] }, "GET", `403 ${FORBIDDEN}`],
    ["anonymous", { permissions: [isAdminUser] }, "GET", `401 Token ${ANONYMOUS}`],
    ["anonymous", { permissions: [isAuthenticatedOrReadOnly] }, "GET", "nobody"],
    ["anonymous", { permissions: [isAuthenticatedOrReadOnly] }, "POST", `401 Token ${ANONYMOUS}`],
    ["reader", { permissions: [hasScopes(["read"])] }, "GET", "ada"],
    ["ada", { permissions: [hasScopes(["read"])] }, "GET", `403 ${FORBIDDEN}`],
    [
      "ada",
      { permissions: [isAuthenticated, permission(() => false, "Magic.")] },
      "GET",
      '403 {"detail":"Magic."}',
    ],
    [
      "anonymous",
      { permissions: [permission(() => false, "Magic.")] },
      "GET",
      `401 Token ${ANONYMOUS}`,
    ],
    ["ada", { permissions: [not(isAuthenticated)] }, "GET", `403 ${FORBIDDEN}`],
    ["anonymous", { schemes: ["Bearer", "Token"] }, "GET", `401 Bearer ${ANONYMOUS}`],
    ["ada", { schemes: ["Bearer", "Token"] }, "GET", "ada"],
    ["ada", { schemes: ["Bearer"] }, "GET", `401 Bearer ${ANONYMOUS}`],
    ["ada", { schemes: [] }, "GET", `403 ${FORBIDDEN}`],
    ["unknown", { schemes: [], permissions: [allowAny] }, "GET", "nobody"],
    ["anonymous", { challenge: false }, "GET", `403 ${ANONYMOUS}`],
    ["unknown", { challenge: false }, "GET", `403 ${INVALID}`],
  ])("answers %s with %j to %s", async (caller, options, method, expected) => {
    const { auth, tokens } = await makeTokens();
    const header = caller === "anonymous"
      ? null
      : caller === "malformed"
      ? "Token"
      : `Token ${tokens[caller]}`;
    const result = await createGuard(auth, options)(request(header, method));
    expect(result.ok ? result.value?.user.username ?? "nobody" : summarize(result.failure)).toBe(
      expected,
    );
  });

  it("C4: answers a store that fails with 503 and never with 401 or 200", async () => {
    const { auth } = makeAuth({
      store: { ...memoryStore(), findToken: () => Promise.reject(new Error("down")) },
    });
    const header = "Token lk_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf3TQtQq";
    const result = await createGuard(auth, { permissions: [allowAny] })(request(header));
    expect(result).toEqual({
      ok: false,
      failure: {
        status: 503,
        headers: { "Content-Type": "application/json", "Retry-After": "1" },
        body: '{"detail":"Service temporarily unavailable, try again later."}',
      },
    });
  });

  it("F5: refuses a guard without permissions and a scheme that cannot be one", () => {
    const { auth } = makeAuth();
    const none = { permissions: [] } as unknown as GuardOptions;
    expect(() => createGuard(auth, none)).toThrow("name allowAny to let everybody pass");
    for (const scheme of ["", "To ken", "Token\r\nSet-Cookie: a", 'T"', "é"]) {
      expect(() => createGuard(auth, { schemes: [scheme] }), scheme).toThrow(
        "Cannot use this scheme",
      );
      expect(() => drf({ scheme }), scheme).toThrow("Cannot use this scheme");
    }
  });

  it("speaks a dialect of the application's own, with its scheme", async () => {
    const dialect = {
      ...drf({ scheme: "Api-Key" }),
      deny: () => ({ status: 418, headers: {}, body: null }),
    };
    const { auth } = makeAuth({ dialect });
    const ada = await makeUser(auth, "ada");
    const { text } = await issue(auth, ada);
    expect(await createGuard(auth)(request(null))).toMatchObject({ failure: { status: 418 } });
    expect(await createGuard(auth)(request(`api-key ${text}`))).toMatchObject({ ok: true });
  });
});
