import {
  type AttemptLimit,
  type AttemptWindow,
  type Auth,
  type AuthEvent,
  type AuthOptions,
  changePassword,
  createObtainToken,
  createUser,
  issueToken,
  login,
  type LoginLimits,
  OverloadError,
  type Store,
  StoreError,
  verifyPassword,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf, START } from "../fixture.ts";
import { countedHasher } from "./counted_hasher.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const HOME = "192.0.2.1";
/** The address of an attacker; every number is another. */
const elsewhere = (number: number) => `198.51.100.${number}`;
/** Limits of which only those that are named are on. */
const only = (limits: LoginLimits): LoginLimits => ({
  account: null,
  address: null,
  global: null,
  ...limits,
});
const throttled = (retryAfter: number, max: number, window: number) => ({
  ok: false,
  failure: { reason: "throttled", retryAfter, limit: { max, window } },
});

/** `ok`, or why a login was refused. */
async function tryLogin(
  auth: Auth,
  username: string,
  password: string,
  address: string | null = HOME,
): Promise<string> {
  const result = await login(auth, { username, password, address });
  return result.ok ? "ok" : result.failure.reason;
}

async function repeat<Value>(
  count: number,
  run: (index: number) => Promise<Value>,
): Promise<readonly Value[]> {
  const values: Value[] = [];
  for (let index = 0; index < count; index++) values.push(await run(index));
  return values;
}

/** A store that tells what was asked of it about attempts. */
function spyOnAttempts(store: Store = memoryStore()) {
  const asked: string[] = [];
  const taken: (readonly AttemptWindow[])[] = [];
  const returned: (readonly AttemptWindow[])[] = [];
  const spied: Store = {
    ...store,
    async takeAttempts(limits: readonly AttemptLimit[], now) {
      asked.push(...limits.map(({ key }) => key));
      const windows = await store.takeAttempts(limits, now);
      if (windows !== null) taken.push(windows);
      return windows;
    },
    findAttempts(keys, now) {
      asked.push(...keys);
      return store.findAttempts(keys, now);
    },
    returnAttempts(windows) {
      returned.push(windows);
      return store.returnAttempts(windows);
    },
  };
  return { store: spied, asked, taken, returned };
}

async function makeWorld(options: Partial<AuthOptions> = {}) {
  const hasher = countedHasher();
  const events: AuthEvent[] = [];
  const { auth, clock } = makeAuth({
    passwords: [hasher],
    onEvent: (event) => events.push(event),
    ...options,
  });
  const ada = await makeUser(auth, "ada");
  events.length = 0;
  return { auth, clock, ada, events, hasher, store: auth.store };
}

