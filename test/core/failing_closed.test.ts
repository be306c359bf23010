import {
  auditSink,
  type Auth,
  type AuthOptions,
  changePassword,
  createGuard,
  createLogout,
  createObtainToken,
  createSelfService,
  createUser,
  deleteUser,
  drf,
  flushUses,
  grantToken,
  hasScopes,
  issueToken,
  listTokens,
  login,
  logout,
  mintToken,
  pruneTokens,
  renameToken,
  type Result,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  type Store,
  StoreError,
  systemRandom,
  throttle,
  type User,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { type Clock, makeAuth, must, principalOf, SECRET, seededNumbers } from "../fixture.ts";
import { issue, type Issued } from "../http/issue.ts";
import { dialects, send } from "../http/service.ts";

const MINUTE = 60_000;
const SENTINEL = "select-password-from-user";
const ADDRESS = "192.0.2.1";
const PASSWORD = "the password there is";
const NEXT = "the password there shall be";
const hasher = pbkdf2({ iterations: 1_000 });
const encoded = hasher.hash(PASSWORD, systemRandom);

/** What a verb does in place of its work. `held` settles once the operation has ended. */
type Fault = (run: () => Promise<unknown>, held: Promise<void>) => unknown;

interface Box {
  /** How often each verb was called. */
  readonly calls: Map<string, number>;
  fault: { readonly verb: string; readonly fault: Fault; readonly held: Promise<void> } | null;
}

interface Scene {
  readonly auth: Auth;
  readonly store: Store;
  readonly clock: Clock;
  readonly ada: User & { readonly epoch: number };
  readonly mine: Issued;
  readonly other: Issued;
  /** One that was rotated, with an overlap that has ended. */
  readonly rotated: Issued;
}

/** Something that the library does, and how it ends: `ok`, a reason or a status. */
interface Operation {
  readonly name: string;
  readonly options?: Partial<AuthOptions>;
  readonly prepare?: (scene: Scene) => Promise<unknown>;
  readonly run: (scene: Scene) => Promise<string>;
  /** How it must end where the store fails. */
  readonly failed: "StoreError" | "503";
}

/** A store of which one verb at a time can be made to fail. */
function breakable(store: Store, box: Box): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...rest: readonly unknown[]): unknown => {
        box.calls.set(String(name), (box.calls.get(String(name)) ?? 0) + 1);
        const run = () => Reflect.apply(member, target, rest);
        return box.fault?.verb === name ? box.fault.fault(run, box.fault.held) : run();
      };
    },
  });
}

async function openScene(operation: Operation, box: Box): Promise<Scene> {
  const inner = memoryStore();
  const store = breakable(inner, box);
  const draw = seededNumbers(1);
  const { auth, clock } = makeAuth({
    store,
    random: (size) => Uint8Array.from({ length: size }, () => draw(256)),
    passwords: [hasher],
    storeTimeout: 1,
    touchInterval: 1,
    rotationOverlap: MINUTE,
    onEvent: auditSink(store),
    ...operation.options,
  });
  const profile = { username: "ada", isActive: true, isStaff: true, isSuperuser: false };
  const ada = { id: "1", ...profile, epoch: 0 };
  const password = await encoded;
  await inner.insertUser({ ...ada, password, createdAt: clock.now });
  const scopes = ["tokens:introspect"];
  const [mine, other] = [await issue(auth, ada, { scopes }), await issue(auth, ada)];
  const rotated = await issue(auth, ada);
  must(await rotateToken(auth, rotated.text));
  clock.now += MINUTE;
  const scene = { auth, store: inner, clock, ada, mine, other, rotated };
  await operation.prepare?.(scene);
  await flushUses(auth);
  box.calls.clear();
  return scene;
}

function reasonOf(result: Result<unknown, { readonly reason: string }>): string {
  return result.ok ? "ok" : result.failure.reason;
}

/** Counts a wrong password where one is one too many. */
const exhaust = ({ auth }: Scene) =>
  login(auth, { username: "ada", password: "nope", address: "192.0.2.2" });
const logIn = ({ auth }: Scene) =>
  login(auth, { username: "ada", password: PASSWORD, address: ADDRESS });
const strict = {
  loginLimits: { account: { max: 1, window: MINUTE }, address: null, global: null },
} as const;
const reuse = { onLogin: "reuse", secret: SECRET } as const;

