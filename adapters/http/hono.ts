/**
 * Mounts the library into Hono, on any runtime.
 *
 * @module
 */
import type { Context, Handler, MiddlewareHandler } from "hono";
import type { Auth } from "../../src/core/auth.ts";
import { toResponse } from "../../src/http/answer.ts";
import type { EndpointRequest } from "../../src/http/body.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import {
  type AuthenticatedGuardOptions,
  createGuard,
  type GuardOptions,
} from "../../src/http/guard.ts";
import { createLogout } from "../../src/http/logout.ts";
import { createObtainToken, type ObtainTokenOptions } from "../../src/http/obtain_token.ts";
import type { Principal } from "../../src/pure/record.ts";
import { findPeerAddress } from "./peer_address.ts";

/** What a guard adds to Hono's context: `c.var.principal`, typed without any declaration. */
export interface GuardEnv<Who extends Principal | null> {
  /** What `c.var` then has. */
  Variables: { principal: Who };
}

/**
 * Guards a route; the principal is then in `c.var.principal`.
 *
 * @example
 * ```ts
 * import { Hono } from "hono";
 * import { defineAuth } from "latchkey";
 * import { guard } from "latchkey/hono";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const app = new Hono();
 * app.get("/me", guard(auth), (c) => c.json({ username: c.var.principal.user.username }));
 * console.log((await app.request("/me")).status); // 401
 * ```
 */
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): MiddlewareHandler<GuardEnv<Principal<Scope>>>;
/** Guards a route that also anonymous callers may reach; the principal is then `null`. */
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): MiddlewareHandler<GuardEnv<Principal<Scope> | null>>;
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): MiddlewareHandler {
  const check = createGuard(auth, options);
  return async (c, next) => {
    const decision = check(new RequestView(c));
    const result = "then" in decision ? await decision : decision;
    if (!result.ok) return toResponse(result.failure);
    c.set("principal", result.value);
    return await next();
  };
}

/** Mounts the endpoint that takes a username and password and answers with a token. */
export function obtainToken<Scope extends string>(
  auth: Auth<Scope>,
  options?: ObtainTokenOptions<NoInfer<Scope>>,
): Handler {
  return mount(createObtainToken(auth, options));
}

/** Mounts the endpoint that revokes the token it is called with. */
export function logout<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): Handler {
  return mount(createLogout(auth, options));
}

/** Mounts an endpoint of your own. It works also behind a middleware that has read the body through Hono. */
export function mount(endpoint: Endpoint): Handler {
  return async (c: Context): Promise<Response> => {
    if (!c.req.raw.bodyUsed) return await endpoint(new RequestView(c));
    return await endpoint(new RequestView(c, new Uint8Array(await c.req.arrayBuffer())));
  };
}

/** What guards and endpoints read, taken from the context only when it is read. */
class RequestView implements EndpointRequest {
  readonly #context: Context;
  /** The bytes of the body when they were read through Hono before. */
  readonly parsed: Uint8Array | undefined;

  constructor(context: Context, parsed?: Uint8Array) {
    this.#context = context;
    this.parsed = parsed;
  }

  get method(): string {
    return this.#context.req.method;
  }

  get url(): string {
    return this.#context.req.raw.url;
  }

  get headers(): Headers {
    return this.#context.req.raw.headers;
  }

  get address(): string | null {
    const { env, req } = this.#context;
    return findPeerAddress(env, req.raw);
  }

  get waitUntil(): (work: Promise<void>) => void {
    return (work) => findExecution(this.#context)?.waitUntil(work);
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.parsed === undefined ? this.#context.req.raw.body : null;
  }

  get bodyUsed(): boolean {
    return this.#context.req.raw.bodyUsed;
  }
}

/** Hono throws where the platform has no execution context. */
function findExecution(c: Context): Context["executionCtx"] | null {
  try {
    return c.executionCtx;
  } catch {
    return null;
  }
}
