import {
  allowAny,
  type Auth,
  bearer,
  createGuard,
  createObtainToken,
  defineEndpoint,
  type Endpoint,
  type Guard,
  type GuardOptions,
  isAdminUser,
  type Principal,
  type Rate,
  type Throttle,
  throttle,
  type ThrottleRates,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser } from "../fixture.ts";
import { issue } from "./issue.ts";

const HOME = "192.0.2.1";
const AWAY = "198.51.100.7";
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A request of somebody from somewhere. */
function request(text: string | null, address: string | null = HOME, method = "GET") {
  const headers = new Headers(text === null ? {} : { Authorization: `Token ${text}` });
  return { method, headers, address };
}

async function makeTokens(options: Parameters<typeof makeAuth>[0] = {}) {
  const { auth, clock } = makeAuth(options);
  const ada = await issue(auth, await makeUser(auth, "ada"));
  const bob = await issue(auth, await makeUser(auth, "bob"));
  return { auth, clock, ada: ada.text, bob: bob.text };
}

function openGuard(auth: Auth, rates: ThrottleRates): Guard<Principal | null> {
  return createGuard(auth, { permissions: [allowAny], throttle: throttle(rates) });
}

/** The statuses of requests one after the other; 200 for one that passes. */
async function statuses(
  guard: Guard<Principal | null>,
  ...requests: readonly ReturnType<typeof request>[]
): Promise<readonly number[]> {
  const found: number[] = [];
  for (const one of requests) {
    const result = await guard(one);
    found.push(result.ok ? 200 : result.failure.status);
  }
  return found;
}

