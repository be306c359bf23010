import {
  type AuthEvent,
  changePassword,
  createUser,
  deleteUser,
  flushUses,
  grantToken,
  type IssuedToken,
  issueToken,
  listTokens,
  login,
  logout,
  mintToken,
  pruneTokens,
  renameToken,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  verifyPassword,
  verifyToken,
} from "latchkey";
import { expect } from "vitest";
import { must, principalOf, SECRET } from "../fixture.ts";
import type { LifeLaw } from "./law.ts";
import { openWorld, surround } from "./world.ts";

const PASSWORDS = [
  "sentinel-password-one",
  "sentinel-password-two",
  "sentinel-password-3",
] as const;
const [FIRST, SECOND, THIRD] = PASSWORDS;
const PEPPER = "sentinel-pepper-0123456789-0123456789";
const key = new TextEncoder().encode(PEPPER);

/** Everything in which a value may show itself on this runtime. */
function show(value: unknown): string {
  const cause = value instanceof Error ? [value.message, value.stack, value.cause] : [];
  const cloned = attempt(() => JSON.stringify(structuredClone(value)));
  const texts = [
    attempt(() => JSON.stringify(value)),
    attempt(() => String(value)),
    cloned,
    ...inspectors().map((inspect) => attempt(() => String(inspect(value)))),
    ...walk(value),
    ...cause,
  ];
  return texts.join("\n");
}

function attempt(write: () => string): string {
  try {
    return write() ?? "";
  } catch {
    return "";
  }
}

/** Every text and all bytes that can be reached from a value, hidden properties too. */
function walk(value: unknown, seen: Set<unknown> = new Set()): readonly string[] {
  if (typeof value === "string") return [value];
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return [];
  if (seen.has(value)) return [];
  seen.add(value);
  if (value instanceof Uint8Array) return [new TextDecoder().decode(value)];
  const entries = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : [];
  const members = Reflect.ownKeys(value).map((name) => Reflect.get(value, name));
  return [...entries, ...members].flatMap((member) => walk(member, seen));
}

/** `util.inspect` of Node, `Deno.inspect`, `Bun.inspect`: whichever there are. */
function inspectors(): readonly ((value: unknown) => unknown)[] {
  const names = [["Deno"], ["Bun"], ["process", "getBuiltinModule", "node:util"]] as const;
  return names.flatMap(([name, method, argument]) => {
    const host: unknown = Reflect.get(globalThis, name);
    if (typeof host !== "object" && typeof host !== "function" || host === null) return [];
    const load: unknown = method === undefined ? null : Reflect.get(host, method);
    const module: unknown = typeof load === "function"
      ? Reflect.apply(load, host, [argument])
      : host;
    const inspect: unknown = typeof module === "object" || typeof module === "function"
      ? Reflect.get(Object(module), "inspect")
      : undefined;
    if (typeof inspect !== "function") return [];
    const options = { depth: 20, showHidden: true };
    return [(value: unknown): unknown => Reflect.apply(inspect, module, [value, options])];
  });
}

