/**
 * Describes the self-service to people and programs, as OpenAPI 3.1.
 *
 * @module
 */
import type * as v from "valibot";
import { drf } from "../../src/http/drf.ts";
import type { Route } from "../../src/http/route.ts";
import type { SelfService } from "../../src/http/self_service.ts";
import type { Answer, Dialect } from "../../src/ports/dialect.ts";
import { answerDenials, describeBodies, listDenials, mediaTypeOf } from "./denial.ts";
import { describeInput } from "./input.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";
import { describeReplies, replyOf, SAMPLE } from "./reply.ts";

export type { JsonObject, JsonValue } from "./json.ts";

/** What a description says besides what the service itself tells. */
export interface DescribeOptions {
  /** What the API is called. */
  readonly title: string;
  /** The version of the application's API, not of the library. */
  readonly version: string;
  /** Where the self-service is mounted, as it was told itself; `""` when absent. */
  readonly basePath?: string;
  /** The configured dialect; `drf()` when absent. */
  readonly dialect?: Dialect;
  /** The header of its own in which a token may come, where that was asked for. */
  readonly apiKeyHeader?: string;
}

/** A description by OpenAPI 3.1: plain data, to be sent as JSON. */
export interface OpenApiDocument extends JsonObject {
  /** The version of OpenAPI. */
  readonly openapi: "3.1.0";
  /** What the API is called, and its own version. */
  readonly info: { readonly title: string; readonly version: string };
  /** By path, and in each by method in small letters. */
  readonly paths: Readonly<Record<string, JsonObject>>;
  /** What operations share. */
  readonly components: {
    readonly schemas: JsonObject;
    readonly securitySchemes: JsonObject;
  };
}

/**
 * Makes the OpenAPI 3.1 description of a self-service.
 *
 * What may be sent comes from the schemas with which the endpoints check it,
 * what may be refused from the dialect itself, so neither can drift away from
 * the service. An operation is named as its route.
 *
 * @throws {TypeError} when the title or the version is empty
 *
 * @example
 * ```ts
 * import { createSelfService, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { describeApi } from "latchkey/openapi";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const document = describeApi(createSelfService(auth), { title: "Notes", version: "1.0.0" });
 * console.log(document.openapi, Object.keys(document.paths)[0]); // 3.1.0 /login/
 * ```
 */
export function describeApi(
  { routes }: Pick<SelfService, "routes">,
  { title, version, basePath = "", dialect = drf(), apiKeyHeader }: DescribeOptions,
): OpenApiDocument {
  if (title === "" || version === "") {
    throw new TypeError("Cannot describe the API: give it a title and a version");
  }
  const bodies = nameBodies(routes);
  const securitySchemes = describeSecurity(dialect, apiKeyHeader);
  const security = Object.keys(securitySchemes).map((name) => ({ [name]: [] }));
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: {
        operationId: route.name,
        summary: route.summary,
        security: route.guarded ? security : [],
        ...describeParameters(route),
        ...describeBody(route, bodies),
        responses: describeResponses(route, dialect),
      },
    };
  }
  const described = [...bodies].map(([schema, name]) => [name, describeInput(schema)] as const);
  return {
    openapi: "3.1.0",
    info: { title, version },
    servers: [{ url: basePath === "" ? "/" : basePath }],
    paths,
    components: {
      schemas: {
        ...Object.fromEntries(described),
        ...describeReplies(dialect),
        ...describeErrors(routes, dialect),
      },
      securitySchemes,
    },
  };
}

/** A name for each schema of a body; routes that share a schema share the name. */
function nameBodies(routes: readonly Route[]): ReadonlyMap<v.GenericSchema, string> {
  const names = new Map<v.GenericSchema, string>();
  for (const { name, body } of routes) {
    if (body !== null && !names.has(body)) {
      names.set(body, `${name.charAt(0).toUpperCase()}${name.slice(1)}Body`);
    }
  }
  return names;
}

