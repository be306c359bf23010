/**
 * The tutorial on Workers: `npm run example:workers`.
 *
 * A Worker has no files and no fixed lifetime: this one keeps users and tokens
 * in the memory of its isolate. For real, give it `libsqlStore` with a client of
 * `@libsql/client/web` and a remote URL.
 */
import { type Auth, createSuperuser, defineAuth } from "latchkey";
import { type FetchHandler, guard, logout, obtainToken } from "latchkey/fetch";
import { memoryStore } from "latchkey/memory";
import { scrypt } from "latchkey/scrypt";
import { customLogin } from "./login.ts";

interface Environment {
  readonly LATCHKEY_SECRET: string;
  readonly LATCHKEY_USERNAME: string;
  readonly LATCHKEY_PASSWORD: string;
}

let routes: Promise<Record<string, FetchHandler<[]>>> | undefined;

/** A Worker may draw random bytes only while it answers, so the first request sets up. */
async function setUp(env: Environment): Promise<Record<string, FetchHandler<[]>>> {
  const auth: Auth = defineAuth({
    store: memoryStore(),
    passwords: [scrypt()],
    onLogin: "reuse",
    secret: env.LATCHKEY_SECRET,
  });
  const { LATCHKEY_USERNAME: username, LATCHKEY_PASSWORD: password } = env;
  await createSuperuser(auth, { username, password });
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
