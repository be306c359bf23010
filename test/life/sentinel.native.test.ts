import {
  auditSink,
  type AuthEvent,
  changePassword,
  createGuard,
  createSelfService,
  deleteUser,
  flushUses,
  grantToken,
  hasScopes,
  issueToken,
  login,
  pruneTokens,
  revokeAllTokens,
  setActive,
  setPassword,
  type Store,
  verifyPassword,
} from "latchkey";
import { libsqlStore } from "latchkey/libsql";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import process from "node:process";
import { afterAll, expect, it } from "vitest";
import { makeAuth, makeUser, must } from "../fixture.ts";
import { dialects, readText, type Reply, send } from "../http/service.ts";
import { openDatabases } from "../store/database.ts";

const databases = openDatabases();
afterAll(() => databases.close());

const WORDS = {
  password: "Sentinel-Passwort-eins/ä1",
  "new password": "Sentinel-Passwort-zwei/ä2",
  "wrong password": "Sentinel-Passwort-drei/ä3",
  "username with a password in it": "ada.sentinel.geheim4",
  "server secret": "sentinel-server-secret-5-0123456789-0123456789",
  "pepper key": "sentinel-pepper-key-6-0123456789-0123456789",
  "forwarded address": "203.0.113.217",
  "forwarded network": "2001:db8:5e47:1e1::/64",
  "cookie value": "sentinel-cookie-value-8",
} as const;
const NETWORK_ADDRESS = "2001:db8:5e47:1e1::77";

/** A secret in all forms in which it may show itself. */
function listForms(secret: string): readonly string[] {
  const bytes = Buffer.from(secret, "utf8");
  // Base64 depends on where in a text a secret begins; its first and last characters on what is beside it.
  const shifted = ["", "x", "xx"].map((before) =>
    Buffer.concat([Buffer.from(before), bytes]).toString("base64").replace(/=+$/, "").slice(4, -2)
  );
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replace(
    /[^\0-\x7f]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return [
    ...new Set([
      secret,
      json,
      ascii,
      ...shifted,
      ...shifted.map((text) => text.replaceAll("+", "-").replaceAll("/", "_")),
      bytes.toString("hex"),
      bytes.toString("hex").toUpperCase(),
      encodeURIComponent(secret),
      new URLSearchParams({ a: secret }).toString().slice(2),
      bytes.toString("latin1"),
      [...bytes].join(","),
      [...bytes].join(", "),
    ]),
  ];
}

/** Where a secret was found, by its name. */
function findLeaks(
  places: ReadonlyMap<string, string>,
  secrets: Readonly<Record<string, string>>,
): readonly string[] {
  const found: string[] = [];
  for (const [name, secret] of Object.entries(secrets)) {
    for (const form of listForms(secret)) {
      for (const [place, text] of places) {
        if (text.includes(form)) found.push(`${name} in ${place} as ${form.slice(0, 12)}…`);
      }
    }
  }
  return found;
}

/** All ways to print a value on this runtime, errors with what they are made of. */
function show(value: unknown): string {
  const texts = [inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null })];
  for (const name of ["Deno", "Bun"]) {
    const print: unknown = Reflect.get(Object(Reflect.get(globalThis, name)), "inspect");
    if (typeof print === "function") {
      texts.push(String(Reflect.apply(print, null, [value, { depth: 50, showHidden: true }])));
    }
  }
  texts.push(String(JSON.stringify(value)), String(value));
  for (let error = value; error instanceof Error; error = error.cause) {
    texts.push(
      error.message,
      String(error.stack),
      JSON.stringify(
        error,
        Reflect.ownKeys(error)
          .map(String),
      ),
    );
  }
  return texts.join("\n");
}

/** What goes to the console and the standard streams while `run` runs. */
async function listen(run: () => Promise<void>): Promise<string> {
  const written: string[] = [];
  const restore: (() => void)[] = [];
  const replace = (owner: object, name: string) => {
    const original: unknown = Reflect.get(owner, name);
    Reflect.set(owner, name, (...rest: readonly unknown[]) => {
      written.push(rest.map((one) => typeof one === "string" ? one : show(one)).join(" "));
      return true;
    });
    restore.push(() => Reflect.set(owner, name, original));
  };
  for (const name of ["debug", "dir", "error", "info", "log", "trace", "warn"]) {
    replace(console, name);
  }
  for (const stream of [process.stdout, process.stderr]) replace(stream, "write");
  try {
    await run();
  } finally {
    for (const undo of restore) undo();
  }
  return written.join("\n");
}

/** Everything on a disk that a database is made of, and two backups of it. */
async function readFiles(url: string): Promise<ReadonlyMap<string, string>> {
  const path = fileURLToPath(url);
  const client = databases.connect(url);
  for (const end of ["", "-wal", "-shm"]) copyFileSync(`${path}${end}`, `${path}.copy${end}`);
  await client.execute({ sql: "vacuum into ?", args: [`${path}.vacuum`] });
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
  return new Map(
    names.map((name) => [name, readFileSync(join(dirname(path), name), "latin1")]),
  );
}