const functions: readonly Omit<Operation, "failed">[] = [
  {
    name: "createUser()",
    run: async ({ auth }) => reasonOf(await createUser(auth, { username: "bob", password: NEXT })),
  },
  { name: "setPassword()", run: async ({ auth }) => reasonOf(await setPassword(auth, "1", NEXT)) },
  {
    name: "changePassword()",
    run: async ({ auth }) => {
      const passwords = { current: PASSWORD, next: NEXT, address: ADDRESS };
      return reasonOf(await changePassword(auth, "1", passwords));
    },
  },
  { name: "setActive()", run: async ({ auth }) => `${await setActive(auth, "1", false)}` },
  { name: "deleteUser()", run: async ({ auth }) => `${await deleteUser(auth, "1")}` },
  { name: "login()", run: async (scene) => reasonOf(await logIn(scene)) },
  {
    name: "login() that rewrites a weaker password",
    options: { passwords: [pbkdf2({ iterations: 2_000 })] },
    run: async (scene) => reasonOf(await logIn(scene)),
  },
  {
    name: "login() with a reusable token",
    options: reuse,
    run: async (scene) => reasonOf(await logIn(scene)),
  },
  {
    name: "login() with a wrong password",
    run: async ({ auth }) => reasonOf(await login(auth, { username: "ada", password: "nope" })),
  },
  {
    name: "login() above the limit",
    options: strict,
    prepare: exhaust,
    run: async (scene) => reasonOf(await logIn(scene)),
  },
  {
    name: "login() above the limit from a familiar address",
    options: strict,
    prepare: async (scene) => (must(await logIn(scene)), await exhaust(scene)),
    run: async (scene) => reasonOf(await logIn(scene)),
  },
  {
    name: "verifyToken()",
    run: async ({ auth, mine }) => reasonOf(await verifyToken(auth, mine.text)),
  },
  {
    name: "verifyToken() of a token that is reused",
    run: async ({ auth, rotated }) => reasonOf(await verifyToken(auth, rotated.text)),
  },
  {
    name: "issueToken()",
    options: { tokenLimit: 9 },
    run: async ({ auth, ada }) => reasonOf(await issueToken(auth, ada)),
  },
  {
    name: "grantToken() in place of one that was rotated",
    options: reuse,
    prepare: async ({ auth, ada }) =>
      rotateToken(auth, must(await grantToken(auth, ada)).text.reveal()),
    run: async ({ auth, ada }) => reasonOf(await grantToken(auth, ada)),
  },
  {
    name: "mintToken()",
    run: async ({ auth, mine }) => {
      const principal = must(await verifyToken(auth, mine.text));
      return reasonOf(await mintToken(auth, principal));
    },
  },
  {
    name: "rotateToken()",
    run: async ({ auth, mine }) => reasonOf(await rotateToken(auth, mine.text)),
  },
  {
    name: "listTokens()",
    run: async ({ auth }) => reasonOf(await listTokens(auth, "1", { limit: 1 })),
  },
  {
    name: "renameToken()",
    run: async ({ auth, mine }) => `${await renameToken(auth, "1", mine.token.id, "new")}`,
  },
  {
    name: "revokeToken()",
    run: async ({ auth, mine }) => `${await revokeToken(auth, mine.token.id)}`,
  },
  { name: "revokeAllTokens()", run: async ({ auth }) => `${await revokeAllTokens(auth, "1")}` },
  {
    name: "revokeOtherTokens()",
    run: async ({ auth, mine }) => {
      const principal = must(await verifyToken(auth, mine.text));
      return `${await revokeOtherTokens(auth, principal)}`;
    },
  },
  {
    name: "logout()",
    run: async ({ auth, mine }) =>
      `${await logout(auth, must(await verifyToken(auth, mine.text)))}`,
  },
  {
    name: "pruneTokens()",
    run: async ({ auth }) => `${await pruneTokens(auth, { retention: 1, batch: 2 })}`,
  },
];

/** What each route of the self-service is sent. */
function bodyOf(name: string, { other }: Scene): unknown {
  switch (name) {
    case "login":
      return { username: "ada", password: PASSWORD };
    case "changePassword":
      return { current_password: PASSWORD, new_password: NEXT };
    case "renameToken":
    case "createToken":
      return { name: "new" };
    case "revoke":
    case "introspect":
      return { token: other.text };
    default:
      return undefined;
  }
}

