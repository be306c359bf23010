/**
 * Mounts the library into Express 5 and 4.
 *
 * @module
 */
import type { Auth } from "../../src/core/auth.ts";
import type { EndpointRequest } from "../../src/http/body.ts";
import type { Endpoint } from "../../src/http/endpoint.ts";
import {
  type AuthenticatedGuardOptions,
  createGuard,
  type GuardOptions,
} from "../../src/http/guard.ts";
import type { GuardRequest } from "../../src/http/guard_request.ts";
import { createLogout } from "../../src/http/logout.ts";
import { createObtainToken, type ObtainTokenOptions } from "../../src/http/obtain_token.ts";
import type { Result } from "../../src/data/result.ts";
import type { Answer } from "../../src/ports/dialect.ts";
import type { Principal } from "../../src/pure/record.ts";
import { findSocketAddress } from "./peer_address.ts";

/** What the adapter reads of an Express request; it is Node's own, so it fits Express 4 and 5. */
export interface ExpressRequest extends AsyncIterable<Uint8Array> {
  /** The HTTP method, upper-case. */
  readonly method?: string | undefined;
  /** Names and values in turn, as they arrived. */
  readonly rawHeaders: readonly string[];
  /** Whether the body has been consumed to its end. */
  readonly readableEnded: boolean;
  /** The path with its query, without what a router before has cut off. */
  readonly url?: string | undefined;
  /** The path as it arrived, which `url` is no longer below a mounted router. */
  readonly originalUrl?: string;
  /** What a body parser mounted before has made of the body. */
  readonly body?: unknown;
  /** The connection; a socket of Unix has no addresses, one that is gone has lost the remote one. */
  readonly socket?: {
    readonly remoteAddress?: string | undefined;
    readonly localAddress?: string | undefined;
    readonly destroyed?: boolean;
  };
}

/** What the adapter uses of an Express response. */
export interface ExpressResponse<Locals extends object> {
  /** Where the principal is left for the handlers that follow. */
  locals: Locals;
  /** Adds to a header, one line for each cookie. */
  appendHeader(name: string, value: string): unknown;
  /** Begins the answer. */
  writeHead(status: number, headers: Record<string, string>): unknown;
  /** Ends the answer, with its body. */
  end(body?: string): unknown;
}

/** An Express middleware that leaves something in `res.locals`. */
export type ExpressHandler<Locals extends object = object> = (
  request: ExpressRequest,
  response: ExpressResponse<Locals>,
  next: (error?: unknown) => void,
) => void;

/**
 * Guards a route; the principal is then in `res.locals.principal`.
 *
 * @example
 * ```ts
 * import express from "express";
 * import { defineAuth } from "latchkey";
 * import { guard } from "latchkey/express";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const app = express();
 * app.get("/me", guard(auth), (_request, response) => {
 *   response.json({ username: response.locals.principal.user.username });
 * });
 * ```
 */
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): ExpressHandler<{ principal: Principal<Scope> }>;
/** Guards a route that also anonymous callers may reach; the principal is then `null`. */
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): ExpressHandler<{ principal: Principal<Scope> | null }>;
export function guard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): ExpressHandler<{ principal: Principal<Scope> | null }> {
  const check = createGuard(auth, options);
  return (request, response, next) => {
    const settle = (result: Result<Principal<Scope> | null, Answer>) => {
      if (!result.ok) return send(response, result.failure);
      response.locals.principal = result.value;
      next();
    };
    const decision = check(new GuardView(request));
    if ("then" in decision) decision.then(settle).catch(next);
    else settle(decision);
  };
}

/** Mounts the endpoint that takes a username and password and answers with a token. */
export function obtainToken<Scope extends string>(
  auth: Auth<Scope>,
  options?: ObtainTokenOptions<NoInfer<Scope>>,
): ExpressHandler {
  return mount(createObtainToken(auth, options));
}

/** Mounts the endpoint that revokes the token it is called with. */
export function logout<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): ExpressHandler {
  return mount(createLogout(auth, options));
}

/** Mounts an endpoint of your own. It works behind `express.json()` and without it. */
export function mount(endpoint: Endpoint): ExpressHandler {
  return (request, response, next) => {
    endpoint(new EndpointView(request)).then(async (answer) => {
      // One line for each, beside those that the application has set before.
      for (const cookie of answer.headers.getSetCookie()) {
        response.appendHeader("Set-Cookie", cookie);
      }
      const { "set-cookie": _appended, ...headers } = Object.fromEntries(answer.headers);
      send(response, {
        status: answer.status,
        headers,
        body: answer.body === null ? null : await answer.text(),
      });
    }).catch(next);
  };
}

/** What a guard reads, taken from the request only when it is read. */
class GuardView implements GuardRequest {
  readonly #request: ExpressRequest;

  constructor(request: ExpressRequest) {
    this.#request = request;
  }

  get method(): string {
    return this.#request.method ?? "";
  }

  get headers(): GuardRequest["headers"] {
    return { get: (name) => readHeader(this.#request, name.toLowerCase()) };
  }

  get address(): string | null {
    return findSocketAddress(this.#request.socket);
  }
}

/** What an endpoint reads besides. Whether the body is consumed is known only before it is read. */
class EndpointView extends GuardView implements EndpointRequest {
  readonly url: string;
  readonly body: ReadableStream<Uint8Array> | null;
  readonly bodyUsed: boolean;
  readonly parsed: unknown;

  constructor(request: ExpressRequest) {
    super(request);
    this.url = request.originalUrl ?? request.url ?? "/";
    this.bodyUsed = request.readableEnded;
    this.body = this.bodyUsed ? null : streamBody(request);
    this.parsed = this.bodyUsed ? request.body : undefined;
  }
}

/** Every line of a header, joined as servers join them (RFC 9113 §8.2.3): Express shows only the first. */
function readHeader({ rawHeaders }: ExpressRequest, name: string): string | null {
  let value: string | null = null;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const field = rawHeaders[index];
    if (field?.length !== name.length || field.toLowerCase() !== name) continue;
    const line = rawHeaders[index + 1] ?? "";
    value = value === null ? line : `${value}${name === "cookie" ? "; " : ", "}${line}`;
  }
  return value;
}

function streamBody(request: ExpressRequest): ReadableStream<Uint8Array> {
  const chunks = request[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel() {
      await chunks.return?.();
    },
  });
}

function send(
  response: ExpressResponse<object>,
  { status, headers, body }: Answer,
): void {
  response.writeHead(status, { ...headers });
  response.end(body ?? undefined);
}
