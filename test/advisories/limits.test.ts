import {
  createObtainToken,
  createUser,
  issueToken,
  type Limit,
  setActive,
  verifyPassword,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { describe, expect, it } from "vitest";
import { makeAuth, makeUser, must } from "../fixture.ts";
import { dialects, makeService } from "../http/service.ts";
import { countVerbs, loginFrom } from "./scene.ts";

const HOUR = 3_600_000;

describe("limits", () => {
  it("CVE-2026-45364 / GHSA-p6v2-xcpg-h6xw: all addresses of one /64, and all spellings of one address, share one limit (B5)", async () => {
    const alone: Limit = { max: 3, window: HOUR };
    const spellings = {
      "one /64": Array.from(
        { length: 1_000 },
        (_, index) => `2001:db8:0:1:${index.toString(16)}::${(index * 7).toString(16)}`,
      ),
      "one IPv6 address": [
        "2001:db8:0:1::1",
        "2001:0DB8:0000:0001:0000:0000:0000:0001",
        "2001:db8:0:1:0::1",
        "[2001:db8:0:1::1]:443",
        "2001:db8:0:1::1%eth0",
        "2001:db8::1:0:0:0:1",
      ],
      "one IPv4 address": [
        "192.0.2.1",
        "::ffff:192.0.2.1",
        "::FFFF:c000:201",
        "0:0:0:0:0:ffff:192.0.2.1",
        "[::ffff:192.0.2.1]:80",
        "192.0.2.1:80",
      ],
    };
    for (const [name, addresses] of Object.entries(spellings)) {
      const { auth } = makeAuth({ loginLimits: { address: alone, account: null, global: null } });
      const endpoint = createObtainToken(auth);
      const statuses: number[] = [];
      for (const [index, address] of addresses.entries()) {
        statuses.push((await endpoint(loginFrom(address, `user${index}`, "guess"))).status);
      }
      const expected = addresses.map((_, index) => index < alone.max ? 400 : 429);
      expect(statuses, name).toEqual(expected);
      expect((await endpoint(loginFrom("2001:db8:0:2::1", "user", "guess"))).status).toBe(400);
    }
  });

  it("c:62703943 (Devise 4996; CVE-2019-5421 from memory): of 100 wrong passwords at once exactly as many are tried as the limit allows (B4)", async () => {
    const limit: Limit = { max: 7, window: HOUR };
    const { auth, clock } = makeAuth({
      loginLimits: { account: limit, address: null, global: null },
    });
    await makeUser(auth, "ada");
    const tries = await Promise.all(
      Array.from(
        { length: 100 },
        (_, index) =>
          verifyPassword(auth, {
            username: index % 2 === 0 ? "ada" : " ADA ",
            password: `${index}`,
          }),
      ),
    );
    const reasons = tries.map((result) => result.ok ? "ok" : result.failure.reason);
    expect(reasons.filter((reason) => reason === "throttled")).toHaveLength(93);
    expect(reasons).not.toContain("ok");
    const right = { username: "ada", password: "ada-password" };
    expect(await verifyPassword(auth, right)).toMatchObject({ failure: { reason: "throttled" } });
    clock.now += HOUR;
    expect((await verifyPassword(auth, right)).ok).toBe(true);
  });

  it("knox#391: of 50 tokens made at once as many are made as the limit allows, each with one call to the store, and logins are limited without asking (R1)", async () => {
    const { store, calls } = countVerbs(memoryStore());
    const { auth } = makeAuth({ store, tokenLimit: 5 });
    const made = await Promise.all(Array.from({ length: 50 }, () => issueToken(auth, "1")));
    expect(made.filter(({ ok }) => ok)).toHaveLength(5);
    expect([...calls]).toEqual([["insertToken", 50]]);
    expect(await store.listTokens("1", { limit: 100 })).toHaveLength(5);
    expect(auth.loginLimits?.account?.max).toBeLessThanOrEqual(100);
    expect(auth.loginLimits?.address?.max).toBeLessThanOrEqual(100);
  });
});

describe("what an answer tells", () => {
  it("ae3343b0, c864709c, b387f091 (2026): nobody learns from a login who has an account: one hash, one status, one body (T3, B1)", async () => {
    for (const { options } of dialects) {
      const counted = { hash: 0, verify: 0 };
      const { auth: { passwords: [inner] } } = makeAuth();
      const hasher = {
        ...inner,
        hash: (...rest: Parameters<typeof inner.hash>) => (counted.hash++, inner.hash(...rest)),
        verify: (...rest: Parameters<typeof inner.verify>) => (
          counted.verify++, inner.verify(...rest)
        ),
      };
      const service = await makeService({ ...options, passwords: [hasher] });
      must(await createUser(service.auth, { username: "nopassword" }));
      await setActive(service.auth, service.bob.id, false);
      const seen = new Set<string>();
      const attempts = [
        ["ada", "wrong"],
        ["nobody", "wrong"],
        ["nopassword", "wrong"],
        ["bob", "wrong"],
        ["bob", "bob-password"],
      ];
      for (const [username, password] of attempts) {
        counted.hash = counted.verify = 0;
        const json = { username, password };
        const { status, headers, text } = await service.call("POST", "/login/", { json });
        expect(counted.hash + counted.verify, username).toBe(1);
        seen.add(JSON.stringify([status, [...headers], text]));
      }
      expect([...seen]).toHaveLength(1);
      expect([...seen].join()).toMatch(/^\[400/);
    }
  });

  // We have no proof of possession: whatever a Host could go into is an answer.
  it("1.9.1 (dbc3314): nothing derives from Host, or from what stands for it (F6)", async () => {
    for (const { options } of dialects) {
      const service = await makeService({ ...options, trustedProxies: 1 });
      const token = service.mine.text;
      const evil = "evil.example";
      const forged = [
        {},
        { Host: evil },
        { "X-Forwarded-Host": evil, "X-Forwarded-Proto": "http", "X-Forwarded-Prefix": "/x" },
        { Forwarded: `host=${evil};proto=http`, "X-Original-URL": "/tokens/", "X-Host": evil },
      ];
      const calls = [
        ["GET", "/me/", { token }],
        ["GET", "/me/", {}],
        ["GET", "/nothing/", { token }],
        ["GET", "/tokens/?limit=1", { token }],
        ["OPTIONS", "/login/", {}],
        ["PUT", "/login/", {}],
        ["POST", "/login/", { json: {} }],
        ["POST", "/introspect/", { token, json: { token } }],
      ] as const;
      for (const [method, path, call] of calls) {
        const answers = [];
        for (const headers of forged) {
          const reply = await service.call(method, path, { ...call, headers });
          answers.push(JSON.stringify([reply.status, [...reply.headers], reply.text]));
        }
        expect(new Set(answers).size, `${method} ${path}`).toBe(1);
        expect(answers.join()).not.toContain(evil);
      }
    }
  });
});
