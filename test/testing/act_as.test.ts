import {
  type Auth,
  bearer,
  createGuard,
  createLogout,
  createUser,
  defineAuth,
  flushUses,
  hasScopes,
  isAdminUser,
  login,
  logout,
  type Permission,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  type Store,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { actAs, type ActAsOptions, type Acting } from "latchkey/testing";
import { describe, expect, it } from "vitest";

const passwords = [pbkdf2({ iterations: 1_000 })] as const;
const scopes = ["notes:read", "notes:write"] as const;
type Scope = (typeof scopes)[number];

/** A store of which no verb may be called. */
function deadStore(): Store {
  const verbs = Object.keys(memoryStore()).filter((name) => name !== "events");
  const die = () => Promise.reject(new Error("Cannot do this: the store is dead"));
  return { ...memoryStore(), ...Object.fromEntries(verbs.map((verb) => [verb, die])) };
}

function makeDeadAuth() {
  return defineAuth({ store: deadStore(), passwords, scopes });
}

function makeRequest({ headers }: Pick<Acting, "headers">, method = "GET"): Request {
  return new Request("https://example.com/", { method, headers });
}

async function statusOf<Declared extends string>(
  { auth, headers }: Acting<Declared>,
  permission: Permission<NoInfer<Declared>> = isAdminUser,
): Promise<number> {
  const guard = createGuard(auth, { permissions: [permission] });
  const result = await guard(makeRequest({ headers }));
  return result.ok ? 200 : result.failure.status;
}

describe("actAs", () => {
  const { read, write } = { read: hasScopes(["notes:read"]), write: hasScopes(["notes:write"]) };

  it.each<[ActAsOptions<Scope>, Permission<Scope>, number]>([
    [{ scopes: ["notes:read"] }, read, 200],
    [{ scopes: ["notes:read"] }, write, 403],
    [{ scopes: ["notes:read", "notes:write"] }, write, 200],
    [{}, read, 403],
    [{ isStaff: true }, isAdminUser, 200],
    [{ isSuperuser: true }, isAdminUser, 403],
    [{}, isAdminUser, 403],
  ])("with %j is judged by the guard and not by the store", async (options, permission, status) => {
    expect(await statusOf(actAs(makeDeadAuth(), options), permission)).toBe(status);
  });

  it("tells the principal that a request will have", async () => {
    const acting = actAs(makeDeadAuth(), { id: "7", username: "ada", scopes: ["notes:write"] });
    expect(acting.principal).toMatchObject({
      user: { id: "7", username: "ada", isActive: true, isStaff: false, isSuperuser: false },
      token: { owner: "7", scopes: ["notes:write"], expiresAt: null },
    });
    const result = await createGuard(acting.auth)(makeRequest(acting));
    expect(result).toEqual({ ok: true, value: acting.principal });
    expect(JSON.stringify(acting.principal)).not.toContain(acting.headers.Authorization.slice(6));
  });

  it("uses the scheme of the dialect", async () => {
    const auth = defineAuth({ store: deadStore(), passwords, dialect: bearer() });
    const acting = actAs(auth);
    expect(acting.headers.Authorization).toMatch(/^Bearer lk_\w{49}$/);
    expect((await createGuard(acting.auth)(makeRequest(acting))).ok).toBe(true);
  });

  it("does not ask findUser for its own user, and asks it for all others", async () => {
    const store = memoryStore();
    const asked: string[] = [];
    const auth = defineAuth({
      store,
      passwords,
      async findUser(owner) {
        asked.push(owner);
        return await store.findUser(owner);
      },
    });
    const text = await logIn(auth);
    const acting = actAs(auth, { isStaff: true });
    expect(await statusOf(acting)).toBe(200);
    expect(asked).toEqual([]);
    expect((await verifyToken(acting.auth, text)).ok).toBe(true);
    expect(asked).toHaveLength(1);
  });

  it("never writes down its use, and still that of other tokens", async () => {
    const touched: string[] = [];
    const store: Store = {
      ...memoryStore(),
      touchTokens(uses) {
        touched.push(...uses.map(({ id }) => id));
        return Promise.resolve();
      },
    };
    const auth = defineAuth({ store, passwords });
    const text = await logIn(auth);
    const acting = actAs(auth, { isStaff: true });
    expect(await statusOf(acting)).toBe(200);
    await flushUses(acting.auth);
    expect(touched).toEqual([]);
    const other = await verifyToken(acting.auth, text);
    await flushUses(acting.auth);
    expect(touched).toEqual([other.ok && other.value.token.id]);
  });

  it("does not leave its use to a write of the given configuration", async () => {
    const touched: string[] = [];
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const store: Store = {
      ...memoryStore(),
      async touchTokens(uses) {
        touched.push(...uses.map(({ id }) => id));
        await gate;
      },
    };
    const auth = defineAuth({ store, passwords });
    const other = await verifyToken(auth, await logIn(auth));
    const acting = actAs(auth, { isStaff: true });
    expect(await statusOf(acting)).toBe(200);
    release();
    await flushUses(auth);
    await flushUses(acting.auth);
    expect(touched).toEqual([other.ok && other.value.token.id]);
  });

  it("works with a clock that stands still in the far future", async () => {
    const auth = defineAuth({
      store: deadStore(),
      passwords,
      now: () => 8e15,
      idleTimeout: 60_000_000,
    });
    expect(await statusOf(actAs(auth, { isStaff: true }))).toBe(200);
  });

  it.each<[string, (acting: Acting) => Promise<unknown>]>([
    ["the endpoint", ({ auth, headers }) => createLogout(auth)(makeRequest({ headers }, "POST"))],
    ["a logout", ({ auth, principal }) => logout(auth, principal)],
    ["a revocation", ({ auth, principal }) => revokeToken(auth, principal.token.id)],
  ])("ends when %s ends it, without the store", async (_, end) => {
    const acting: Acting = actAs(defineAuth({ store: deadStore(), passwords }), { isStaff: true });
    expect(await statusOf(acting)).toBe(200);
    await end(acting);
    expect(await statusOf(acting)).toBe(401);
    expect(await revokeToken(acting.auth, acting.principal.token.id)).toBe(false);
  });

  it("is not ended by the revocation of another owner's token", async () => {
    const acting = actAs(makeDeadAuth(), { isStaff: true });
    const options = { owner: "another" };
    expect(await revokeToken(acting.auth, acting.principal.token.id, options)).toBe(false);
    expect(await statusOf(acting)).toBe(200);
  });

  it("ends with all tokens of its user, and not with all others", async () => {
    const acting = actAs(defineAuth({ store: memoryStore(), passwords }), { isStaff: true });
    expect(await revokeOtherTokens(acting.auth, acting.principal)).toBe(0);
    expect(await revokeAllTokens(acting.auth, "another")).toBe(0);
    expect(await statusOf(acting)).toBe(200);
    expect(await revokeAllTokens(acting.auth, acting.principal.user.id)).toBe(1);
    expect(await statusOf(acting)).toBe(401);
    expect(await revokeAllTokens(acting.auth, acting.principal.user.id)).toBe(0);
  });

  it("lets two users act side by side", async () => {
    const ada = actAs(makeDeadAuth(), { username: "ada", isStaff: true });
    const bob = actAs(ada.auth, { username: "bob" });
    const guard = createGuard(bob.auth);
    for (const { headers, principal } of [ada, bob]) {
      expect(await guard(makeRequest({ headers }))).toEqual({ ok: true, value: principal });
    }
    expect(bob.principal.user.id).not.toBe(ada.principal.user.id);
    await logout(bob.auth, ada.principal);
    expect((await guard(makeRequest(ada))).ok).toBe(false);
    expect((await guard(makeRequest(bob))).ok).toBe(true);
  });

  it("leaves the given configuration as it is", async () => {
    const auth = defineAuth({ store: memoryStore(), passwords });
    const { headers } = actAs(auth, { isStaff: true });
    expect((await createGuard(auth)(makeRequest({ headers }))).ok).toBe(false);
  });

  it("refuses a scope that is not declared, at compile time and at run time", () => {
    // @ts-expect-error: there is no such scope
    const misspelt: ActAsOptions<Scope> = { scopes: ["notes:raed"] };
    expect(() => actAs(makeDeadAuth(), misspelt)).toThrow(RangeError);
    // @ts-expect-error: there is no such scope
    expect(() => actAs(makeDeadAuth(), { scopes: ["notes:raed"] })).toThrow(RangeError);
    expect(() => actAs(makeDeadAuth(), { id: "" })).toThrow(TypeError);
  });
});

async function logIn(auth: Auth): Promise<string> {
  await createUser(auth, { username: "eve", password: "quiet-harbour-lamp" });
  const result = await login(auth, { username: "eve", password: "quiet-harbour-lamp" });
  if (!result.ok) throw new Error(`Cannot log in: ${result.failure.reason}`);
  return result.value.text.reveal();
}
