import {
  auditSink,
  type Auth,
  type AuthEvent,
  type AuthEventType,
  changePassword,
  createUser,
  deleteUser,
  type EventStore,
  issueToken,
  login,
  logout,
  mintToken,
  pruneTokens,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  verifyPassword,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, principalOf, START } from "../fixture.ts";

const at = START;
const right = { username: "ada", password: "ada-password" };

async function setUp() {
  const events: AuthEvent[] = [];
  const { auth, clock } = makeAuth({ onEvent: (event) => events.push(event), tokenLimit: 20 });
  const ada = await makeUser(auth, "ada");
  return { auth, clock, ada, events };
}

/** Everything that is told, in its order, when an operation runs. */
type Told = (setup: Awaited<ReturnType<typeof setUp>>) => Promise<{
  readonly run: () => Promise<unknown>;
  readonly events: readonly unknown[];
}>;

const text = expect.any(String);
const told: readonly (readonly [string, Told])[] = [
  ["a login", async ({ auth, ada }) => ({
    run: () => login(auth, right),
    events: [
      { type: "token_issued", at, owner: ada.id, token: text },
      { type: "logged_in", at, owner: ada.id, token: text },
    ],
  })],
  ["a wrong password", async ({ auth, ada }) => ({
    run: () => login(auth, { ...right, password: "nope" }),
    events: [{ type: "login_refused", at, owner: ada.id, reason: "wrong_password" }],
  })],
  ["an unknown user, without the name", async ({ auth }) => ({
    run: () => login(auth, { ...right, username: "my-password" }),
    events: [{ type: "login_refused", at, owner: null, reason: "unknown_user" }],
  })],
  ["credentials that cannot be right", async ({ auth }) => ({
    run: () => verifyPassword(auth, { ...right, password: "" }),
    events: [{ type: "login_refused", at, owner: null, reason: "malformed_credentials" }],
  })],
  ["a user without a password", async ({ auth }) => {
    const bob = must(await createUser(auth, { username: "bob" }));
    return {
      run: () => login(auth, { username: "bob", password: "x" }),
      events: [{ type: "login_refused", at, owner: bob.id, reason: "no_password" }],
    };
  }],
  ["an inactive user", async ({ auth, ada }) => {
    await setActive(auth, ada.id, false);
    return {
      run: () => login(auth, right),
      events: [{ type: "login_refused", at, owner: ada.id, reason: "inactive_user" }],
    };
  }],
  ["a token", async ({ auth, ada }) => ({
    run: () => issueToken(auth, ada),
    events: [{ type: "token_issued", at, owner: ada.id, token: text }],
  })],
  ["a minted token", async ({ auth, ada }) => {
    const principal = await principalOf(auth, must(await issueToken(auth, ada)));
    return {
      run: () => mintToken(auth, principal),
      events: [{ type: "token_issued", at, owner: ada.id, token: text }],
    };
  }],
  ["a verification that succeeds: nothing", async ({ auth, ada }) => {
    const issued = must(await issueToken(auth, ada));
    return { run: () => verifyToken(auth, issued.text.reveal()), events: [] };
  }],
  ["a text that is no token", async ({ auth }) => ({
    run: () => verifyToken(auth, "lk_typo"),
    events: [{ type: "token_refused", at, owner: null, token: null, reason: "malformed_token" }],
  })],
  ["a token that nobody has", async ({ auth }) => ({
    run: () => verifyToken(auth, textOfNobody(auth)),
    events: [{ type: "token_refused", at, owner: null, token: null, reason: "unknown_token" }],
  })],
  ["L7: an expired token", async ({ auth, ada, clock }) => {
    const { text, token } = must(await issueToken(auth, ada, { expiresIn: 5 }));
    clock.now += 5;
    const refused = { type: "token_refused", at: at + 5, owner: ada.id, token: token.id };
    return {
      run: () => verifyToken(auth, text.reveal()),
      events: [{ ...refused, reason: "expired_token" }],
    };
  }],
  ["a rotation, once", async ({ auth, ada }) => {
    const { text: old, token } = must(await issueToken(auth, ada));
    return {
      run:
        async () => [await rotateToken(auth, old.reveal()), await rotateToken(auth, old.reveal())],
      events: [{ type: "token_rotated", at, owner: ada.id, token: token.id, successor: text }],
    };
  }],
  ["a reuse", async ({ auth, ada, clock }) => {
    const { text: old, token } = must(await issueToken(auth, ada));
    must(await rotateToken(auth, old.reveal()));
    clock.now += 60_000;
    const both = { at: at + 60_000, owner: ada.id, token: token.id };
    return {
      run: () => rotateToken(auth, old.reveal()),
      events: [
        { type: "token_reused", ...both, family: token.id, count: 2 },
        { type: "token_refused", ...both, reason: "rotated_token" },
      ],
    };
  }],
  ["a revocation, once", async ({ auth, ada }) => {
    const { token } = must(await issueToken(auth, ada));
    const revoke = () => revokeToken(auth, token.id, { owner: ada.id });
    return {
      run: async () => [await revoke(), await revoke()],
      events: [{ type: "token_revoked", at, owner: ada.id, token: token.id, reason: "revoked" }],
    };
  }],
  ["a revocation that names no owner", async ({ auth, ada }) => {
    const { token } = must(await issueToken(auth, ada));
    return {
      run: () => revokeToken(auth, token.id),
      events: [{ type: "token_revoked", at, owner: null, token: token.id, reason: "revoked" }],
    };
  }],
  ["a logout, once", async ({ auth, ada }) => {
    const principal = await principalOf(auth, must(await issueToken(auth, ada)));
    const { id } = principal.token;
    return {
      run: async () => [await logout(auth, principal), await logout(auth, principal)],
      events: [{ type: "token_revoked", at, owner: ada.id, token: id, reason: "logged_out" }],
    };
  }],
  ["a revocation of all", async ({ auth, ada }) => {
    must(await issueToken(auth, ada));
    return {
      run: () => revokeAllTokens(auth, ada.id),
      events: [{ type: "tokens_revoked", at, owner: ada.id, reason: "revoked", count: 1 }],
    };
  }],
  ["a revocation of the others", async ({ auth, ada }) => {
    must(await issueToken(auth, ada));
    const principal = await principalOf(auth, must(await issueToken(auth, ada)));
    return {
      run: () => revokeOtherTokens(auth, principal),
      events: [{ type: "tokens_revoked", at, owner: ada.id, reason: "revoked", count: 1 }],
    };
  }],
  ["a new password", async ({ auth, ada }) => ({
    run: () => setPassword(auth, ada.id, "new"),
    events: [{ type: "tokens_revoked", at, owner: ada.id, reason: "password_changed", count: 0 }],
  })],
  ["a changed password", async ({ auth, ada }) => ({
    run: () => changePassword(auth, ada.id, { current: "ada-password", next: "new" }),
    events: [{ type: "tokens_revoked", at, owner: ada.id, reason: "password_changed", count: 0 }],
  })],
  ["a deactivation", async ({ auth, ada }) => ({
    run: () => setActive(auth, ada.id, false),
    events: [{ type: "tokens_revoked", at, owner: ada.id, reason: "user_deactivated", count: 0 }],
  })],
  ["a deletion", async ({ auth, ada }) => ({
    run: () => deleteUser(auth, ada.id),
    events: [{ type: "tokens_revoked", at, owner: ada.id, reason: "user_deleted", count: 0 }],
  })],
  ["a pruning", async ({ auth, ada, clock }) => {
    must(await issueToken(auth, ada, { expiresIn: 1 }));
    clock.now += 10;
    return {
      run: () => pruneTokens(auth, { retention: 1 }),
      events: [{ type: "tokens_pruned", at: at + 10, count: 1 }],
    };
  }],
];