describe("throttle()", () => {
  it.each<[Rate, number, number]>([
    ["1/s", 1, SECOND],
    ["2/sec", 2, SECOND],
    ["3/second", 3, SECOND],
    ["2/m", 2, MINUTE],
    ["2/min", 2, MINUTE],
    ["2/minute", 2, MINUTE],
    ["2/h", 2, HOUR],
    ["2/hour", 2, HOUR],
    ["2/d", 2, DAY],
    ["10/day", 10, DAY],
    [{ max: 2, window: 90 * SECOND }, 2, 90 * SECOND],
    [{ max: 2, window: { milliseconds: () => 1_500 } }, 2, 1_500],
  ])(
    "lets %j pass, no more, and again from the end of the window on",
    async (rate, max, window) => {
      const { auth, clock } = await makeTokens();
      const guard = openGuard(auth, { anonymous: rate });
      const all = Array.from({ length: max }, () => request(null));
      expect(await statuses(guard, ...all)).toEqual(Array(max).fill(200));
      expect(await statuses(guard, request(null))).toEqual([429]);
      clock.now += window - 1;
      expect(await statuses(guard, request(null))).toEqual([429]);
      clock.now += 1;
      expect(await statuses(guard, ...all, request(null))).toEqual([...Array(max).fill(200), 429]);
    },
  );

  it("begins a window with its first request", async () => {
    const { auth, clock } = await makeTokens();
    const guard = openGuard(auth, { anonymous: "2/min" });
    clock.now += 59 * SECOND;
    expect(await statuses(guard, request(null))).toEqual([200]);
    clock.now += 59 * SECOND;
    expect(await statuses(guard, request(null), request(null))).toEqual([200, 429]);
  });

  it("grows by a limit of its own, and is one window again after a quiet time", async () => {
    const { auth, clock } = await makeTokens();
    const rate = { max: 1, window: SECOND, longest: 3 * SECOND };
    const guard = openGuard(auth, { anonymous: rate });
    for (const length of [1, 2, 3, 3]) {
      expect(await statuses(guard, request(null))).toEqual([200]);
      clock.now += length * SECOND - 1;
      expect(await statuses(guard, request(null))).toEqual([429]);
      clock.now += 1;
    }
    clock.now += 3 * SECOND;
    expect(await statuses(guard, request(null))).toEqual([200]);
    clock.now += SECOND;
    expect(await statuses(guard, request(null))).toEqual([200]);
  });

  it("anonymous: counts each address by itself, and nobody who is authenticated", async () => {
    const { auth, ada } = await makeTokens();
    const guard = openGuard(auth, { anonymous: "1/min" });
    const [nobody, other] = [request(null), request(null, AWAY)];
    expect(await statuses(guard, nobody, nobody, other, other)).toEqual([200, 429, 200, 429]);
    const user = request(ada);
    expect(await statuses(guard, user, user, user, nobody)).toEqual([200, 200, 200, 429]);
  });

  it("user: counts each user wherever they are, and each address of nobody", async () => {
    const { auth, ada, bob } = await makeTokens();
    const guard = openGuard(auth, { user: "2/min" });
    const [one, two] = [request(ada, HOME), request(ada, AWAY)];
    expect(await statuses(guard, one, two, one, two)).toEqual([200, 200, 429, 429]);
    const [nobody, unknown] = [request(null), request(bob, null)];
    expect(await statuses(guard, request(bob), unknown, unknown)).toEqual([200, 200, 429]);
    expect(await statuses(guard, nobody, nobody, nobody)).toEqual([200, 200, 429]);
  });

  it("scoped: counts each scope by itself, together for all routes that share it", async () => {
    const { auth, ada, bob } = await makeTokens();
    const uploads = openGuard(auth, { scoped: { uploads: "1/min" } });
    const contacts = openGuard(auth, { scoped: { contacts: "1/min" } });
    const others = openGuard(auth, { scoped: { uploads: "1/min" } });
    expect(await statuses(uploads, request(ada))).toEqual([200]);
    expect(await statuses(others, request(ada), request(bob), request(null)))
      .toEqual([429, 200, 200]);
    expect(await statuses(contacts, request(ada), request(ada))).toEqual([200, 429]);
  });

  it.each<[string, ThrottleRates, ThrottleRates]>([
    ["a scope named user", { user: "1/min" }, { scoped: { user: "1/min" } }],
    ["a scope named anonymous", { anonymous: "1/min" }, { scoped: { anonymous: "1/min" } }],
    ["anonymous and user", { anonymous: "1/min" }, { user: "1/min" }],
    ["__proto__", { scoped: { a: "1/min" } }, { scoped: { ["__proto__"]: "1/min" } }],
  ])("keeps apart what is named alike: %s", async (_name, one, other) => {
    const { auth } = await makeTokens();
    const [first, second] = [openGuard(auth, one), openGuard(auth, other)];
    expect(await statuses(first, request(null), request(null))).toEqual([200, 429]);
    expect(await statuses(second, request(null), request(null))).toEqual([200, 429]);
  });

  it("applies all rates, counts for none when one refuses, and tells the longest wait", async () => {
    const { auth, clock } = await makeTokens();
    const guard = openGuard(auth, {
      anonymous: "2/s",
      user: "4/min",
      scoped: { all: "5/hour" },
    });
    const nobody = request(null);
    expect(await statuses(guard, nobody, nobody, nobody)).toEqual([200, 200, 429]);
    clock.now += SECOND;
    expect(await statuses(guard, nobody, nobody)).toEqual([200, 200]);
    const refused = await guard(nobody);
    expect(refused.ok || refused.failure.headers["Retry-After"]).toBe("59");
    clock.now += 59 * SECOND;
    expect(await statuses(guard, nobody)).toEqual([200]);
    const last = await guard(nobody);
    expect(last.ok || last.failure.headers["Retry-After"]).toBe("3540");
  });

  it("counts routes with rates of one period together, and those of others apart", async () => {
    const { auth, clock } = await makeTokens();
    const [daily, short, shorter] = [
      openGuard(auth, { anonymous: "4/day" }),
      openGuard(auth, { anonymous: "3/min" }),
      openGuard(auth, { anonymous: "2/min" }),
    ];
    const nobody = request(null);
    expect(await statuses(daily, nobody, nobody, nobody)).toEqual([200, 200, 200]);
    expect(await statuses(short, nobody, nobody)).toEqual([200, 200]);
    expect(await statuses(shorter, nobody)).toEqual([429]);
    expect(await statuses(short, nobody, nobody)).toEqual([200, 429]);
    clock.now += MINUTE;
    // Neither is refused for a day, nor does the day begin anew each minute.
    expect(await statuses(shorter, nobody)).toEqual([200]);
    expect(await statuses(daily, nobody, nobody)).toEqual([200, 429]);
  });

  it("counts no request that fails to authenticate, or is not permitted", async () => {
    const { auth, ada } = await makeTokens();
    const user = throttle({ user: "1/min" });
    const guard = createGuard(auth, { throttle: user });
    const bad = request("bad");
    const several = [request(null), bad, request("two words"), request("")];
    expect(await statuses(guard, ...several, ...several)).toEqual(Array(8).fill(401));
    const staff = createGuard(auth, { permissions: [isAdminUser], throttle: user });
    expect(await statuses(staff, request(ada), request(ada))).toEqual([403, 403]);
    expect(await statuses(guard, request(ada), request(ada))).toEqual([200, 429]);
    // A refused request is told so before it is told that there are too many.
    expect(await statuses(guard, bad, request(null))).toEqual([401, 401]);
    expect(await statuses(staff, request(ada))).toEqual([403]);
  });

  it("lets nobody from an unknown address pass, as often as may be (B6)", async () => {
    const { auth } = await makeTokens();
    const guard = openGuard(auth, { anonymous: "1/min", user: "1/min", scoped: { a: "1/min" } });
    const unknown = [request(null, null), request(null, ""), request(null, "unknown")];
    const { address: _, ...absent } = request(null);
    const all = await statuses(guard, ...unknown, ...unknown);
    expect([...all, (await guard(absent)).ok]).toEqual([...Array(6).fill(200), true]);
  });

  it("takes all spellings of an address for one, and the hop that is trusted (B5, B6)", async () => {
    const { auth } = await makeTokens({ trustedProxies: 1 });
    const guard = openGuard(auth, { anonymous: "1/min" });
    const via = (forwarded: string) => ({
      method: "GET",
      headers: new Headers({ "X-Forwarded-For": forwarded }),
      address: AWAY,
    });
    const all = ["2001:db8::1", "[2001:db8:0:0::2]:443", "203.0.113.9, 2001:DB8::ffff"].map(via);
    expect(await statuses(guard, ...all)).toEqual([200, 429, 429]);
    expect(await statuses(guard, via("2001:db8::1, 203.0.113.9"))).toEqual([200]);
    const { auth: direct } = await makeTokens();
    const two = [via("203.0.113.1"), via("203.0.113.2")];
    expect(await statuses(openGuard(direct, { anonymous: "1/min" }), ...two)).toEqual([200, 429]);
  });

  it("lets exactly as many pass when all come at once (B4)", async () => {
    const { auth } = await makeTokens();
    const guard = openGuard(auth, { anonymous: "7/min" });
    const results = await Promise.all(Array.from({ length: 50 }, () => guard(request(null))));
    expect(results.filter(({ ok }) => ok)).toHaveLength(7);
  });

  it("passes nobody when the store fails, and says 503 (B10)", async () => {
    const takeAttempts = () => Promise.reject(new Error("SELECT secret"));
    const { auth, ada } = await makeTokens({ store: { ...memoryStore(), takeAttempts } });
    const guard = openGuard(auth, { user: "1/min" });
    expect(await statuses(guard, request(ada), request(null))).toEqual([503, 503]);
    const endpoint = createObtainToken(auth, { throttle: throttle({ user: "1/min" }) });
    expect((await endpoint(post("{}"))).status).toBe(503);
  });

  it.each([
    "",
    "5",
    "/min",
    "0/min",
    "-1/min",
    "1.5/min",
    "1e3/min",
    "5/",
    "5/week",
    "5/year",
    "5 / min",
    "5/MIN",
    "5/min ",
    "5/10min",
    "5/min\n",
    "٥/min",
    "99999999999999999999/min",
    { max: 0, window: 1 },
    { max: NaN, window: 1 },
    { max: Infinity, window: 1 },
    { max: 1.5, window: 1 },
    { max: 1, window: 0 },
    { max: 1, window: NaN },
    { max: 1, window: 2, longest: 1 },
  ])("refuses the rate %j at construction", (wrong) => {
    // As from JavaScript, or from a file.
    const rate = wrong as Rate;
    expect(() => throttle({ anonymous: rate })).toThrow(RangeError);
    expect(() => throttle({ user: rate })).toThrow(RangeError);
    expect(() => throttle({ scoped: { uploads: rate } })).toThrow(
      /^Cannot use .*scoped rate of uploads: /,
    );
  });
});