/** What an answer shows, but for the token where it is handed out. */
function showReply({ status, headers, text }: Reply, handed: string[]): string {
  const token = /"(?:access_)?token":"(lk_\w+)"/.exec(text)?.[1];
  if (token !== undefined) handed.push(token);
  const rest = token === undefined ? text : text.replace(token, "");
  return JSON.stringify([status, ...headers, rest]);
}

/** A store whose database fails at every statement, with errors full of everything. */
function breakStore(url: string, everything: string): Store {
  const client = databases.connect(url);
  const failing = new Proxy(client, {
    get(target, name) {
      if (name !== "execute" && name !== "batch") return Reflect.get(target, name, target);
      return (statement: unknown) => {
        const cause = Object.assign(new Error(`params: ${everything}`), { args: statement });
        throw Object.assign(new Error(`Failed query ${everything}`, { cause }), { everything });
      };
    },
  });
  return libsqlStore(failing, { migrate: false });
}

it.each(dialects)(
  "L1, L2, L8, K11: no secret is in anything that is printed, thrown, told, answered or stored, in $name",
  async ({ options }) => {
    const places = new Map<string, string>();
    const add = (place: string, text: string) =>
      void places.set(place, `${places.get(place) ?? ""}\n${text}`);
    const url = databases.fileUrl();
    const store = libsqlStore(databases.connect(url));
    const handed: string[] = [];
    const events: AuthEvent[] = [];
    const audit = auditSink(store);
    const pepper = { id: "2026", key: new TextEncoder().encode(WORDS["pepper key"]) };
    const configuration = {
      ...options,
      store,
      peppers: [pepper],
      secret: WORDS["server secret"],
      onLogin: "reuse",
      scopes: ["tokens:introspect"],
      trustedProxies: 1,
      touchInterval: 1,
      passwordRules: [],
      loginLimits: { account: { max: 3, window: 60_000 } },
      onEvent: (event: AuthEvent) => (events.push(event), audit(event)),
    } as const;
    const { password, "new password": next, "wrong password": wrong } = WORDS;

    const printed = await listen(async () => {
      const { auth, clock } = makeAuth(configuration);
      const introspect = [hasScopes(["tokens:introspect"])] as const;
      const { endpoint, routes } = createSelfService(auth, { introspect });
      const headers = {
        "X-Forwarded-For": WORDS["forwarded address"],
        Cookie: `__Host-token=${WORDS["cookie value"]}; session=${WORDS["cookie value"]}`,
      };
      const call = async (method: string, path: string, json?: unknown, token?: string) => {
        const body = json === undefined ? {} : { json };
        const reply = await send(endpoint, auth, method, path, { token, headers, ...body });
        add("answers", showReply(reply, handed));
        return reply;
      };
      const ada = await makeUser(auth, "ada");
      must(await setPassword(auth, ada.id, password));
      const credentials = { username: "ada", password };
      await call("POST", "/login/", credentials);
      await call("POST", "/login/", credentials);
      // Every limit is reached, by names and addresses that nobody may read afterwards.
      for (const username of ["ada", WORDS["username with a password in it"], wrong]) {
        for (let round = 0; round < 5; round++) {
          await call("POST", "/login/", { username, password: wrong });
          const address = NETWORK_ADDRESS;
          add("results", show(await verifyPassword(auth, { username, password: wrong, address })));
        }
      }
      clock.now += 3_600_000;
      const scopes = ["tokens:introspect"] as const;
      const issued = must(await issueToken(auth, ada.id, { scopes, name: "laptop" }));
      add("results", show(issued));
      const token = issued.text.reveal();
      handed.push(token);
      const guard = createGuard(auth);
      const scheme = auth.dialect?.scheme ?? "Token";
      const request = {
        method: "GET",
        headers: new Headers({ Authorization: `${scheme} ${token}` }),
      };
      add("results", show(await guard(request)));
      // Every endpoint: without a token, with a wrong one, with bodies that fit and that do not.
      const bodies = [
        {},
        { token },
        { username: wrong, password: wrong },
        { current_password: wrong, new_password: next, token: `${token}x` },
        { name: `${wrong}\n!`, scopes: [wrong], expires_in: -1 },
        `{"password":"${wrong}"`,
      ];
      const ending = /logout|rotate|password/;
      for (const route of routes) {
        const path = route.path.replace("{id}", issued.token.id);
        for (const text of [undefined, `${token}x`, token]) {
          if (text === token && (ending.test(path) || route.method === "DELETE")) continue;
          for (const body of route.method === "GET" ? [undefined] : bodies) {
            if (path === "/revoke/" && body === bodies[1]) continue;
            await call(route.method, path, body, text);
          }
        }
        await call(route.method, `${path}?token=${token}&password=${encodeURIComponent(wrong)}`);
      }
      const rotated = await call("POST", "/tokens/rotate/", {}, token);
      await call("POST", "/tokens/", { name: "script" }, readText(rotated.body, tokenKey(rotated)));
      clock.now += 60_000;
      await call("GET", "/me/", undefined, token);
      const change = { current: password, next, address: WORDS["forwarded address"] };
      add("results", show(await changePassword(auth, ada.id, { ...change, current: wrong })));
      add("results", show(await changePassword(auth, ada.id, change)));
      const fresh = must(await grantToken(auth, ada.id));
      handed.push(fresh.text.reveal());
      const changed = { current_password: next, new_password: password };
      await call("POST", "/password/", changed, fresh.text.reveal());
      await flushUses(auth);
      add("configuration", show(auth));

      // The database fails, with all of it in its errors.
      const everything = [...Object.values(WORDS), ...handed].join(" ");
      const broken = makeAuth({ ...configuration, store: breakStore(url, everything) });
      const service = createSelfService(broken.auth, { introspect });
      for (const route of routes) {
        const path = route.path.replace("{id}", issued.token.id);
        const json = route.method === "GET" ? {} : { json: { ...credentials, token } };
        const sent = { token, headers, ...json };
        const reply = await send(service.endpoint, broken.auth, route.method, path, sent);
        expect([reply.status, route.name]).toEqual([503, route.name]);
        add("answers", showReply(reply, handed));
      }
      for (
        const run of [
          () => login(broken.auth, { ...credentials, address: NETWORK_ADDRESS }),
          () => setPassword(broken.auth, ada.id, next),
          () => setActive(broken.auth, ada.id, false),
          () => deleteUser(broken.auth, ada.id),
          () => revokeAllTokens(broken.auth, ada.id),
          () => issueToken(broken.auth, ada, { name: `${wrong}\n` }),
        ]
      ) {
        const error = await run().then(() => null, (caught: unknown) => caught);
        expect(error).toBeInstanceOf(Error);
        add("errors", show(error));
      }
      add("results", show(await deleteUser(auth, ada.id)));
      add("results", show(await pruneTokens(auth, { retention: 1 })));
      await Promise.all([audit({ type: "tokens_pruned", at: clock.now, count: 0 })]);
      add("events", show(events));
    });
    add("console", printed);
    for (const [name, text] of await readFiles(url)) add(name.replace(/^\d+/, "file"), text);

    const texts = Object.fromEntries(handed.map((text, index) => [`token ${index}`, text]));
    // Half of a token is too much as well.
    const halves = Object.fromEntries(handed.map((text, index) => [
      `half of token ${index}`,
      text.slice(8, 30),
    ]));
    expect(findLeaks(places, { ...WORDS, ...texts, ...halves })).toEqual([]);

    // The opposite: all places were searched, and what may be in them is.
    expect(new Set(handed).size).toBeGreaterThan(4);
    expect([...places.keys()].sort()).toEqual([
      "answers",
      "configuration",
      "console",
      "errors",
      "events",
      "file.db",
      "file.db-shm",
      "file.db-wal",
      "file.db.copy",
      "file.db.copy-shm",
      "file.db.copy-wal",
      "file.db.vacuum",
      "results",
    ]);
    expect(places.get("answers")).toContain("laptop");
    expect(places.get("file.db.vacuum")).toContain("token_reused");
    const client = databases.connect(url);
    const { rows } = await client.execute("select key from latchkey_attempt");
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) expect(String(row["key"])).toMatch(/^[0-9a-f]{64}$/);
  },
  30_000,
);

it("L2: what looks for a secret finds it in every form and place", async () => {
  const secret = WORDS.password;
  const bytes = Buffer.from(`a ${secret} b`);
  const forms = [
    `a ${secret} b`,
    bytes.toString("base64"),
    bytes.toString("base64url"),
    bytes.toString("hex"),
    `?q=${encodeURIComponent(secret)}`,
    bytes.toString("latin1"),
    show(new Error("x", { cause: Object.assign(new Error("y"), { params: [secret] }) })),
    show({ key: new TextEncoder().encode(secret) }).replace(/\s+/g, " "),
    await listen(async () => {
      console.error("x", { deep: { deeper: [secret] } });
      process.stderr.write(secret);
    }),
  ];
  for (const form of forms.slice(0, 7)) {
    expect(findLeaks(new Map([["place", form]]), { secret }), form).not.toEqual([]);
  }
  expect(findLeaks(new Map([["console", forms.at(-1) ?? ""]]), { secret })).not.toEqual([]);
});

/** Where a dialect puts the token. */
function tokenKey({ body }: Reply): string {
  return Reflect.has(Object(body), "access_token") ? "access_token" : "token";
}