describe("the limits of logins, as they are when absent", () => {
  it("refuse the 21st failure from one address, and say when to come back (B1)", async () => {
    const { auth, clock, hasher } = await makeWorld();
    const attempt = (password: string) =>
      verifyPassword(auth, { username: "ada", password, address: HOME });
    const answers = await repeat(20, () => attempt("wrong"));
    expect(answers.every(({ ok }) => !ok)).toBe(true);
    expect(hasher.verifications()).toBe(20);
    const refusals = [[0, 600_000], [599_998, 2], [1, 1]] as const;
    for (const [passed, retryAfter] of refusals) {
      clock.now += passed;
      for (const password of ["wrong", "ada-password"]) {
        expect(await attempt(password)).toEqual(throttled(retryAfter, 20, 600_000));
      }
    }
    expect(hasher.verifications()).toBe(20);
    clock.now += 1;
    expect(await attempt("ada-password")).toMatchObject({ ok: true });
  });

  it("refuse the 51st failure for one account, wherever it comes from (B2)", async () => {
    const { auth, hasher } = await makeWorld();
    const answers = await repeat(50, (index) => tryLogin(auth, "ada", "x", elsewhere(index)));
    expect(new Set(answers)).toEqual(new Set(["wrong_password"]));
    for (const address of [elsewhere(99), null]) {
      expect(await verifyPassword(auth, { username: "ada", password: "ada-password", address }))
        .toEqual(throttled(HOUR, 50, HOUR));
    }
    expect(hasher.verifications()).toBe(50);
    await makeUser(auth, "bob");
    expect(await tryLogin(auth, "bob", "bob-password", elsewhere(99))).toBe("ok");
  });

  it("refuse the 21st failure from one address, whoever is meant (B3)", async () => {
    const { auth } = await makeWorld();
    const answers = await repeat(20, (index) => tryLogin(auth, `user-${index}`, "password"));
    expect(new Set(answers)).toEqual(new Set(["unknown_user"]));
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
    expect(await tryLogin(auth, "user-20", "password")).toBe("throttled");
    expect(await tryLogin(auth, "ada", "ada-password", elsewhere(1))).toBe("ok");
  });

  it("refuse the 5,001st failure of all, and none that has an end before it", async () => {
    const spy = spyOnAttempts();
    const { auth } = await makeWorld({ store: spy.store });
    await tryLogin(auth, "ada", "wrong");
    const [address, account, global] = spy.taken[0] ?? [];
    if (global === undefined) throw new Error("Expected three windows");
    expect([address, account, global].map((window) => (window?.endsAt ?? 0) - START))
      .toEqual([10 * MINUTE, HOUR, HOUR]);
    const fill = { key: global.key, max: 5_000, window: HOUR, longest: HOUR };
    for (let count = 1; count < 5_000; count++) await auth.store.takeAttempts([fill], START);
    const credentials = { username: "eve", password: "x", address: elsewhere(1) };
    expect(await verifyPassword(auth, credentials)).toEqual(throttled(HOUR, 5_000, HOUR));
  });

  it("let an honest user in any number of times, also all at once", async () => {
    const { auth } = await makeWorld();
    const one = () => tryLogin(auth, "ada", "ada-password");
    expect(new Set(await repeat(60, one))).toEqual(new Set(["ok"]));
    expect(new Set(await Promise.all(Array.from({ length: 20 }, one)))).toEqual(new Set(["ok"]));
  });
});

