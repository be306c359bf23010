import { constantTimeEqual } from "@oslojs/crypto/subtle";
import {
  type Auth,
  createGuard,
  createUser,
  defineAuth,
  issueToken,
  normalizeUsername,
  readAuthorization,
  type Store,
  systemRandom,
  type TokenRecord,
  verifyToken,
} from "latchkey";
import { type MemoryStore, memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must, reasonOf, seededNumbers, START } from "../fixture.ts";
import { issue } from "../http/issue.ts";
import { makeService } from "../http/service.ts";
import { alterVerb, countVerbs, outcomeOf } from "./scene.ts";

/** What some code makes a token of when there is none. */
const BLANK = ["", " ", "\t", "\0", "null", "undefined", "NaN", "0", "false", "[object Object]"];

interface Scene {
  readonly auth: Auth;
  readonly text: string;
  readonly store: MemoryStore;
}

async function makeToken(): Promise<Scene> {
  const store = memoryStore();
  const { auth } = makeAuth({ store });
  const { text } = await issue(auth, await makeUser(auth, "ada"));
  return { auth, text, store };
}

/** The same token where its row reads otherwise. */
function alterRow(store: Store, changes: object | ((row: TokenRecord) => object)): Auth {
  const change = (found: unknown) => {
    const row = Reflect.get(Object(found), "token");
    const altered = typeof changes === "function" ? changes(row) : changes;
    return { ...Object(found), token: { ...Object(row), ...altered } };
  };
  return makeAuth({ store: alterVerb(store, "findToken", change) }).auth;
}

describe("the header", () => {
  it("GHSA-xmf8-cvqr-rfgj: no header is decoded, none throws, and only the token itself passes (H7, H8, H17)", async () => {
    const { auth, text } = await makeToken();
    const guard = createGuard(auth, { schemes: ["Token", "Bearer"] });
    const ask = async (value: string | null) => {
      const result = await guard({ method: "GET", headers: { get: () => value } });
      return result.ok ? 200 : result.failure.status;
    };
    const hostile = ["Bearer %", "Bearer %zz", "Bearer %00", "Token %E0%A4%A", "Token \ud800", "%"];
    for (const value of [null, ...hostile]) expect(await ask(value)).toBe(401);
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    const draw = seededNumbers(seed);
    const pieces = ["%", "Token", "Bearer", " ", "\0", "\xff", "\ufeff", ",", "=", "é", "\ud800"];
    for (let round = 0; round < 3_000; round++) {
      const at = draw(text.length);
      const piece = pieces[draw(pieces.length)] ?? "";
      const value = draw(2) === 0
        ? Array.from({ length: draw(9) }, () => pieces[draw(pieces.length)]).join("")
        : `Token ${text.slice(0, at)}${piece}${text.slice(at + draw(2))}`;
      // A space that stands before the token is one between it and the scheme.
      const isToken = /^Token +(\S+) *$/.exec(value)?.[1] === text;
      expect(await ask(value), `${JSON.stringify(value)}, seed ${seed}`).toBe(isToken ? 200 : 401);
    }
    expect(await ask(`Token ${text}`)).toBe(200);
  });

  it("CVE-2024-47887 (fixed c:4712a2b8421), CVE-2021-22904: what reads a header looks at 8 KiB of it at most, and at each character once (H10)", async () => {
    const units = ["a,", "=", " ", "\t;,", '"', 'a="', "\\", "\t", "\v\f", "%", "a b ", "\u00e9"];
    for (const unit of units) {
      // Tens of billions of steps, were it not linear.
      const adversarial = unit.repeat(262_144);
      for (const value of [adversarial, `Token ${adversarial}`, `Token token="${adversarial}`]) {
        expect(readAuthorization(value, ["Token"]).kind).not.toBe("present");
      }
      const short = `Token ${unit.repeat(8_180 / unit.length)}`;
      for (let round = 0; round < 50; round++) readAuthorization(short, ["Token"]);
    }
    const { auth } = makeAuth();
    for (const unit of units) {
      expect(await reasonOf(auth, `lk_${unit.repeat(262_144)}`)).toBe("malformed_token");
    }
  });
});