/** What must not show itself anywhere, tried on what shows itself everywhere. */
export const leakLaws: readonly LifeLaw[] = [
  {
    name: "L1: what looks for a secret finds one wherever it is planted",
    async run() {
      const bytes = new TextEncoder().encode("planted");
      const error = new Error("x", { cause: { params: ["planted"] } });
      const hidden = Object.defineProperty({}, "hidden", { value: "planted", enumerable: false });
      for (
        const value of ["planted", { a: ["planted"] }, new Map([["planted", 1]]), bytes, hidden]
      ) {
        expect(show(value)).toContain("planted");
      }
      expect([...walk(error), show(error)].join()).toContain("planted");
    },
  },
  {
    name:
      "L1, L2, L6, L9, K11: no secret is in what is returned, thrown, told or kept in the configuration, after everything has run",
    async run(open) {
      const events: AuthEvent[] = [];
      const shown: string[] = [];
      const issued: IssuedToken[] = [];
      const [store] = await open();
      const options = {
        onEvent: (event: AuthEvent) => events.push(event),
        onLogin: "reuse",
        secret: SECRET,
        peppers: [{ id: "2026", key }],
        scopes: ["read"],
        touchInterval: 1,
        revokeOn: { passwordChange: false },
      } as const;
      const { auth, clock } = await openWorld(async () => [store], options);
      const seen = <Value>(value: Value): Value => {
        shown.push(show(value));
        return value;
      };
      const keep = (token: IssuedToken): IssuedToken => {
        issued.push(seen(token));
        return token;
      };
      const ada = must(seen(await createUser(auth, { username: "ada", password: FIRST })));
      const first = keep(must(seen(await login(auth, { username: "ada", password: FIRST }))));
      for (const [username, password] of [["ada", SECOND], [THIRD, FIRST], ["ada", ""]] as const) {
        seen(await verifyPassword(auth, { username, password }));
      }
      const principal = seen(await principalOf(auth, first));
      keep(must(seen(await grantToken(auth, ada))));
      keep(must(seen(await issueToken(auth, ada, { name: "phone", scopes: ["read"] }))));
      keep(must(seen(await mintToken(auth, principal))));
      const second = keep(must(seen(await rotateToken(auth, first.text.reveal()))));
      keep(must(seen(await rotateToken(auth, first.text.reveal()))));
      seen(await listTokens(auth, ada.id));
      seen(await renameToken(auth, ada.id, second.token.id, "new"));
      seen(await revokeOtherTokens(auth, await principalOf(auth, second)));
      seen(await changePassword(auth, ada.id, { current: FIRST, next: SECOND }));
      seen(await changePassword(auth, ada.id, { current: FIRST, next: SECOND }));
      seen(await setPassword(auth, ada.id, THIRD));
      clock.now += 60_000;
      seen(await verifyToken(auth, first.text.reveal()));
      seen(await verifyToken(auth, second.text.reveal()));
      seen(await verifyToken(auth, `${second.text.reveal()}x`));
      seen(await revokeToken(auth, second.token.id));
      seen(await logout(auth, principal));
      seen(await revokeAllTokens(auth, ada.id));
      await flushUses(auth);
      seen(auth);
      seen(await pruneTokens(auth, { retention: 1 }));

      const digests = issued.map(({ text }) => auth.digest(text.reveal()).digest);
      const texts = issued.map(({ text }) => text.reveal());
      const encoded = (await store.findUser(ada.id))?.password ?? "";
      const lines = [...digests, ...texts, ...PASSWORDS, PEPPER, SECRET, encoded].join(" ");
      const broken = surround(store, () => {
        const row = { params: [lines], cause: new Error(lines) };
        throw Object.assign(new Error(`insert ${lines}`, { cause: row }), { code: lines });
      });
      const down = (await openWorld(async () => [broken], options)).auth;
      for (
        const operation of [
          () => verifyToken(down, texts[0] ?? ""),
          () => login(down, { username: "ada", password: FIRST }),
          () => issueToken(down, ada),
          () => setPassword(down, ada.id, SECOND),
          () => setActive(down, ada.id, false),
          () => deleteUser(down, ada.id),
          () => createUser(down, { username: "bob", password: THIRD }),
          () => issueToken(down, ada, { name: `${texts[0]}\n` }),
        ]
      ) {
        const error = await operation().then(() => null, (caught: unknown) => caught);
        expect(error).toBeInstanceOf(Error);
        seen(error);
      }
      seen(await deleteUser(auth, ada.id));
      seen(events);

      expect(new Set(texts).size).toBe(4);
      const all = shown.join("\n");
      const decimal = [...key.slice(0, 12)];
      const secrets = [
        ...digests,
        ...texts,
        // Half of a text is too much as well.
        ...texts.map((text) => text.slice(7, 27)),
        ...PASSWORDS,
        PEPPER,
        SECRET,
        encoded,
        decimal.join(","),
        decimal.join(", "),
      ];
      for (const secret of secrets) expect(all.includes(secret), secret).toBe(false);
      // The opposite: what may be shown was shown, so the search had something to look at.
      expect(all).toContain(second.token.id);
      expect(all).toContain(second.token.hint);
      expect(events.length).toBeGreaterThan(10);
    },
  },
  {
    name:
      "L8: a name comes back exactly as it was given, whatever a log or a page would make of it",
    async run(open) {
      const { auth } = await openWorld(open);
      for (
        const name of [
          `"},{"`,
          "<b>",
          "%0a",
          "${x}",
          "a\\nb",
          "'); drop table x; --",
          "🔑",
          "e\u0301",
        ]
      ) {
        const { token } = must(await issueToken(auth, "1", { name }));
        expect(token.name).toBe(name);
        expect(must(await listTokens(auth, "1", { limit: 1 })).tokens.map((one) => one.owner))
          .toEqual(["1"]);
        const { tokens } = must(await listTokens(auth, "1"));
        expect(tokens.find(({ id }) => id === token.id)?.name).toBe(name);
      }
      for (
        const name of ["a\nb", "a\rb", "\u001b[31m", "\0", "\u0085", "\u2029", "\u202e", "\ud800"]
      ) {
        await expect(issueToken(auth, "1", { name })).rejects.toThrow(
          /^Cannot use this name: expected/,
        );
        await expect(renameToken(auth, "1", "2", name)).rejects.toThrow(RangeError);
      }
    },
  },
];
