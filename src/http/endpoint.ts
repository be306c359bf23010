import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { fail, ok, type Result } from "../data/result.ts";
import type { Denial, Dialect, EndpointDescription, InputErrors } from "../ports/dialect.ts";
import { OverloadError } from "../ports/overload_error.ts";
import { StoreError } from "../ports/store_error.ts";
import { type Duration, toMilliseconds } from "../pure/duration.ts";
import { toResponse } from "./answer.ts";
import { BODY_TIMEOUT, type EndpointRequest, MAX_BODY, readBody } from "./body.ts";
import { drf } from "./drf.ts";
import { toInputErrors } from "./field.ts";
import type { Throttle } from "./throttle.ts";

/** Answers a request. Mountable wherever there is a `Request`. */
export type Endpoint = (request: EndpointRequest) => Promise<Response>;

/** How much an endpoint takes. */
export interface EndpointLimits {
  /** Counts requests, and refuses those that are too many before their body is read; see `throttle`. None when absent. */
  readonly throttle?: Throttle;
  /** The largest body that is read, in bytes; 64 KiB when absent. */
  readonly maxBody?: number;
  /** How long a body may take to arrive; 30 seconds when absent. */
  readonly bodyTimeout?: Duration;
}

/** What an endpoint of your own does. */
export interface EndpointOptions<Input> extends EndpointLimits {
  /** The valibot schema of the body; its errors are answered by field. */
  readonly schema: v.GenericSchema<unknown, Input>;
  /** Answers a body that fits the schema. A denial is answered in the configured dialect. */
  readonly handle: (
    input: Input,
    request: EndpointRequest,
  ) => Response | Denial | Promise<Response | Denial>;
  /** What `OPTIONS` answers; nothing but `Allow` when absent. */
  readonly description?: EndpointDescription;
}

/**
 * Makes a `POST` endpoint that takes JSON, a form or multipart.
 *
 * All that can be wrong before `handle` is answered here, in the configured
 * dialect: another method (405), another media type (415), a large body (413), a
 * slow one (408), a malformed one or one that does not fit the schema (400); and a
 * store that fails, also inside `handle`, or too many passwords to hash (503). Every answer carries `Allow` and `Cache-Control: no-store`.
 *
 * @example
 * ```ts
 * import { charField, defineAuth, defineEndpoint, grantToken, verifyPassword } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 * import * as v from "valibot";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const endpoint = defineEndpoint(auth, {
 *   schema: v.object({ username: charField(), password: charField({ trim: false }) }),
 *   async handle(credentials) {
 *     const verified = await verifyPassword(auth, credentials);
 *     if (!verified.ok) return Response.json({ msg: "Invalid username/password" }, { status: 400 });
 *     const granted = await grantToken(auth, verified.value);
 *     if (!granted.ok) return Response.json({ msg: "Too many tokens" }, { status: 403 });
 *     return Response.json({ token: granted.value.text.reveal() });
 *   },
 * });
 * const response = await endpoint(new Request("https://example.com/", { method: "POST" }));
 * console.log(response.status); // 400
 * ```
 */
export function defineEndpoint<Scope extends string, Input>(
  auth: Auth<Scope>,
  options: EndpointOptions<Input>,
): Endpoint {
  const { schema, handle, description, throttle } = options;
  const { maxBody = MAX_BODY, bodyTimeout = BODY_TIMEOUT } = options;
  if (!Number.isSafeInteger(maxBody) || maxBody <= 0) {
    throw new RangeError("Cannot use this maxBody: expected a positive whole number of bytes");
  }
  if (typeof handle !== "function") {
    throw new TypeError("Cannot define an endpoint: handle must be a function");
  }
  checkThrottle(throttle);
  const timeout = toMilliseconds(bodyTimeout, "bodyTimeout");
  const dialect = dialectOf(auth);
  const post: Endpoint = async (request) => {
    const throttled = await throttle?.(auth, request, null) ?? null;
    if (throttled !== null) return respond(dialect, throttled);
    const input = await readInput(dialect, schema, request, maxBody, timeout);
    if (input instanceof Response) return input;
    const answer = await handle(input.value, request);
    return "reason" in answer ? respond(dialect, answer) : answer;
  };
  return combineMethods(dialect, { POST: post }, description);
}