describe("the text of a token", () => {
  it("CVE-2019-16109: a blank token is refused before the store is asked, and a blank row is nobody's (H11, K7)", async () => {
    const { store, calls } = countVerbs(memoryStore());
    const { auth } = makeAuth({ store });
    const ada = await makeUser(auth, "ada");
    const { token } = await issue(auth, ada);
    const [row] = await store.listTokens(ada.id, { limit: 1 });
    if (row === undefined) throw new Error("no row");
    await store.insertToken({ ...row.token, id: "blank", family: "blank", digest: "" });
    calls.clear();
    for (const text of [...BLANK, null, undefined, 0, {}, [], [token.id]]) {
      const result = await Reflect.apply(verifyToken, null, [auth, text]);
      expect(result).toEqual({ ok: false, failure: { reason: "malformed_token" } });
    }
    const guard = createGuard(auth);
    for (const text of BLANK) {
      const value = `Token ${text}`;
      const result = await guard({ method: "GET", headers: { get: () => value } });
      expect(result).toMatchObject({ ok: false, failure: { status: 401 } });
    }
    expect([...calls]).toEqual([]);
  });

  // There is no algorithm to choose: the pepper of a digest is what could be chosen.
  it("CVE-2026-22817 / GHSA-f67f-6cw9-8mq4: the text of a token selects no key, and a row only one that is listed (K8)", async () => {
    const [one, two] = ["one", "two"].map((id, index) => ({
      id,
      key: new Uint8Array(32).fill(index + 1),
    }));
    if (one === undefined || two === undefined) throw new Error("no peppers");
    const store = memoryStore();
    const { auth } = makeAuth({ store, peppers: [one, two] });
    const ada = await makeUser(auth, "ada");
    const { text } = await issue(auth, ada);
    for (const id of ["one", "two", "none", "null", ""]) {
      for (
        const forged of [`${id}.${text}`, `${id}:${text}`, `${text}.${id}`, `lk_${id}_${text}`]
      ) {
        expect(await reasonOf(auth, forged)).toBe("malformed_token");
      }
    }
    const alg = btoa(JSON.stringify({ alg: "none", kid: "two" }));
    expect(await reasonOf(auth, `${alg}.${btoa("{}")}.`)).toBe("malformed_token");
    for (const pepper of ["two", "three", "none", "__proto__", "", null]) {
      const change = (found: unknown) => ({
        ...Object(found),
        token: { ...Object(Reflect.get(Object(found), "token")), pepper },
      });
      const altered = makeAuth({
        store: alterVerb(store, "findToken", change),
        peppers: [one, two, "none"],
      });
      expect(await outcomeOf(altered.auth, text), `${pepper}`).not.toBe("ok");
    }
    expect(await reasonOf(makeAuth({ store, peppers: [two, "none"] }).auth, text))
      .toBe("unknown_token");
    expect(await reasonOf(makeAuth({ store, peppers: [two, one] }).auth, text)).toBe("ok");
  });

  it("CVE-2022-31142 / GHSA-376v-xgjx-7mfr: texts and digests of every length are refused alike, and none throws (K5, K7)", async () => {
    const { auth, text, store } = await makeToken();
    for (let length = 0; length <= 2 * text.length; length++) {
      const other = (text + text).slice(0, length);
      expect(await reasonOf(auth, other)).toBe(other === text ? "ok" : "malformed_token");
    }
    const { digest } = auth.digest(text);
    const others = ["", digest.slice(0, 32), digest.slice(1), `${digest}00`, digest.toUpperCase()];
    for (const other of [...others, "é".repeat(64), digest + digest]) {
      expect(await outcomeOf(alterRow(store, { digest: other }), text), other).not.toBe("ok");
    }
    expect(await outcomeOf(alterRow(store, { digest }), text)).toBe("ok");
  });

  // The hash cannot be chosen here: a collision could only be part of a digest that a store gives back.
  it("c:91def7ca (advisory, Feb 2026): a digest that agrees in all but one place is another token's (K5)", async () => {
    const { auth, text, store } = await makeToken();
    const { digest } = auth.digest(text);
    for (let place = 0; place < digest.length; place++) {
      const other = digest[place] === "0" ? "1" : "0";
      const near = digest.slice(0, place) + other + digest.slice(place + 1);
      expect(await outcomeOf(alterRow(store, { digest: near }), text)).not.toBe("ok");
    }
  });

  it("(behaviour, found here) @oslojs/crypto: two different texts of one length are never equal here, though its constantTimeEqual says so (K5)", async () => {
    // If this ends, nothing here depends on it.
    const different = ["0".repeat(64), "f".repeat(64)];
    expect(Reflect.apply(constantTimeEqual, null, different)).toBe(true);
    const { text, store } = await makeToken();
    for (const digest of different) {
      expect(await outcomeOf(alterRow(store, { digest }), text)).not.toBe("ok");
    }
    const hasher = pbkdf2({ iterations: 1_000 });
    const encoded = await hasher.hash("one password", systemRandom);
    expect(await hasher.verify("two password", encoded)).toBe(false);
  });

  it("CVE-2015-7576: a wrong guess is looked up by its digest, with one call to the store wherever it differs, and hashed once (T1, T3)", async () => {
    const { store, calls } = countVerbs(memoryStore());
    const { auth } = makeAuth({ store });
    const { text } = await issue(auth, await makeUser(auth, "ada"));
    const { digest } = auth.digest(text);
    const seen = new Set<string>();
    for (let place = 0; place < 32; place++) {
      const bytes = new Uint8Array(32);
      bytes[place] = 1;
      const guess = auth.formats[0].encode(bytes);
      calls.clear();
      expect(await reasonOf(auth, guess)).toBe("unknown_token");
      expect([...calls]).toEqual([["findToken", 1]]);
      seen.add(auth.digest(guess).digest.slice(0, 8));
    }
    // What the index of a database tells by its time is about digests, which nobody can steer.
    expect(seen.size).toBe(32);
    expect(seen.has(digest.slice(0, 8))).toBe(false);
  });
});

