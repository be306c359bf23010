/**
 * Mounts the library wherever a server is a function from `Request` to `Response`:
 * `Deno.serve`, `Bun.serve`, Workers and their like.
 *
 * @module
 */
import type { Auth } from "../../src/core/auth.ts";
import { toResponse } from "../../src/http/answer.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import {
  type AuthenticatedGuardOptions,
  createGuard,
  type GuardOptions,
  type GuardRequest,
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
    const result = await check(toGuardRequest(request, rest));
    return result.ok ? await handler(request, result.value, ...rest) : toResponse(result.failure);
  };
}

/**
 * Turns an endpoint into a handler that tells the platform what to wait for after the answer.
 *
 * An endpoint is a fetch-style handler by itself. On a platform that may end
 * with the answer, such as Workers, mount it with this, or the last uses of
 * tokens may be lost.
 *
 * @example
 * ```ts
 * import { createSelfService, defineAuth } from "latchkey";
 * import { mount } from "latchkey/fetch";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const handle = mount(createSelfService(auth).endpoint);
 * console.log((await handle(new Request("https://example.com/me/"))).status); // 401
 * ```
 */
export function mount(endpoint: Endpoint): FetchHandler<readonly unknown[]> {
  return async (request, ...rest) => {
    const { url, body, bodyUsed } = request;
    return await endpoint({ ...toGuardRequest(request, rest), url, body, bodyUsed });
  };
}

/** A Worker's execution context, where the platform passes one, is told what to wait for. */
function toGuardRequest({ method, headers }: Request, rest: readonly unknown[]): GuardRequest {
  const execution = rest.find(isExecution);
  return execution === undefined
    ? { method, headers }
    : { method, headers, waitUntil: (work) => execution.waitUntil(work) };
}

function isExecution(value: unknown): value is { waitUntil(work: Promise<void>): void } {
  return typeof value === "object" && value !== null && "waitUntil" in value &&
    typeof value.waitUntil === "function";
}
