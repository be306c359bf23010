import {
  auditSink,
  type AuthOptions,
  bearer,
  createGuard,
  createObtainToken,
  createSelfService,
  defineAuth,
  defineEndpoint,
  drf,
  hexFormat,
  isAuthenticated,
  prefixedFormat,
  throttle,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import * as v from "valibot";
import { describe, expect, it } from "vitest";

const key = new Uint8Array(32).fill(1);
const good: AuthOptions = { store: memoryStore(), passwords: [pbkdf2({ iterations: 1_000 })] };
const auth = defineAuth(good);
const limit = { max: 1, window: 1_000 };

/** What is no number of anything, and no duration. */
const NUMBERS: readonly unknown[] = [-1, 1.5, NaN, Infinity, "1", 1n, {}, [1], true, new Date(1)];
const DURATIONS: readonly unknown[] = [0, ...NUMBERS, { milliseconds: () => NaN }];

/** Wrong values of each option of `defineAuth()`. */
const options: Readonly<Record<string, readonly unknown[]>> = {
  store: [undefined, null, {}, "file:app.db", { ...memoryStore(), takeAttempts: undefined }],
  passwords: [undefined, null, [], {}, pbkdf2(), ["pbkdf2"], [pbkdf2(), null], [pbkdf2(), {}]],
  formats: [[], [null], [{}], [hexFormat, {}], [hexFormat, null], "lk", hexFormat],
  tokenLifetime: DURATIONS,
  idleTimeout: [...DURATIONS, 1],
  touchInterval: DURATIONS,
  rotationOverlap: DURATIONS,
  tokenLimit: [0, null, ...NUMBERS],
  revokeOn: [true, "password", { passwordChange: "no" }, { deactivation: 0 }],
  findUser: [null, {}, "users", 1],
  onEvent: [null, {}, "console", [console.log]],
  onLogin: ["old", "reuse", true, ""],
  secret: ["", "short", null, 42, new Uint8Array(31), [key], {}],
  peppers: [
    [],
    null,
    {},
    "none",
    [null],
    [key],
    [{ id: "a" }],
    [{ id: 1, key }],
    [{ key }],
    [{ id: "a", key: "x".repeat(31) }],
    ["none", "none"],
  ],
  passwordRules: [null, {}, "15", ["minLength"], [null], () => null],
  loginLimits: [
    true,
    5,
    "5/hour",
    { account: 5 },
    { address: { max: 5 } },
    { account: { ...limit, max: 0 } },
    { global: { ...limit, max: "5" } },
    { global: { ...limit, window: 0 } },
    { address: { ...limit, longest: 1 } },
    { account: "5/hour" },
  ],
  trustedProxies: NUMBERS,
  hashing: [null, 2, "2", ...NUMBERS.flatMap((concurrency) => [{ concurrency }]), { queue: -1 }],
  storeTimeout: DURATIONS,
  scopes: [
    "read",
    {},
    [""],
    ["a b"],
    [1],
    [null],
    ["a", "a\n"],
    Array.from({ length: 65 }, (_, index) => `s${index}`),
  ],
  dialect: [null, {}, "drf", drf],
  now: [null, 0, "now", new Date()],
  random: [null, 4, {}, "random"],
};

/** Wrong arguments of what makes guards and endpoints of a configuration. */
const makers: readonly (readonly [string, (...rest: never[]) => unknown, readonly unknown[]])[] = [
  ["a guard with no permission", createGuard, [auth, { permissions: [] }]],
  ["a guard with permissions of another kind", createGuard, [auth, { permissions: ["staff"] }]],
  ["a guard with one permission", createGuard, [auth, { permissions: isAuthenticated }]],
  ["a guard with a scheme that is none", createGuard, [auth, { schemes: ["A B"] }]],
  ["a guard with an empty scheme", createGuard, [auth, { schemes: [""] }]],
  ["a guard whose key is in a cookie", createGuard, [auth, { apiKeyHeader: "Cookie" }]],
  ["a guard whose key is nowhere", createGuard, [auth, { apiKeyHeader: "" }]],
  ["a guard with a rate for a throttle", createGuard, [auth, { throttle: "5/min" }]],
  ["a login with a lifetime of zero", createObtainToken, [auth, { expiresIn: 0 }]],
  ["a login with an unknown scope", createObtainToken, [
    defineAuth({ ...good, scopes: ["a"] }),
    { scopes: ["b"] },
  ]],
  ["a login without a body", createObtainToken, [auth, { maxBody: 0 }]],
  ["a login without time", createObtainToken, [auth, { bodyTimeout: 0 }]],
  ["a login with a rate for a throttle", createObtainToken, [auth, { throttle: "5/min" }]],
  ["an endpoint without a handler", defineEndpoint, [auth, { schema: v.object({}) }]],
  ["a service at a place that is no path", createSelfService, [auth, { basePath: "api" }]],
  ["a service that anybody manages", createSelfService, [auth, { manage: [] }]],
  ["a service that nobody may ask", createSelfService, [auth, { introspect: [] }]],
  ["a throttle with a rate of nothing", throttle, [{ anonymous: "0/min" }]],
  ["a throttle with a rate of another unit", throttle, [{ user: "5/fortnight" }]],
  ["a throttle with a number", throttle, [{ user: 5 }]],
  ["a throttle with one scoped rate", throttle, [{ scoped: "5/min" }]],
  ["a format with a prefix that is none", prefixedFormat, [{ prefix: "LK_" }]],
  ["a dialect with a line break", bearer, [{ realm: "a\r\nb" }]],
  ["a dialect of another scheme", drf, [{ scheme: "To ken" }]],
  ["pbkdf2 with one iteration", pbkdf2, [{ iterations: 1 }]],
  ["an audit without a store", auditSink, [undefined]],
];

/** Fails at once, in a sentence that names what is wrong and says what to do. */
function expectRefusal(make: () => unknown): void {
  let error: unknown = null;
  try {
    make();
  } catch (caught) {
    error = caught;
  }
  expect(error instanceof TypeError || error instanceof RangeError, String(error)).toBe(true);
  expect(String(error)).toMatch(/^(?:Type|Range)Error: Cannot [^:]+: \S.*[^.]$/);
  expect(String(error)).toMatch(/expected|add|leave|must|name|need|give|differ|more than|declared/);
}

describe("F5: a library that is not configured right does not start", () => {
  it.each(Object.entries(options))("for any wrong %s", (name, values) => {
    for (const [index, value] of values.entries()) {
      const make = () => Reflect.apply(defineAuth, null, [{ ...good, [name]: value }]);
      try {
        expectRefusal(make);
      } catch (error) {
        throw new Error(`${name} number ${index}`, { cause: error });
      }
    }
  });

  it.each(makers)("for %s", (_name, maker, rest) => {
    expectRefusal(() => Reflect.apply(maker, null, Object(rest)));
  });
});
