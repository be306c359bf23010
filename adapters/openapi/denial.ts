import type { Route } from "../../src/http/route.ts";
import type { Answer, Denial, Dialect } from "../../src/ports/dialect.ts";
import { isObject, type JsonObject, type JsonValue } from "./json.ts";

/** A field name that no body has: where it stands in an answer, any field name may stand. */
const ANY_FIELD = "{field}";

const invalidInput: readonly Denial[] = [
  { reason: "invalid_input", errors: { fields: { [ANY_FIELD]: ["A sentence."] }, form: [] } },
  { reason: "invalid_input", errors: { fields: {}, form: ["A sentence."] } },
];

/** Everything that a route may refuse, of each kind one. */
export function listDenials({ body, query, guarded, answers }: Route): readonly Denial[] {
  const says = (status: number, ...denials: readonly Denial[]) => status in answers ? denials : [];
  return [
    ...(guarded
      ? [
        { reason: "not_authenticated" },
        { reason: "unknown_token" },
        { reason: "empty_credentials" },
        { reason: "several_credentials" },
      ] as const
      : says(400, { reason: "bad_credentials" })),
    ...(body === null ? [] : [
      { reason: "malformed_body", kind: "JSON" },
      { reason: "body_too_large", limit: 1 },
      { reason: "body_timeout" },
      { reason: "incomplete_body" },
      { reason: "unsupported_media_type", mediaType: "" },
    ] as const),
    ...(body === null && query === null ? [] : invalidInput),
    ...says(403, { reason: "permission_denied", scopes: [] }, { reason: "token_limit" }),
    ...says(404, { reason: "not_found" }),
    ...says(409, { reason: "changed_meanwhile" }),
    { reason: "store_unavailable" },
  ];
}

/** What a dialect answers to some denials, by status. */
export function answerDenials(
  dialect: Dialect,
  denials: readonly Denial[],
): ReadonlyMap<number, readonly Answer[]> {
  const answers = new Map<number, Answer[]>();
  for (const denial of denials) {
    const answer = dialect.deny(denial, dialect.scheme);
    answers.set(answer.status, [...answers.get(answer.status) ?? [], answer]);
  }
  return answers;
}

/** The media type of an answer; `null` without a body. */
export function mediaTypeOf({ headers, body }: Answer): string | null {
  const type = Object.entries(headers).find(([name]) => name.toLowerCase() === "content-type")?.[1];
  return body === null ? null : type?.split(";")[0]?.trim() ?? "application/octet-stream";
}

/** A schema that all of the JSON bodies fit, and their like. */
export function describeBodies(answers: readonly Answer[]): JsonObject {
  const schemas = answers.flatMap(({ body }) => body === null ? [] : [infer(JSON.parse(body))]);
  return schemas.length === 0 ? {} : schemas.reduce(merge);
}

function infer(value: JsonValue): JsonObject {
  if (Array.isArray(value)) {
    return { type: "array", ...(isEmpty(value) ? {} : { items: infer(value[0] ?? null) }) };
  }
  if (!isObject(value)) {
    return value === null ? {} : { type: Number.isInteger(value) ? "integer" : typeof value };
  }
  const { [ANY_FIELD]: others, ...named } = value;
  return {
    type: "object",
    properties: Object.fromEntries(Object.entries(named).map(([key, each]) => [key, infer(each)])),
    required: Object.keys(named),
    ...(others === undefined ? {} : { additionalProperties: infer(others) }),
  };
}

function isEmpty(list: readonly JsonValue[]): boolean {
  return list.length === 0;
}

/** The members of both; required is what both require. */
function merge(one: JsonObject, other: JsonObject): JsonObject {
  const [mine, others] = [one["properties"], other["properties"]];
  if (!isObject(mine) || !isObject(others)) return one;
  const properties: Record<string, JsonValue> = { ...mine };
  for (const [key, schema] of Object.entries(others)) {
    const known = mine[key];
    properties[key] = isObject(known) && isObject(schema) ? merge(known, schema) : schema;
  }
  const required = listNames(one["required"]).filter((key) =>
    listNames(other["required"]).includes(key)
  );
  const additional = one["additionalProperties"] ?? other["additionalProperties"];
  const { required: _required, ...rest } = { ...one, ...other };
  return {
    ...rest,
    properties: isObject(additional) ? leaveOut(properties, additional) : properties,
    ...(required.length === 0 ? {} : { required }),
    ...(additional === undefined ? {} : { additionalProperties: additional }),
  };
}

/** Members that are as any other may be need not be named. */
function leaveOut(properties: JsonObject, additional: JsonObject): JsonObject {
  const same = JSON.stringify(additional);
  const named = Object.entries(properties).filter(([, each]) => JSON.stringify(each) !== same);
  return Object.fromEntries(named);
}

function listNames(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
