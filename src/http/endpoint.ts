import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { fail, ok, type Result } from "../data/result.ts";
import type { Denial, Dialect, EndpointDescription, InputErrors } from "../ports/dialect.ts";
import { StoreError } from "../ports/store_error.ts";
import { toResponse } from "./answer.ts";
import { type EndpointRequest, MAX_BODY, readBody } from "./body.ts";
import { drf } from "./drf.ts";
import { toInputErrors } from "./field.ts";

/** Answers a request. Mountable wherever there is a `Request`. */
export type Endpoint = (request: EndpointRequest) => Promise<Response>;

/** What an endpoint of your own does. */
export interface EndpointOptions<Input> {
  /** The valibot schema of the body; its errors are answered by field. */
  readonly schema: v.GenericSchema<unknown, Input>;
  /** Answers a body that fits the schema. */
  readonly handle: (input: Input, request: EndpointRequest) => Response | Promise<Response>;
  /** What `OPTIONS` answers; nothing but `Allow` when absent. */
  readonly description?: EndpointDescription;
  /** The largest body that is read, in bytes; 64 KiB when absent. */
  readonly maxBody?: number;
}

const ALLOW = "POST, OPTIONS";

/**
 * Makes a `POST` endpoint that takes JSON, a form or multipart.
 *
 * All that can be wrong before `handle` is answered here, in the configured
 * dialect: another method (405), another media type (415), a large body (413), a
 * malformed one or one that does not fit the schema (400); and a store that
 * fails, also inside `handle` (503). Every answer carries `Allow` and `Cache-Control: no-store`.
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
 *     const { text } = await grantToken(auth, verified.value.id);
 *     return Response.json({ token: text.reveal() });
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
  const { schema, handle, description, maxBody = MAX_BODY } = options;
  if (!Number.isSafeInteger(maxBody) || maxBody <= 0) {
    throw new RangeError("Cannot use this maxBody: expected a positive whole number of bytes");
  }
  const dialect = dialectOf(auth);
  return postEndpoint(dialect, description, async (request) => {
    const body = await readBody(request, maxBody);
    if (!body.ok) return respond(dialect, body.failure);
    const input = parseInput(schema, body.value);
    return input.ok
      ? await handle(input.value, request)
      : respond(dialect, { reason: "invalid_input", errors: input.failure });
  });
}

/** Wraps what answers a `POST`: other methods, a failing store, and the headers of every answer. */
export function postEndpoint(
  dialect: Dialect,
  description: EndpointDescription | undefined,
  handle: (request: EndpointRequest) => Promise<Response>,
): Endpoint {
  const answer = async (request: EndpointRequest): Promise<Response> => {
    const { method } = request;
    if (method === "POST") return await handle(request);
    if (method !== "OPTIONS") return respond(dialect, { reason: "method_not_allowed", method });
    return description === undefined
      ? new Response(null, { status: 204 })
      : toResponse(dialect.describe(description));
  };
  return async (request) => {
    const { status, headers, body } = await answerOutage(
      () => answer(request),
      (denial) => respond(dialect, denial),
    );
    const sent = new Headers(headers);
    sent.set("Allow", ALLOW);
    sent.set("Cache-Control", "no-store");
    return new Response(body, { status, headers: sent });
  };
}

/** Runs `answer`, and answers in its place when the store fails. */
export async function answerOutage<Value>(
  answer: () => Promise<Value>,
  deny: (denial: Denial) => Value,
): Promise<Value> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof StoreError) return deny({ reason: "store_unavailable" });
    throw error;
  }
}

/** The configured dialect, or Django REST framework's. */
export function dialectOf<Scope extends string>(auth: Auth<Scope>): Dialect {
  return auth.dialect ?? drf();
}

/** Refuses with the dialect's own challenge. */
export function respond(dialect: Dialect, denial: Denial): Response {
  return toResponse(dialect.deny(denial, dialect.scheme));
}

function parseInput<Input>(
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
