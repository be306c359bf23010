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
  type GuardRequest,
} from "../../src/http/guard.ts";
import { createLogout } from "../../src/http/logout.ts";
import { createObtainToken, type ObtainTokenOptions } from "../../src/http/obtain_token.ts";
import type { Answer } from "../../src/ports/dialect.ts";
import type { Principal } from "../../src/pure/record.ts";

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
}

/** What the adapter uses of an Express response. */
export interface ExpressResponse<Locals extends object> {
  /** Where the principal is left for the handlers that follow. */
  locals: Locals;
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
    check(toGuardRequest(request)).then((result) => {
      if (!result.ok) return send(response, result.failure);
      response.locals.principal = result.value;
      next();
    }).catch(next);
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
    endpoint(toEndpointRequest(request)).then(async (answer) => {
      send(response, {
        status: answer.status,
        headers: Object.fromEntries(answer.headers),
        body: answer.body === null ? null : await answer.text(),
      });
    }).catch(next);
  };
}

function toGuardRequest(request: ExpressRequest): GuardRequest {
  const headers = { get: (name: string) => readHeader(request, name.toLowerCase()) };
  return { method: request.method ?? "", headers };
}

function toEndpointRequest(request: ExpressRequest): EndpointRequest {
  const consumed = request.readableEnded;
  return {
    ...toGuardRequest(request),
    url: request.originalUrl ?? request.url ?? "/",
    body: consumed ? null : streamBody(request),
    bodyUsed: consumed,
    ...(consumed && request.body !== undefined ? { parsed: request.body } : {}),
  };
}

/** Every line of a header, joined as `Headers` joins them: Express shows only the first. */
function readHeader({ rawHeaders }: ExpressRequest, name: string): string | null {
  const values = rawHeaders.filter((_, index) =>
    index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name
  );
  return values.length === 0 ? null : values.join(", ");
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