/** A well-formed token that was never issued. */
function textOfNobody(auth: Auth): string {
  return auth.formats[0].encode(new Uint8Array(32).fill(7));
}

describe("the sink of events", () => {
  const seen = new Set<AuthEventType>();

  it.each(told)("L2, L3: is told of %s", async (_name, tell) => {
    const setup = await setUp();
    const { run, events } = await tell(setup);
    setup.events.length = 0;
    await run();
    expect(setup.events).toEqual(events);
    for (const { type } of setup.events) seen.add(type);
    expect(JSON.stringify(setup.events)).not.toMatch(/ada|my-password|lk_/);
  });

  it("is told of every type of event by the cases above", () => {
    const types: Record<AuthEventType, true> = {
      logged_in: true,
      login_refused: true,
      token_issued: true,
      token_refused: true,
      token_rotated: true,
      token_reused: true,
      token_revoked: true,
      tokens_revoked: true,
      tokens_pruned: true,
    };
    expect([...seen].sort()).toEqual(Object.keys(types).sort());
  });
});

describe("auditSink()", () => {
  const event = (count: number): AuthEvent => ({ type: "tokens_pruned", at, count });
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };

  it("keeps every event in its order", async () => {
    const store = memoryStore();
    const { auth } = makeAuth({ store, onEvent: auditSink(store) });
    await makeUser(auth, "ada");
    const issued = must(await login(auth, right));
    await logout(auth, await principalOf(auth, issued));
    await settle();
    expect(store.events.map(({ type }) => type))
      .toEqual(["token_issued", "logged_in", "token_revoked"]);
  });

  it("writes together what comes while a write is under way", async () => {
    const written: (readonly AuthEvent[])[] = [];
    const store: EventStore = {
      appendEvents: async (events) => void written.push(events),
    };
    const sink = auditSink(store);
    await Promise.all([1, 2, 3].map((count) => sink(event(count))));
    await sink(event(4));
    expect(written).toEqual([[event(1), event(2), event(3)], [event(4)]]);
  });

  it.each<[string, () => Promise<void>]>([
    ["rejects", () => Promise.reject(new Error("full"))],
    ["throws", () => {
      throw new Error("full");
    }],
  ])("C3: loses the events of a write that %s, and goes on", async (_name, fail) => {
    const written: AuthEvent[] = [];
    let isBroken = true;
    const sink = auditSink({
      appendEvents: (events) => isBroken ? fail() : Promise.resolve(void written.push(...events)),
    });
    await sink(event(1));
    isBroken = false;
    await sink(event(2));
    expect(written).toEqual([event(2)]);
  });

  it("C3: gathers 10,000 events at most while a write hangs", async () => {
    const written: number[] = [];
    const gate: { open: () => void } = { open: () => {} };
    const opened = new Promise<void>((resolve) => (gate.open = resolve));
    const sink = auditSink({
      async appendEvents(events) {
        await opened;
        written.push(events.length);
      },
    });
    void sink(event(0));
    await settle();
    let last: unknown;
    for (let count = 1; count <= 10_050; count++) last = sink(event(count));
    gate.open();
    await last;
    expect(written).toEqual([1, 10_000]);
  });
});
