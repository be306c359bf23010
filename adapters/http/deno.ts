/**
 * Mounts the library wherever a server is a function from `Request` to `Response`:
 * `Deno.serve`, `Bun.serve`, Workers and their like.
 *
 * @module
 */
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

/** Answers a guarded request. `rest` is what the platform passes besides the request. */
export type GuardedHandler<Who extends Principal | null, Rest extends readonly unknown[]> = (
  request: Request,
  principal: Who,
  ...rest: Rest
) => Response | Promise<Response>;

/** A fetch-style handler. Pass it all that the platform passes, or it knows no address. */
export type FetchHandler<Rest extends readonly unknown[] = readonly unknown[]> = (
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
    const decision = check(new RequestView(request, rest));
    const result = "then" in decision ? await decision : decision;
    return result.ok ? await handler(request, result.value, ...rest) : toResponse(result.failure);
  };
}

/** Makes the handler that takes a username and password and answers with a token. */
export function obtainToken<Scope extends string>(
  auth: Auth<Scope>,
  options?: ObtainTokenOptions<NoInfer<Scope>>,
): FetchHandler {
  return mount(createObtainToken(auth, options));
}

/** Makes the handler that revokes the token it is called with. */
export function logout<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): FetchHandler {
  return mount(createLogout(auth, options));
}

/**
 * Turns an endpoint into a handler that makes use of what the platform passes besides the request.
 *
 * An endpoint is a fetch-style handler by itself, but then it does not know the
 * address of the client, which `Deno.serve` and `Bun.serve` tell in the second
 * argument; and on a platform that may end with the answer, such as Workers, which tell
 * in the third what to call, the last uses of tokens may be lost.
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
export function mount(endpoint: Endpoint): FetchHandler {
  return async (request, ...rest) => await endpoint(new RequestView(request, rest));
}

/** What guards and endpoints read, taken from the platform only when it is read. */
class RequestView implements EndpointRequest {
  readonly #request: Request;
  readonly #rest: readonly unknown[];

  constructor(request: Request, rest: readonly unknown[]) {
    this.#request = request;
    this.#rest = rest;
  }

  get method(): string {
    return this.#request.method;
  }

  get url(): string {
    return this.#request.url;
  }

  get headers(): Headers {
    return this.#request.headers;
  }

  get address(): string | null {
    for (const platform of this.#rest) {
      const address = findPeerAddress(platform, this.#request);
      if (address !== null) return address;
    }
    return null;
  }

  /** A Worker's execution context, where the platform passes one, is told what to wait for. */
  get waitUntil(): (work: Promise<void>) => void {
    return (work) => this.#rest.find(isExecution)?.waitUntil(work);
  }

  get body(): ReadableStream<Uint8Array> | null {
    return this.#request.body;
  }

  get bodyUsed(): boolean {
    return this.#request.bodyUsed;
  }
}

function isExecution(value: unknown): value is { waitUntil(work: Promise<void>): void } {
  return typeof value === "object" && value !== null && "waitUntil" in value &&
    typeof value.waitUntil === "function";
}