describe("times", () => {
  it("CVE-2026-44459 / GHSA-hm8q-7f3q-5f36: a time that is no finite number has passed (A7)", async () => {
    const { text, store, auth } = await makeToken();
    const wrong = [
      NaN,
      -Infinity,
      "",
      "2099-01-01",
      false,
      {},
      [],
      [START * 2],
      new Date(START * 2),
    ];
    for (const time of [...wrong, undefined, 0, Infinity, `${START * 2}`, BigInt(START) * 2n]) {
      const name = String(time);
      expect(await outcomeOf(alterRow(store, { expiresAt: time }), text), name).not.toBe("ok");
    }
    for (const time of [...wrong, undefined, 0, "60000"]) {
      const idle = alterRow(store, { idleTimeout: time, createdAt: START - 1 });
      expect(await outcomeOf(idle, text), String(time)).not.toBe("ok");
      const revoked = alterRow(store, { revokedAt: time, revokedReason: "revoked" });
      expect(await outcomeOf(revoked, text), String(time)).not.toBe("ok");
    }
    for (const time of [NaN, Infinity, 0, -1, 1.5, "1", "", {}]) {
      const options = [auth, "1", { expiresIn: time }];
      await expect(Reflect.apply(issueToken, null, options)).rejects.toThrow();
      await expect(Reflect.apply(issueToken, null, [auth, "1", { idleTimeout: time }])).rejects
        .toThrow();
    }
  });
});

describe("a failure of what is behind", () => {
  it("GHSA-8fpg-xm3f-6cx3: an error, or anything else that is true, in place of an answer lets nobody in (C4, F5)", async () => {
    const { text, store } = await makeToken();
    const headers = new Headers({ Authorization: `Token ${text}` });
    const truthy = [new Error("misconfigured"), { error: "x" }, true, "ok", 1, [], {}, () => true];
    for (const answer of [...truthy, { token: {}, user: {}, epoch: null, successor: null }]) {
      const { auth } = makeAuth({ store: alterVerb(store, "findToken", () => answer) });
      const result = await createGuard(auth)({ method: "GET", headers });
      expect(result).toMatchObject({ ok: false, failure: { status: 503 } });
      const service = await makeService({
        findUser: async () => Reflect.get(Object({ answer }), "answer"),
      });
      const reply = await service.call("GET", "/me/", { token: service.mine.text });
      expect(reply.status).toBe(503);
      expect(reply.headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
    }
    for (const wrong of [{}, { store: memoryStore() }, { store: new Error("x"), passwords: [] }]) {
      expect(() => Reflect.apply(defineAuth, null, [wrong])).toThrow(TypeError);
    }
  });

  it("CVE-2019-16751: no answer is read as a page, and none shows what was sent (L8)", async () => {
    const script = "<script>alert(1)</script>";
    const service = await makeService();
    const places = service.service.routes.flatMap(({ method, path }) => [
      [method, path.replace("{id}", encodeURIComponent(script))],
      [method, `${path.replace("{id}", service.mine.token.id)}?error=${script}&cursor=${script}`],
    ]);
    for (const [method = "", path = ""] of places) {
      const json = {
        username: script,
        password: script,
        name: `${script}\n`,
        scopes: [script],
        token: script,
        current_password: script,
        new_password: script,
        [script]: script,
      };
      for (const token of [undefined, "lk_<script>", service.mine.text]) {
        if (/logout|rotate/.test(path) && token === service.mine.text) continue;
        const body = method === "GET" ? {} : { json };
        const headers = { Cookie: script, "X-Error": script, Referer: `http://test/${script}` };
        const reply = await service.call(method, path, { token, ...body, headers });
        expect(reply.status, `${method} ${path}`).toBeLessThan(500);
        expect(JSON.stringify([reply.text, ...reply.headers])).not.toMatch(/<script/);
        if (reply.text !== "") expect(reply.headers.get("Content-Type")).toMatch(/json/);
      }
    }
  });
});

describe("names of users", () => {
  it("GHSA-7rqj-j65f-68wh: a name is normalised first and checked then, and stays as it is from then on (R7)", async () => {
    const { auth } = makeAuth();
    must(await createUser(auth, { username: "ａｄａ", password: "correct horse battery" }));
    const again = await createUser(auth, { username: "ada", password: "correct horse battery" });
    expect(again).toEqual({ ok: false, failure: { reason: "username_taken" } });
    // Each becomes something that no name may hold, or too long, when it is normalised.
    for (const username of ["ada＜", "ada＂", "℀ada", "a\u2048b", "ﷺ".repeat(10), "ada\uff0fb"]) {
      expect((await createUser(auth, { username })).ok, username).toBe(false);
    }
    const seed = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
    const draw = seededNumbers(seed);
    for (let round = 0; round < 2_000; round++) {
      const points = Array.from({ length: 1 + draw(4) }, () => draw(0x2ff) + draw(2) * 0xfc00);
      const once = normalizeUsername(String.fromCodePoint(...points));
      if (once.ok) expect(normalizeUsername(once.value), `seed ${seed}`).toEqual(once);
    }
  });
});