const routes = createSelfService(makeAuth().auth, { introspect: [hasScopes(["a"])] }).routes;
const endpoints: readonly Omit<Operation, "failed">[] = dialects.flatMap(({ name, options }) => [
  ...routes.map((route) => ({
    name: `${route.method} ${route.path} in ${name}`,
    options,
    async run(scene: Scene) {
      const introspect = [hasScopes(["tokens:introspect"])] as const;
      const { endpoint } = createSelfService(scene.auth, { introspect });
      const json = bodyOf(route.name, scene);
      const path = route.path.replace("{id}", scene.other.token.id);
      const call = { token: scene.mine.text, ...(json === undefined ? {} : { json }) };
      return checkReply(await send(endpoint, scene.auth, route.method, path, call));
    },
  })),
  {
    name: `createObtainToken() with a throttle in ${name}`,
    options: { ...options, trustedProxies: 1, ...reuse },
    async run({ auth }: Scene) {
      const endpoint = createObtainToken(auth, { throttle: throttle({ anonymous: "9/min" }) });
      const json = bodyOf("login", {} as Scene);
      const headers = { "X-Forwarded-For": ADDRESS };
      return checkReply(await send(endpoint, auth, "POST", "/", { json, headers }));
    },
  },
  {
    name: `createLogout() in ${name}`,
    options,
    async run({ auth, mine }: Scene) {
      return checkReply(await send(createLogout(auth), auth, "POST", "/", { token: mine.text }));
    },
  },
  {
    name: `createGuard() with a throttle in ${name}`,
    options,
    async run({ auth, mine }: Scene) {
      const guard = createGuard(auth, { throttle: throttle({ user: "9/min" }) });
      const dialect = auth.dialect ?? drf();
      const headers = new Headers({ Authorization: `${dialect.scheme} ${mine.text}` });
      const result = await guard({ method: "GET", headers });
      if (result.ok) return "200";
      const { status, headers: answered, body } = result.failure;
      return checkReply({ status, headers: new Headers({ ...answered }), text: body ?? "" });
    },
  },
]);