function describeSecurity(dialect: Dialect, apiKeyHeader: string | undefined): JsonObject {
  const { scheme } = dialect;
  const token = scheme.toLowerCase() === "bearer" ? { type: "http", scheme: "bearer" } : {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description: `The word ${scheme}, a space, and the token.`,
  };
  return {
    token,
    ...(apiKeyHeader === undefined
      ? {}
      : { apiKey: { type: "apiKey", in: "header", name: apiKeyHeader } }),
  };
}

function describeParameters({ path, query }: Route): JsonObject {
  const described = query === null ? {} : describeInput(query);
  const required = described["required"];
  const properties = described["properties"];
  const parameters: readonly JsonValue[] = [
    ...(path.includes("{id}")
      ? [{ name: "id", in: "path", required: true, schema: refer("Id") }]
      : []),
    ...Object.entries(isObject(properties) ? properties : {}).map(([name, schema]) => ({
      name,
      in: "query",
      required: Array.isArray(required) && required.includes(name),
      schema,
    })),
  ];
  return parameters.length === 0 ? {} : { parameters };
}

/** A form holds texts only, so it is offered where every field is one. */
function describeBody({ body }: Route, names: ReadonlyMap<v.GenericSchema, string>): JsonObject {
  const name = body === null ? undefined : names.get(body);
  if (body === null || name === undefined) return {};
  const { properties, required } = describeInput(body);
  const fields = Object.values(isObject(properties) ? properties : {});
  const isForm = fields.every((field) => isObject(field) && field["type"] === "string");
  const types = [
    "application/json",
    ...(isForm ? ["application/x-www-form-urlencoded", "multipart/form-data"] : []),
  ];
  return {
    requestBody: {
      required: Array.isArray(required) && required.length > 0,
      content: Object.fromEntries(types.map((type) => [type, { schema: refer(name) }])),
    },
  };
}

/** What a status means where the route says nothing of its own. */
const MEANINGS: Readonly<Record<number, string>> = {
  400: "The request is malformed.",
  401: "The token does not hold.",
  413: "The body is too large.",
  415: "The body is neither JSON nor a form.",
  503: "The service is down for a moment.",
};

function describeResponses(route: Route, dialect: Dialect): JsonObject {
  const refusals = answerDenials(dialect, listDenials(route));
  const statuses = [...Object.keys(route.answers).map(Number), ...refusals.keys()];
  const responses = [...new Set(statuses)].sort((one, other) => one - other).map((status) => {
    const description = route.answers[status] ?? MEANINGS[status] ?? "It was refused.";
    const content = status < 300
      ? describeReply(route, dialect)
      : describeRefusal(status, refusals.get(status) ?? []);
    return [String(status), { description, ...content }] as const;
  });
  return Object.fromEntries(responses);
}

function describeReply({ name }: Route, dialect: Dialect): JsonObject {
  const reply = replyOf[name];
  if (reply === undefined) return {};
  const type = reply === "Grant" ? mediaTypeOf(dialect.grant("", SAMPLE, 0)) : "application/json";
  return type === null ? {} : { content: { [type]: { schema: refer(reply) } } };
}

function describeRefusal(status: number, answers: readonly Answer[]): JsonObject {
  const types = new Set(answers.map(mediaTypeOf).filter((type) => type !== null));
  const names = new Set(answers.flatMap(({ headers }) => Object.keys(headers)));
  names.delete("Content-Type");
  return {
    ...(names.size === 0 ? {} : {
      headers: Object.fromEntries(
        [...names].map((name) => [name, { schema: { type: "string" } }]),
      ),
    }),
    ...(types.size === 0 ? {} : {
      content: Object.fromEntries(
        [...types].map((
          type,
        ) => [type, { schema: refer(status === 400 ? "BadRequest" : "Error") }]),
      ),
    }),
  };
}

function describeErrors(routes: readonly Route[], dialect: Dialect): JsonObject {
  const answers = [...answerDenials(dialect, routes.flatMap(listDenials)).values()].flat();
  return {
    BadRequest: describeBodies(answers.filter(({ status }) => status === 400)),
    Error: describeBodies(answers.filter(({ status }) => status !== 400)),
    Id: { type: "string", pattern: "^[0-9A-Za-z]{1,64}$" },
  };
}

function refer(name: string): JsonObject {
  return { $ref: `#/components/schemas/${name}` };
}
