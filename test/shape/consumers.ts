/**
 * Small applications as TypeScript sources, by file name, for the packed library.
 *
 * Each exports what it makes, so that with `declaration` the compiler has to be able to name the
 * library's types from outside. They are texts, because this project's own options would demand
 * the very annotations that they do without.
 */
export const consumers: Readonly<Record<string, string>> = {
  "plain.ts": `
import { and, createGuard, createUser, defineAuth, hasScopes, isAdminUser, login } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";
import { scrypt } from "latchkey/scrypt";
import * as django from "latchkey/django";
import { storeContract } from "latchkey/testing";

export const store = memoryStore();
export const laws = storeContract();
export const verifiers = django;
export const auth = defineAuth({ store, passwords: [pbkdf2(), scrypt()], scopes: ["read"] });
export const guard = createGuard(auth, { permissions: [and(isAdminUser, hasScopes(["read"]))] });
export async function logIn(username: string, password: string) {
  await createUser(auth, { username, password });
  const result = await login(auth, { username, password }, { scopes: ["read"] });
  return result.ok ? result.value : result.failure;
}
// @ts-expect-error a scope that is not declared
createGuard(auth, { permissions: [hasScopes(["raed"])] });
`,
  "hono.ts": `
import { Hono } from "hono";
import { guard, logout, obtainToken } from "latchkey/hono";
import { auth } from "./plain.js";

export const app = new Hono()
  .post("/token", obtainToken(auth))
  .post("/logout", logout(auth))
  .get("/me", guard(auth), (c) => c.json({ username: c.var.principal.user.username }));
export const middleware = guard(auth);
`,
  "express.ts": `
import express from "express";
import { allowAny } from "latchkey";
import { guard, logout, obtainToken } from "latchkey/express";
import { auth } from "./plain.js";

export const app = express();
export const middleware = guard(auth, { permissions: [allowAny] });
app.post("/token", obtainToken(auth));
app.post("/logout", logout(auth));
app.get("/me", guard(auth), (_request, response) => {
  response.json({ username: response.locals.principal.user.username });
});
`,
  "fetch.ts": `
import { guard, logout, obtainToken } from "latchkey/fetch";
import * as deno from "latchkey/deno";
import { auth } from "./plain.js";

export const end = logout(auth);
export const me = guard(auth)((_request, { user }) => Response.json({ username: user.username }));
export const same = deno.guard(auth);
export default { fetch: obtainToken(auth) };
`,
  "openapi.ts": `
import { createSelfService } from "latchkey";
import { describeApi } from "latchkey/openapi";
import { auth } from "./plain.js";

export const selfService = createSelfService(auth, { basePath: "/api/auth" });
export const description = describeApi(selfService, { title: "Notes", version: "1.0.0" });
`,
  "libsql.ts": `
import { createClient } from "@libsql/client";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/libsql";
import { defineAuth } from "latchkey";
import { argon2id } from "latchkey/argon2id";
import { latchkeyUser, libsqlStore } from "latchkey/libsql";

export const client = createClient({ url: ":memory:" });
export const auth = defineAuth({ store: libsqlStore(client), passwords: [argon2id()] });
export const tables = { latchkeyUser };
export async function findName(id: string) {
  const rows = await drizzle(client).select({ name: latchkeyUser.username }).from(latchkeyUser)
    .where(eq(latchkeyUser.id, id));
  return rows[0]?.name;
}
`,
};

/** An application of CommonJS: whoever has a Node that can `require` a module needs nothing else. */
export const commonConsumer = `
import { createUser, defineAuth } from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";

export const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
export const created = createUser(auth, { username: "ada", password: "correct horse battery" });
`;