describe("a throttled request", () => {
  async function refuse(options: GuardOptions, text: string | null, window: number) {
    const { auth, clock, ada } = await makeTokens(
      text === "bearer" ? { dialect: bearer() } : {},
    );
    const guard = createGuard(auth, {
      permissions: [allowAny],
      throttle: throttle({ user: { max: 3, window } }),
      ...options,
    });
    const one = text === "user" ? request(ada) : request(null);
    expect(await statuses(guard, one, one, one)).toEqual([200, 200, 200]);
    return async (passed: number) => {
      clock.now += passed;
      const result = await guard(one);
      if (result.ok) throw new Error("Expected to be refused");
      return result.failure;
    };
  }

  it.each(["user", "nobody"])(
    "is a 429 without a challenge for %s, in the words of DRF",
    async (who) => {
      const refused = await refuse({}, who, 60_001);
      const answer = (seconds: string, unit: string) => ({
        status: 429,
        headers: {
          "Content-Type": "application/json",
          "Retry-After": seconds,
          "RateLimit-Policy": '"default";q=3;w=61',
          "RateLimit": `"default";r=0;t=${seconds}`,
        },
        body: `{"detail":"Request was throttled. Expected available in ${seconds} ${unit}."}`,
      });
      // Always rounded up, and never 0.
      expect(await refused(0)).toEqual(answer("61", "seconds"));
      expect(await refused(1)).toEqual(answer("60", "seconds"));
      expect(await refused(58_000)).toEqual(answer("2", "seconds"));
      expect(await refused(1_000)).toEqual(answer("1", "second"));
      expect(await refused(999)).toEqual(answer("1", "second"));
    },
  );

  it("is a problem in the bearer dialect", async () => {
    const refused = await refuse({}, "bearer", 1_500);
    const { status, headers, body } = await refused(0);
    expect([status, headers]).toEqual([429, {
      "Content-Type": "application/problem+json",
      "Retry-After": "2",
      "RateLimit-Policy": '"default";q=3;w=2',
      "RateLimit": '"default";r=0;t=2',
    }]);
    expect(JSON.parse(body ?? "")).toEqual({
      type: "about:blank",
      title: "Too Many Requests",
      status: 429,
      detail: "There were too many requests.",
      code: "throttled",
    });
  });

  it("is a 429 also where there is no challenge, and no 403", async () => {
    const refused = await refuse({ challenge: false }, null, 1_000);
    expect((await refused(0)).status).toBe(429);
  });

  it.each([Infinity, NaN])(
    "is told no time by a throttle of the application's own that knows none: %d",
    async (retryAfter) => {
      const never: Throttle = async () => ({
        reason: "throttled",
        retryAfter,
        limit: { max: 1, window: 1 },
      });
      const { auth } = await makeTokens();
      const result = await createGuard(auth, { permissions: [allowAny], throttle: never })(
        request(null),
      );
      expect(result.ok || result.failure).toEqual({
        status: 429,
        headers: { "Content-Type": "application/json" },
        body: '{"detail":"Request was throttled."}',
      });
      const { auth: standard } = await makeTokens({ dialect: bearer() });
      const other = await createGuard(standard, { permissions: [allowAny], throttle: never })(
        request(null),
      );
      expect(other.ok || other.failure.headers).toEqual({
        "Content-Type": "application/problem+json",
      });
    },
  );
});