/** Refuses what would fail at the first request, such as a rate in place of a throttle. */
export function checkThrottle(throttle: Throttle | undefined): void {
  if (throttle !== undefined && typeof throttle !== "function") {
    throw new TypeError("Cannot use this throttle: expected one that throttle() made");
  }
}

/** Reads and checks a body: what fits the schema, or the answer to what does not. */
export async function readInput<Input>(
  dialect: Dialect,
  schema: v.GenericSchema<unknown, Input>,
  request: EndpointRequest,
  maxBody: number = MAX_BODY,
  bodyTimeout: number = BODY_TIMEOUT,
): Promise<Response | { readonly value: Input }> {
  const body = await readBody(request, maxBody, bodyTimeout);
  if (!body.ok) return respond(dialect, body.failure);
  const input = parseInput(schema, body.value);
  if (!input.ok) return respond(dialect, { reason: "invalid_input", errors: input.failure });
  return { value: input.value };
}

/**
 * Makes one endpoint out of one for each method: any other is a 405, `HEAD` is
 * `GET` without a body, a failing store is a 503, and every answer says `Allow` and `no-store`.
 */
export function combineMethods(
  dialect: Dialect,
  methods: Readonly<Record<string, Endpoint>>,
  description?: EndpointDescription,
): Endpoint {
  const names = Object.keys(methods);
  const allow = [...names, ...(names.includes("GET") ? ["HEAD"] : []), "OPTIONS"].join(", ");
  const byName = new Map(Object.entries(methods));
  const answer = async (request: EndpointRequest): Promise<Response> => {
    const { method } = request;
    const endpoint = byName.get(method === "HEAD" ? "GET" : method);
    if (endpoint !== undefined) return await endpoint(request);
    if (method !== "OPTIONS") return respond(dialect, { reason: "method_not_allowed", method });
    return description === undefined
      ? new Response(null, { status: 204 })
      : toResponse(dialect.describe(description));
  };
  return async (request) => {
    const response = await answer(request).catch((error) => respond(dialect, toOutage(error)));
    return finishAnswer(request, response, { Allow: allow });
  };
}

/** An answer as it leaves an endpoint: kept by no cache, and without a body for `HEAD`. */
export function finishAnswer(
  request: EndpointRequest,
  response: Response,
  more: Readonly<Record<string, string>> = {},
): Response {
  const own = { ...more, "Cache-Control": "no-store" };
  return addHeaders(request.method === "HEAD" ? withoutBody(response) : response, own);
}

/** Sets headers in place, which keeps a known length; a response that forbids it is copied. */
function addHeaders(response: Response, own: Readonly<Record<string, string>>): Response {
  try {
    for (const [name, value] of Object.entries(own)) response.headers.set(name, value);
    return response;
  } catch {
    const { status, headers, body } = response;
    return addHeaders(new Response(body, { status, headers }), own);
  }
}

function withoutBody({ status, headers }: Response): Response {
  return new Response(null, { status, headers });
}

/**
 * What a failure of the store, or too many passwords to hash, is answered.
 *
 * @throws whatever else it was
 */
export function toOutage(error: unknown): Denial {
  if (error instanceof StoreError) return { reason: "store_unavailable" };
  if (error instanceof OverloadError) return { reason: "overloaded" };
  throw error;
}

/** The configured dialect, or Django REST framework's. */
export function dialectOf<Scope extends string>(auth: Auth<Scope>): Dialect {
  return auth.dialect ?? drf();
}

/** Refuses with the dialect's own challenge. */
export function respond(dialect: Dialect, denial: Denial): Response {
  return toResponse(dialect.deny(denial, dialect.scheme));
}

/** Checks submitted fields against a schema. */
export function parseInput<Input>(
  schema: v.GenericSchema<unknown, Input>,
  value: unknown,
): Result<Input, InputErrors> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const text = value === null
      ? "No data provided"
      : `Invalid data. Expected a dictionary, but got ${nameType(value)}.`;
    return fail({ fields: {}, form: [text] });
  }
  const parsed = v.safeParse(schema, value);
  return parsed.success ? ok(parsed.output) : fail(toInputErrors(parsed.issues));
}

/** Python's name for the type of a JSON value, as Django REST framework's clients see it. */
function nameType(value: unknown): string {
  if (Array.isArray(value)) return "list";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return typeof value === "boolean" ? "bool" : "str";
}