/** The status of an answer; an outage says when to come back, challenges nobody and shows nothing. */
function checkReply(
  { status, headers, text }: { readonly status: number; headers: Headers; readonly text: string },
): string {
  if (status === 503) {
    expect(headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
    expect(headers.get("WWW-Authenticate")).toBeNull();
    expect(text).not.toMatch(/lk_|"user"|select/);
  }
  return String(status);
}

const operations: readonly Operation[] = [
  ...functions.map((one) => ({ ...one, failed: "StoreError" }) as const),
  ...endpoints.map((one) => ({ ...one, failed: "503" }) as const),
];

/** Verbs after the answer, whose failure changes nothing. */
const QUIET = ["touchTokens", "appendEvents"];

/** What is no answer of a verb, by what it promises. */
const PROMISES: Readonly<Record<string, "record" | "list" | "flag" | "count" | "nothing">> = {
  insertToken: "record",
  ensureToken: "record",
  findToken: "record",
  rotateToken: "record",
  findUser: "record",
  findUserByName: "record",
  takeAttempts: "record",
  listTokens: "list",
  findAttempts: "list",
  renameToken: "flag",
  revokeToken: "flag",
  insertUser: "flag",
  replacePassword: "flag",
  setActive: "flag",
  startEpoch: "flag",
  deleteUser: "flag",
  revokeTokens: "count",
  revokeFamily: "count",
  pruneTokens: "count",
  pruneAttempts: "count",
  touchTokens: "nothing",
  appendEvents: "nothing",
  returnAttempts: "nothing",
};

const ANSWERS: readonly (readonly [string, unknown, readonly string[]])[] = [
  ["undefined", undefined, []],
  ["true", true, ["flag"]],
  ['"true"', "true", []],
  ["{}", {}, []],
  ["null", null, ["record"]],
  ["0", 0, ["count"]],
  ["-1", -1, []],
  ["1.5", 1.5, []],
  ["NaN", NaN, []],
  ["1n", 1n, []],
  ['"1"', "1", []],
  ["[]", [], ["list"]],
  ["an Error", new Error(SENTINEL), []],
  ["a Date", new Date(0), []],
  ["a list of nothing", [undefined], []],
];

const never = () => new Promise<never>(() => {});

const FAULTS: readonly (readonly [string, Fault])[] = [
  ["never answers", never],
  ["rejects", () => Promise.reject(new Error(SENTINEL, { cause: { params: [SENTINEL] } }))],
  ["rejects with nothing", () => Promise.reject()],
  ["is locked", () => Promise.reject(Object.assign(new Error(SENTINEL), { code: "SQLITE_BUSY" }))],
  ["throws at once", () => {
    throw new Error(SENTINEL);
  }],
  ["throws what cannot be looked at", () => {
    throw new Proxy({}, { get: throwSentinel, has: throwSentinel, getPrototypeOf: throwSentinel });
  }],
  [
    "gives something whose then throws",
    () => Object.defineProperty({}, "then", { get: throwSentinel }),
  ],
  ["answers when nobody waits any more", async (run, held) => {
    const value = await run();
    await held;
    return value;
  }],
  ["rejects when nobody waits any more", async (_run, held) => {
    await held;
    throw new Error(SENTINEL);
  }],
];

function throwSentinel(): never {
  throw new Error(SENTINEL);
}

/** How an operation ends with a fault in one verb; afterwards the same `auth` must work again. */
async function runBroken(operation: Operation, verb: string, fault: Fault): Promise<string> {
  const box: Box = { calls: new Map(), fault: null };
  const scene = await openScene(operation, box);
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  box.fault = { verb, fault, held };
  const outcome = await operation.run(scene).catch((error: unknown) => {
    if (!(error instanceof StoreError)) return `threw ${error}`;
    expect(`${error.stack}${JSON.stringify(error)}`).not.toContain(SENTINEL);
    expect(error.cause).toBeUndefined();
    return "StoreError";
  });
  box.fault = null;
  release();
  await flushUses(scene.auth);
  await expectHealth(scene);
  return outcome;
}

/** The store is back, and with it everything; nothing has to be started again. */
async function expectHealth({ auth, store, ada }: Scene): Promise<void> {
  expect(auth.hashes).toMatchObject({ running: 0, waiting: [] });
  const eve = { ...ada, id: "2", username: "eve", password: await encoded, createdAt: 0 };
  expect(await store.insertUser(eve)).toBe(true);
  const issued = must(await issueToken(auth, "2"));
  expect((await principalOf(auth, issued)).user.id).toBe("2");
}

/** The texts in an answer by which it is the one that was asked for. */
const IDENTITIES: Readonly<Record<string, readonly string[]>> = {
  insertToken: ["id", "owner", "digest"],
  ensureToken: ["token.owner", "token.slot", "user.id"],
  findToken: ["token.digest", "token.owner", "user.id"],
  rotateToken: ["owner", "rotation.predecessor"],
  findUser: ["id"],
  findUserByName: ["username"],
  takeAttempts: ["0.key", "1.key"],
  findAttempts: ["0.key"],
  listTokens: ["0.token.owner", "1.token.owner"],
};

/** The members that may be `null`. */
const OPTIONAL = /(?:^|\.)(?:pepper|slot|revokedReason|password)$/;

/** Every way in which one member of an answer can be of another type, missing, unreadable or another's. */
function* alter(
  value: unknown,
  identities: readonly string[],
  path = "",
): Generator<readonly [string, unknown]> {
  const join = (name: string) => path === "" ? name : `${path}.${name}`;
  if (typeof value === "object" && value !== null) {
    for (const name of Object.keys(value)) {
      const copy = (change: PropertyDescriptor): unknown =>
        Object.defineProperty(Array.isArray(value) ? [...value] : { ...value }, name, change);
      for (const [at, changed] of alter(Reflect.get(value, name), identities, join(name))) {
        yield [at, copy({ value: changed })];
      }
      yield [`${join(name)} that cannot be read`, copy({ get: throwSentinel })];
    }
    // Scopes are a set: one that is there twice is no other answer.
    const isRows = Array.isArray(value) && !path.endsWith("scopes");
    if (isRows) yield [`${path} with a row more`, [...value, value[0]]];
    return;
  }
  const others = typeof value === "number"
    ? [`${value}`, BigInt(value), new Date(value), NaN, value + 0.5, Object(value), [value], null]
      .slice(0, /(?:createdAt|epoch|count|endsAt|overlapUntil)$/.test(path) ? 8 : 7)
    : typeof value === "boolean"
    ? [`${value}`, Number(value), Object(value), null]
    : value === null
    ? [{}, [], true, 1n]
    : [7, Object(value), [value], { toString: () => value }, new TextEncoder().encode(`${value}`)];
  // A user of the application's own has no epoch.
  const absent = path.endsWith("user.epoch") ? [] : [undefined];
  for (const other of [...absent, ...others]) yield [`${path} as ${nameValue(other)}`, other];
  if (typeof value !== "string") return;
  if (!OPTIONAL.test(path)) yield [`${path} as null`, null];
  if (identities.includes(path)) yield [`${path} of another`, `${value}x`];
}

function nameValue(value: unknown): string {
  return typeof value === "object" && value !== null
    ? value.constructor.name
    : `${typeof value} ${String(value)}`;
}

/** What a verb answers in an operation. */
async function findAnswer(operation: Operation, verb: string): Promise<unknown> {
  const found: unknown[] = [];
  await runBroken(operation, verb, async (run) => {
    found.push(await run());
    return found.at(-1);
  });
  return found.find((answer) => answer !== null && !(Array.isArray(answer) && answer.length === 0));
}

/** The same members without a prototype, behind getters. */
function strip(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(strip);
  const bare: unknown = Object.create(null);
  for (const [name, member] of Object.entries(value)) {
    Object.defineProperty(bare, name, { get: () => strip(member) });
  }
  return bare;
}

/** A verification may also refuse what it cannot read. */
const REFUSALS = /^(?:revoked|expired|idle|rotated|unknown)_token$|^inactive_user$/;
/**
 * What does not decide whether a token holds: it is shown as it is, and each permission takes
 * nothing but `true` for a flag and nothing but the same text for a scope.
 */
const UNDECIDING =
  /^(?:token\.(?:name|hint|scopes\.0|slot|createdAt|lastUsedAt|revokedReason|family|rotation)|user\.(?:username|isStaff|isSuperuser|epoch)|token\.\w+ as number \d.*)\b/;

describe("C4, C11, B10, R12: where the store fails", () => {
  it.each(operations.map((operation) => [operation.name, operation] as const))(
    "%s fails closed, says so, and works again afterwards",
    async (_name, operation) => {
      const box: Box = { calls: new Map(), fault: null };
      const good = await operation.run(await openScene(operation, box));
      expect(["StoreError", "503"]).not.toContain(good);
      const verbs = [...box.calls.keys()];
      expect(verbs.length).toBeGreaterThan(0);
      for (const verb of verbs) {
        const promise = PROMISES[verb] ?? "";
        // What is read of an answer is the same in every dialect, and nearly so at every endpoint.
        const isRead = promise !== "nothing" && !operation.name.endsWith("bearer");
        const answers = operation.failed === "503" ? ANSWERS.slice(0, 4) : ANSWERS;
        const malformed = answers
          .filter(([_name, _value, kinds]) => isRead && !kinds.includes(promise))
          .map(([name, value]) => [`answers ${name}`, () => value] as const);
        const expected = QUIET.includes(verb) ? good : operation.failed;
        const faults = operation.name.endsWith("bearer") ? FAULTS.slice(0, 2) : FAULTS;
        for (const [name, fault] of [...faults, ...malformed]) {
          const outcome = await runBroken(operation, verb, fault);
          expect(outcome, `${verb} ${name}`).toBe(expected);
        }
      }
    },
  );

  it.each(Object.entries(IDENTITIES))(
    "no member of what %s() answers can be of another type, missing, unreadable or another's",
    async (verb, identities) => {
      let count = 0;
      for (const operation of operations) {
        const box: Box = { calls: new Map(), fault: null };
        const good = await operation.run(await openScene(operation, box));
        if (!box.calls.has(verb) || operation.name.endsWith("bearer")) continue;
        const answer = await findAnswer(operation, verb);
        if (answer === undefined) continue;
        const own = async (run: () => Promise<unknown>) => strip(await run());
        expect(await runBroken(operation, verb, own)).toBe(good);
        // Every scene draws the same ids, so the answer of one is that of another.
        for (const [name, changed] of alter(answer, identities)) {
          const outcome = await runBroken(operation, verb, () => changed);
          const isRefused = verb === "findToken" &&
            (REFUSALS.test(String(outcome)) || UNDECIDING.test(name));
          if (!isRefused) expect(outcome, `${name} in ${operation.name}`).toBe(operation.failed);
          count++;
        }
        // One operation that uses it is enough: all of them read it in one place.
        if (count > 20) break;
      }
      expect(count).toBeGreaterThan(10);
    },
  );

  it("every verb is among them", async () => {
    const used = new Set<string>();
    for (const operation of operations) {
      const box: Box = { calls: new Map(), fault: null };
      await operation.run(await openScene(operation, box));
      for (const verb of box.calls.keys()) used.add(verb);
    }
    expect([...used].sort()).toEqual(Object.keys(PROMISES).sort());
  });
});