describe("an endpoint with a throttle", () => {
  async function exchange(endpoint: Endpoint, ...requests: readonly ReturnType<typeof post>[]) {
    const answers: (readonly [number, string | null])[] = [];
    for (const one of requests) {
      const { status, headers } = await endpoint(one);
      answers.push([status, headers.get("Retry-After")]);
    }
    return answers;
  }
  const LOGIN = '{"username":"ada","password":"ada-password"}';

  it("refuses before the body is read, and counts by address", async () => {
    const { auth } = await makeTokens();
    const endpoint = createObtainToken(auth, { throttle: throttle({ anonymous: "2/min" }) });
    const third = post(LOGIN);
    expect(await exchange(endpoint, post(LOGIN), post("["), third, post(LOGIN, AWAY))).toEqual([
      [200, null],
      [400, null],
      [429, "60"],
      [200, null],
    ]);
    expect(await new Response(third.body).text()).toBe(LOGIN);
  });

  it("says what every answer of it says, and counts no other method", async () => {
    const { auth } = await makeTokens();
    const endpoint = defineEndpoint(auth, {
      schema: v.object({}),
      throttle: throttle({ anonymous: "1/min" }),
      handle: () => Response.json({}),
    });
    const other = (method: string) => ({ ...post("{}"), method, body: null });
    expect(await exchange(endpoint, other("GET"), other("OPTIONS"), post("{}"), other("PUT")))
      .toEqual([[405, null], [204, null], [200, null], [405, null]]);
    const { status, headers } = await endpoint(post("{}"));
    expect([status, headers.get("Allow"), headers.get("Cache-Control")])
      .toEqual([429, "POST, OPTIONS", "no-store"]);
    expect(headers.get("WWW-Authenticate")).toBeNull();
  });
});

function post(body: string, address = HOME) {
  const made = new Request("https://example.com/", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
  });
  return {
    method: made.method,
    url: made.url,
    headers: made.headers,
    body: made.body,
    bodyUsed: false,
    address,
  };
}