describe("the limits of logins", () => {
  it.each<[string, LoginLimits, (index: number) => readonly [string, string | null]]>([
    ["account", { account: { max: 7, window: MINUTE } }, (index) => ["ada", elsewhere(index)]],
    ["account", { account: { max: 7, window: MINUTE } }, () => ["nobody", null]],
    ["address", { address: { max: 7, window: MINUTE } }, (index) => [`user-${index}`, HOME]],
    ["all", { global: { max: 7, window: MINUTE } }, (index) => [
      `user-${index}`,
      elsewhere(index),
    ]],
  ])(
    "look at exactly 7 of 100 attempts at once, by %s %# (B4)",
    async (_name, limits, sourceOf) => {
      const { auth, hasher } = await makeWorld({ loginLimits: only(limits) });
      const before = hasher.hashes();
      const answers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => {
          const [username, address] = sourceOf(index);
          return tryLogin(auth, username, "wrong", address);
        }),
      );
      expect(answers.filter((answer) => answer !== "throttled")).toHaveLength(7);
      expect(hasher.hashes() - before + hasher.verifications()).toBe(7);
    },
  );

  it("count nothing for an address that is not known, so that nobody locks all out (B6)", async () => {
    const { auth } = await makeWorld({ loginLimits: only({ address: { max: 2, window: HOUR } }) });
    const answers = await repeat(9, (index) => tryLogin(auth, `user-${index}`, "x", null));
    expect(new Set(answers)).toEqual(new Set(["unknown_user"]));
    const credentials = { username: "ada", password: "ada-password" };
    expect(await login(auth, credentials)).toMatchObject({ ok: true });
    expect(await tryLogin(auth, "ada", "wrong")).toBe("wrong_password");
  });

  it.each(["ADA", " ada ", "\tAda\n", "ａｄａ", "\u00a0ada", "ᴬᵈᵃ", "\u3000ada\ufeff"])(
    "count %j together with ada (B7)",
    async (spelling) => {
      const limits = only({ account: { max: 2, window: HOUR } });
      const { auth } = await makeWorld({ loginLimits: limits });
      expect(await tryLogin(auth, spelling, "wrong")).toBe("unknown_user");
      expect(await tryLogin(auth, "ada", "wrong")).toBe("wrong_password");
      expect(await tryLogin(auth, spelling, "wrong")).toBe("throttled");
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
    },
  );

  it.each([["jos\u00e9", "jose\u0301"], ["ﬁnn", "FINN"], ["ΣΊΣ", "σίς"]])(
    "count %j together with %j (B7)",
    async (one, other) => {
      const limits = only({ account: { max: 1, window: HOUR } });
      const { auth } = await makeWorld({ loginLimits: limits });
      expect(await tryLogin(auth, one, "wrong")).toBe("unknown_user");
      expect(await tryLogin(auth, other, "wrong")).toBe("throttled");
    },
  );

  it.each(["ada1", "a da", "adä", "", "account", '","ada'])(
    "count %j apart from ada (B7)",
    async (name) => {
      const limits = only({ account: { max: 1, window: HOUR } });
      const { auth } = await makeWorld({ loginLimits: limits });
      expect(await tryLogin(auth, "ada", "wrong")).toBe("wrong_password");
      expect(await tryLogin(auth, name, "wrong")).toBe("unknown_user");
    },
  );

  it("look at no more than the first 1,024 characters of a name (H9)", async () => {
    const limits = only({ account: { max: 1, window: HOUR } });
    const { auth } = await makeWorld({ loginLimits: limits });
    const long = (length: number, last: string) => "\ufdfa".repeat(length) + last;
    expect(await tryLogin(auth, long(20_000, "a"), "wrong")).toBe("unknown_user");
    expect(await tryLogin(auth, long(20_000, "b"), "wrong")).toBe("throttled");
    expect(await tryLogin(auth, long(1_023, "a"), "wrong")).toBe("unknown_user");
    expect(await tryLogin(auth, long(1_023, "b"), "wrong")).toBe("unknown_user");
  });

  it("end no token of an account that is shut (B8)", async () => {
    const limits = only({ account: { max: 1, window: HOUR } });
    const { auth, ada } = await makeWorld({ loginLimits: limits });
    const token = must(await issueToken(auth, ada));
    await tryLogin(auth, "ada", "wrong");
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
    expect(await reasonOf(auth, token)).toBe("ok");
  });

  it("shut an account for twice as long each time, up to a longest, until it is quiet (B8)", async () => {
    const limits = only({ account: { max: 2, window: MINUTE, longest: 5 * MINUTE } });
    const { auth, clock } = await makeWorld({ loginLimits: limits });
    const exhaust = async () => {
      await tryLogin(auth, "ada", "wrong");
      await tryLogin(auth, "ada", "wrong");
      const refused = await verifyPassword(auth, { username: "ada", password: "ada-password" });
      return refused.ok || refused.failure.reason !== "throttled" ? 0 : refused.failure.retryAfter;
    };
    for (const minutes of [1, 2, 4, 5, 5]) {
      expect(await exhaust()).toBe(minutes * MINUTE);
      clock.now += minutes * MINUTE;
    }
    clock.now += 5 * MINUTE;
    expect(await exhaust()).toBe(MINUTE);
    // One that succeeds leaves attempts to spare, so the next window is as long as the first.
    clock.now += MINUTE;
    await tryLogin(auth, "ada", "wrong");
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
    clock.now += 2 * MINUTE;
    expect(await exhaust()).toBe(MINUTE);
  });

  it.each<[string, LoginLimits, (auth: Auth) => Promise<string>]>([
    [
      "the account",
      { account: { max: 2, window: HOUR } },
      (auth) => tryLogin(auth, "ada", "wrong", elsewhere(1)),
    ],
    [
      "all logins",
      { global: { max: 2, window: HOUR } },
      (auth) => tryLogin(auth, "eve", "wrong", elsewhere(1)),
    ],
  ])(
    "let a user in from a familiar address while others have exhausted %s (B8)",
    async (_name, limits, attack) => {
      const { auth } = await makeWorld({ loginLimits: only(limits) });
      await makeUser(auth, "bob");
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
      await repeat(9, () => attack(auth));
      const right = (address: string | null) => tryLogin(auth, "ada", "ada-password", address);
      expect([await right(elsewhere(1)), await right(elsewhere(2)), await right(null)])
        .toEqual(["throttled", "throttled", "throttled"]);
      expect(await repeat(15, () => right(HOME))).toEqual(Array(15).fill("ok"));
      // Familiar is the address to the account, not to everybody.
      if (limits.global) {
        expect(await tryLogin(auth, "bob", "bob-password")).toBe("throttled");
      }
      // Its own attempts are limited as well.
      const guesses = await repeat(12, () => tryLogin(auth, "ada", "wrong"));
      expect(guesses).toEqual([...Array(10).fill("wrong_password"), "throttled", "throttled"]);
      expect(await right(HOME)).toBe("throttled");
    },
  );

  it("make an address familiar by a right password alone (B8)", async () => {
    const limits = only({ account: { max: 2, window: HOUR } });
    const { auth } = await makeWorld({ loginLimits: limits });
    await repeat(3, () => tryLogin(auth, "ada", "wrong"));
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
  });

  it("refuse also a familiar address that is exhausted itself (B8)", async () => {
    const limits: LoginLimits = {
      account: { max: 2, window: HOUR },
      address: { max: 4, window: DAY },
    };
    const { auth, clock } = await makeWorld({ loginLimits: limits });
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
    const guesses = await repeat(5, () => tryLogin(auth, "ada", "wrong"));
    expect(guesses).toEqual([...Array(4).fill("wrong_password"), "throttled"]);
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
    clock.now += HOUR;
    const credentials = { username: "ada", password: "ada-password", address: HOME };
    expect(await verifyPassword(auth, credentials)).toEqual(throttled(DAY - HOUR, 4, DAY));
  });

  it("tell a familiar address the sooner of two times (B8)", async () => {
    const limits = only({ account: { max: 1, window: DAY } });
    const { auth } = await makeWorld({ loginLimits: limits });
    await tryLogin(auth, "ada", "ada-password");
    await repeat(11, () => tryLogin(auth, "ada", "wrong"));
    const refused = (address: string) =>
      verifyPassword(auth, { username: "ada", password: "ada-password", address });
    expect(await refused(HOME)).toEqual(throttled(HOUR, 10, HOUR));
    expect(await refused(elsewhere(1))).toEqual(throttled(DAY, 1, DAY));
  });

  it.each([0, 10, 17, 20, 29])(
    "keep an address familiar for 30 days after the last login, begun %i days later (B8)",
    async (days) => {
      const limits = only({ account: { max: 1, window: HOUR } });
      const { auth, clock } = await makeWorld({ loginLimits: limits });
      clock.now += days * DAY;
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
      clock.now += 20 * DAY;
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
      clock.now += 30 * DAY - 1;
      await tryLogin(auth, "ada", "wrong", elsewhere(1));
      expect(await tryLogin(auth, "ada", "ada-password", elsewhere(1))).toBe("throttled");
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
      clock.now += 60 * DAY;
      await tryLogin(auth, "ada", "wrong", elsewhere(1));
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
    },
  );

  it("are not set back by a success of the attacker's own, nor count it (B9)", async () => {
    const limits: LoginLimits = {
      account: { max: 6, window: HOUR },
      address: { max: 4, window: HOUR },
      global: { max: 9, window: HOUR },
    };
    const { auth, hasher } = await makeWorld({ loginLimits: limits });
    await makeUser(auth, "eve");
    const round = async (address: string) => [
      await tryLogin(auth, "eve", "eve-password", address),
      await tryLogin(auth, "ada", "guess", address),
    ];
    const good = ["ok", "wrong_password"];
    expect(await repeat(4, () => round(elsewhere(1)))).toEqual(Array(4).fill(good));
    expect(await round(elsewhere(1))).toEqual(["throttled", "throttled"]);
    expect(await repeat(2, () => round(elsewhere(2)))).toEqual(Array(2).fill(good));
    expect(await round(elsewhere(2))).toEqual(["ok", "throttled"]);
    expect(await tryLogin(auth, "ada", "guess", elsewhere(3))).toBe("throttled");
    // 6 guesses for Ada and 7 logins of Eve were looked at.
    expect(hasher.verifications()).toBe(13);
  });

  it("count a wrong current password together with logins (P11, B1)", async () => {
    const limits = only({ account: { max: 3, window: HOUR } });
    const { auth, ada, events } = await makeWorld({ loginLimits: limits });
    const token = must(await issueToken(auth, ada));
    const change = (current: string) => changePassword(auth, ada.id, { current, next: "another" });
    expect(await tryLogin(auth, "ada", "wrong")).toBe("wrong_password");
    expect(await repeat(2, () => change("wrong")))
      .toEqual(Array(2).fill({ ok: false, failure: { reason: "wrong_password" } }));
    expect(await change("ada-password")).toEqual(throttled(HOUR, 3, HOUR));
    expect(await tryLogin(auth, "ada", "ada-password")).toBe("throttled");
    expect(await reasonOf(auth, token)).toBe("ok");
    expect(events.filter((event) => "reason" in event && event.reason === "throttled"))
      .toHaveLength(2);
  });

  it("give back what a change of the password took, once, also when the new one is refused", async () => {
    const spy = spyOnAttempts();
    const { auth, ada } = await makeWorld({ store: spy.store });
    const change = (current: string, next: string) =>
      changePassword(auth, ada.id, { current, next, address: HOME });
    expect(await change("ada-password", "")).toMatchObject({ ok: false });
    expect(await change("ada-password", "another")).toMatchObject({ ok: true });
    expect(spy.returned).toHaveLength(2);
    expect(await tryLogin(auth, "ada", "another")).toBe("ok");
  });

  it("can be off", async () => {
    for (const loginLimits of [null, only({})]) {
      const { auth } = await makeWorld({ loginLimits });
      const answers = await repeat(60, () => tryLogin(auth, "ada", "wrong"));
      expect(new Set(answers)).toEqual(new Set(["wrong_password"]));
      expect(await tryLogin(auth, "ada", "ada-password")).toBe("ok");
    }
  });

  it.each<[LoginLimits]>([
    [{ account: { max: 0, window: 1 } }],
    [{ account: { max: 1.5, window: 1 } }],
    [{ address: { max: Infinity, window: 1 } }],
    [{ address: { max: NaN, window: 1 } }],
    [{ global: { max: 1, window: 0 } }],
    [{ global: { max: 1, window: -1 } }],
    [{ global: { max: 1, window: Infinity } }],
    [{ account: { max: 1, window: 2, longest: 1 } }],
    [{ account: { max: 1, window: 2, longest: NaN } }],
  ])("are refused at once where they cannot work: %j", (loginLimits) => {
    expect(() => makeAuth({ loginLimits })).toThrow(RangeError);
    const [name] = Object.keys(loginLimits);
    expect(() => makeAuth({ loginLimits })).toThrow(`loginLimits.${name}`);
  });
});

