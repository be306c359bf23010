/**
 * Mounts the library wherever a server is a function from `Request` to `Response`:
 * `Deno.serve`, `Bun.serve`, Workers and their like.
 *
 * @module
 */
import type { Auth } from "../../src/core/auth.ts";
import { toResponse } from "../../src/http/answer.ts";
import {
  type AuthenticatedGuardOptions,
  createGuard,
  type GuardOptions,
} from "../../src/http/guard.ts";
import type { Principal } from "../../src/pure/record.ts";

export { createLogout as logout } from "../../src/http/logout.ts";
export { createObtainToken as obtainToken } from "../../src/http/obtain_token.ts";

/** Answers a guarded request. `rest` is what the platform passes besides the request. */
export type GuardedHandler<Who extends Principal | null, Rest extends readonly unknown[]> = (
  request: Request,
  principal: Who,
  ...rest: Rest
) => Response | Promise<Response>;

/** A fetch-style handler. */
export type FetchHandler<Rest extends readonly unknown[]> = (
  request: Request,
  ...rest: Rest
) => Promise<Response>;

/** Turns a handler that wants a principal into one that `Deno.serve` and its like take. */
export type GuardHandler<Who extends Principal | null> = <Rest extends readonly unknown[]>(
  handler: GuardedHandler<Who, Rest>,
) => FetchHandler<Rest>;

/**
 * Guards a handler; the principal is its second argument.
 *
 * @example
 * ```ts
 * import { defineAuth } from "latchkey";
 * import { guard } from "latchkey/deno";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const me = guard(auth)((_request, { user }) => Response.json({ username: user.username }));
 * console.log((await me(new Request("https://example.com/me"))).status); // 401
 * ```
 */
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): GuardHandler<Principal<Scope>>;
/** Guards a handler that also anonymous callers may reach; the principal is then `null`. */
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): GuardHandler<Principal<Scope> | null>;
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): GuardHandler<Principal<Scope> | null> {
  const check = createGuard(auth, options);
  return (handler) => async (request, ...rest) => {
    const result = await check(request.headers.get("authorization"), request.method);
    return result.ok ? await handler(request, result.value, ...rest) : toResponse(result.failure);
  };
}
