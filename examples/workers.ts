/**
 * The tutorial on Workers: `npm run example:workers`.
 *
 * A Worker has no files and no fixed lifetime: this one keeps users and tokens
 * in the memory of its isolate. For real, give it `libsqlStore` with a client of
 * `@libsql/client/web` and a remote URL.
 */
import { createSuperuser, defineAuth } from "latchkey";
import { type FetchHandler, guard, logout, obtainToken } from "latchkey/fetch";
import { memoryStore } from "latchkey/memory";
import { scrypt } from "latchkey/scrypt";
import { customLogin } from "./login.ts";

type Environment = Record<`LATCHKEY_${"SECRET" | "USERNAME" | "PASSWORD"}`, string>;
type Routes = Record<string, FetchHandler<[]>>;
let routes: Promise<Routes> | undefined;

/** A Worker may draw random bytes only while it answers, so the first request sets up. */
async function setUp(env: Environment): Promise<Routes> {
  const { LATCHKEY_SECRET: secret, LATCHKEY_USERNAME: username } = env;
  const store = memoryStore();
  const auth = defineAuth({ store, passwords: [scrypt()], onLogin: "reuse", secret });
  const created = await createSuperuser(auth, { username, password: env.LATCHKEY_PASSWORD });
  if (!created.ok) throw new Error(`Cannot make the user ${username}: ${created.failure.reason}`);
  return {
    "/api/get-token/": obtainToken(auth),
    "/api/login/": customLogin(auth),
    "/api/logout/": logout(auth),
    "/api/secret-info/": guard(auth)(() => Response.json({ hello: "World" })),
  };
}

export default {
  async fetch(request: Request, env: Environment): Promise<Response> {
    routes ??= setUp(env);
    const route = (await routes)[new URL(request.url).pathname];
    return route === undefined ? new Response("Not found", { status: 404 }) : await route(request);
  },
};