describe("an attempt", () => {
  const verbs = ["takeAttempts", "findAttempts", "returnAttempts"] as const;
  const ways: readonly (readonly [string, () => Promise<never>])[] = [
    ["rejects", () => Promise.reject(new Error("SELECT secret"))],
    ["throws", () => {
      throw new Error("SELECT secret");
    }],
    ["hangs", () => new Promise<never>(() => {})],
  ];
  const cases = verbs.flatMap((verb) => ways.map(([way, run]) => ({ verb, way, run })));

  it.each(cases)("is a StoreError and a 503 when $verb $way, and gives no token (B10)", async ({
    verb,
    run,
  }) => {
    const store = memoryStore();
    const { auth } = makeAuth({ store, loginLimits: only({ account: { max: 1, window: HOUR } }) });
    const ada = await makeUser(auth, "ada");
    // To look for windows there must be an exhausted one.
    if (verb === "findAttempts") await tryLogin(auth, "ada", "wrong", elsewhere(1));
    const hasher = countedHasher();
    const broken = makeAuth({
      store: { ...store, [verb]: run },
      passwords: [hasher],
      loginLimits: only({ account: { max: 1, window: HOUR } }),
      storeTimeout: 5,
    }).auth;
    const credentials = { username: "ada", password: "ada-password", address: HOME };
    await expect(login(broken, credentials)).rejects.toThrow(StoreError);
    await expect(login(broken, credentials)).rejects.not.toThrow(/SELECT/);
    const answer = await createObtainToken(broken)(postLogin("ada", "ada-password"));
    expect([answer.status, answer.headers.get("Retry-After")]).toEqual([503, "1"]);
    expect(await answer.text()).not.toMatch(/SELECT|token/);
    // What is not counted is not looked at.
    if (verb !== "returnAttempts") expect(hasher.verifications()).toBe(0);
    expect(await store.listTokens(ada.id, { limit: 9 })).toEqual([]);
  });

  it.each<[string, (store: Store) => Partial<AuthOptions>, new (...rest: never[]) => Error]>([
    ["the store fails", (store) => ({
      store: { ...store, findUserByName: () => Promise.reject(new Error("down")) },
    }), StoreError],
    ["the rewrite of the password fails", (store) => ({
      store: { ...store, replacePassword: () => Promise.reject(new Error("down")) },
      passwords: [countedHasher({ hasher: pbkdf2({ iterations: 2_000 }) })],
    }), StoreError],
    ["the hasher fails", (store) => ({
      store,
      passwords: [countedHasher({ before: () => Promise.reject(new TypeError("no memory")) })],
    }), TypeError],
  ])("is given back exactly once when %s", async (_name, optionsOf, Failure) => {
    const spy = spyOnAttempts();
    const { auth: sound } = makeAuth({ store: spy.store });
    await makeUser(sound, "ada");
    const { auth } = makeAuth(optionsOf(spy.store));
    const credentials = { username: "ada", password: "ada-password", address: HOME };
    await expect(login(auth, credentials)).rejects.toThrow(Failure);
    expect(spy.taken).toHaveLength(1);
    expect(spy.returned).toEqual(spy.taken);
    expect(await spy.store.findAttempts(spy.asked, START))
      .toEqual(expect.arrayContaining((spy.taken[0] ?? []).map((one) => ({ ...one, count: 0 }))));
  });

  it("is given back exactly once when too many passwords are being hashed", async () => {
    let free = () => {};
    const busy = new Promise<void>((resolve) => free = resolve);
    const spy = spyOnAttempts();
    const { auth } = makeAuth({
      store: spy.store,
      passwords: [countedHasher({ before: () => busy })],
      hashing: { concurrency: 1, queue: 0 },
    });
    const first = tryLogin(auth, "eve", "x");
    const refused = repeat(30, () =>
      login(auth, { username: "ada", password: "x", address: HOME })
        .then(() => "looked at", (error) => error instanceof OverloadError ? "refused" : "failed"));
    expect(await refused).toEqual(Array(30).fill("refused"));
    expect(spy.returned).toEqual(spy.taken.slice(1));
    free();
    expect(await first).toBe("unknown_user");
    expect(spy.returned).toHaveLength(30);
  });

  it("is told nobody's name or address: not the events, not the store (K11)", async () => {
    const spy = spyOnAttempts();
    const { auth, events, ada } = await makeWorld({
      store: spy.store,
      loginLimits: only({ account: { max: 1, window: HOUR } }),
    });
    await tryLogin(auth, "ada", "ada-password");
    await tryLogin(auth, "ada", "hunter2");
    await tryLogin(auth, "ada", "hunter2");
    await tryLogin(auth, "hunter2", "oops");
    await tryLogin(auth, "hunter2", "oops", elsewhere(1));
    expect(events.slice(-4)).toEqual([
      { type: "login_refused", at: START, owner: ada.id, reason: "wrong_password" },
      { type: "login_refused", at: START, owner: ada.id, reason: "wrong_password" },
      { type: "login_refused", at: START, owner: null, reason: "unknown_user" },
      { type: "login_refused", at: START, owner: null, reason: "throttled" },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/hunter2|"ada"|192\.0\.2|198\.51/);
    expect(spy.asked.filter((key) => !/^[0-9a-f]{64}$/.test(key))).toEqual([]);
    expect(new Set(spy.asked).size).toBeGreaterThan(3);
  });

  it("is answered alike for a user that exists and one that does not (T3, B2)", async () => {
    const script = async (username: string) => {
      const { auth, clock } = await makeWorld({
        loginLimits: only({ account: { max: 3, window: MINUTE, longest: 4 * MINUTE } }),
      });
      await createUser(auth, { username: "carol" });
      const endpoint = createObtainToken(auth);
      return await repeat(14, async (index) => {
        clock.now += index % 5 === 4 ? MINUTE : 1_500;
        const answer = await endpoint(postLogin(username, "wrong", elsewhere(index)));
        return [answer.status, [...answer.headers], await answer.text()];
      });
    };
    const known = await script("ada");
    const statuses = known.map(([status]) => status);
    expect(new Set(statuses)).toEqual(new Set([400, 429]));
    for (const name of ["nobody", "carol"]) expect(await script(name)).toEqual(known);
  });
});

function postLogin(username: string, password: string, address = HOME) {
  const request = new Request("https://example.com/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ username, password }),
  });
  const { method, url, headers, body, bodyUsed } = request;
  return { method, url, headers, body, bodyUsed, address };
}
