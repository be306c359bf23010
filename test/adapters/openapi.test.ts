import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { createSelfService, hasScopes, type Route } from "latchkey";
import { describeApi, type JsonObject, type OpenApiDocument } from "latchkey/openapi";
import { describe, expect, it } from "vitest";
import { issue } from "../http/issue.ts";
import { dialects, makeService, read, type Service } from "../http/service.ts";

const INTROSPECT = { introspect: [hasScopes(["read"])] } as const;

type Check = (schema: unknown, value: unknown) => string;
const checkers = new WeakMap<OpenApiDocument, Check>();

function checkerOf(document: OpenApiDocument): Check {
  const known = checkers.get(document) ?? makeChecker(document);
  checkers.set(document, known);
  return known;
}

/** A validator of the schemas below `components` of a document. */
function makeChecker(document: OpenApiDocument): Check {
  const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
  ajv.addFormat("date-time", (text: string) => new Date(text).toISOString() === text);
  ajv.addKeyword("components");
  ajv.addSchema({ $id: "api", components: document.components }, "api", false, false);
  const compiled = new Map<string, ReturnType<typeof ajv.compile>>();
  const resolve = (schema: unknown): object =>
    JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components'));
  return (schema: unknown, value: unknown): string => {
    const text = JSON.stringify(schema);
    const check = compiled.get(text) ?? ajv.compile(resolve(schema));
    compiled.set(text, check);
    return check(value) ? "" : ajv.errorsText(check.errors);
  };
}

/** The operation of a route. */
function operationOf(document: OpenApiDocument, { path, method }: Route): unknown {
  return read(document.paths, path, method.toLowerCase());
}

function bodySchema(document: OpenApiDocument, route: Route): unknown {
  return read(operationOf(document, route), "requestBody", "content", "application/json", "schema");
}

const scopes = Array.from({ length: 65 }, () => "read");
/** By route: bodies to allow, then bodies to forbid. */
const bodies: Readonly<Record<string, readonly [readonly unknown[], readonly unknown[]]>> = {
  login: [
    [{ username: "ada", password: "x" }, { username: " a\nb ", password: " ", more: 1 }],
    [
      {},
      { username: "ada" },
      { username: " ", password: "x" },
      { username: "ada", password: "" },
      { username: null, password: "x" },
      { username: "a\0", password: ["x"] },
      [],
      null,
      "text",
    ],
  ],
  changePassword: [
    [{ current_password: " ", new_password: "é".repeat(200) }],
    [{ current_password: "x" }, { current_password: {}, new_password: "x" }, {
      new_password: "\0",
    }],
  ],
  createToken: [
    [{}, { name: "x".repeat(100) }, { name: "🔑".repeat(100), scopes: [], expires_in: 1 }, {
      scopes: ["read"],
      expires_in: 3_155_760_000,
    }],
    [
      { name: "" },
      { name: "x".repeat(101) },
      { name: "a\nb" },
      { name: "\u202e" },
      { name: " \t" },
      { scopes: "read" },
      { scopes: [""] },
      { scopes: ["a b"] },
      { scopes },
      { scopes: [1] },
      { expires_in: 0 },
      { expires_in: 1.5 },
      { expires_in: "60" },
      { expires_in: 3_155_760_001 },
      { expires_in: null },
    ],
  ],
  renameToken: [[{ name: "x" }, { name: "a b", id: "x" }], [{}, { name: null }, {
    name: "\u0085",
  }]],
  revoke: [[{ token: "" }, { token: "x", token_type_hint: "" }], [
    {},
    { token: 1 },
    { token: null },
    { token: "x", token_type_hint: 1 },
  ]],
  introspect: [[{ token: "x" }], [{}, { token: ["x"] }]],
};
const queries: readonly [readonly string[], readonly string[]] = [
  ["limit=1", "limit=100", "limit=42", "more=1"],
  ["limit=0", "limit=101", "limit=", "limit=1.5", "limit=%2B1"],
];

/** The answer's body fits what the description says of its status. */
function checkReply(
  document: OpenApiDocument,
  route: Route,
  { status, headers, body, text }: Awaited<ReturnType<Service["call"]>>,
): void {
  const response = read(operationOf(document, route), "responses", String(status));
  expect(response, `${route.name} ${status}`).toBeDefined();
  const type = headers.get("Content-Type");
  const content = read(response, "content");
  if (text === "") return expect(content).toBeUndefined();
  expect(Object.keys(Object(content))).toEqual([type]);
  const check = checkerOf(document);
  expect(check(read(content, type ?? "", "schema"), body), `${route.name} ${text}`).toBe("");
  for (const name of ["WWW-Authenticate", "Retry-After"]) {
    if (headers.has(name)) expect(read(response, "headers", name), route.name).toBeDefined();
  }
}

describe.each(dialects)("describeApi() in $name", ({ name, options }) => {
  const describeService = ({ auth, service }: Service) =>
    describeApi(service, {
      title: "Notes",
      version: "1.0.0",
      ...(auth.dialect === null ? {} : { dialect: auth.dialect }),
    });

  it("is valid by OpenAPI 3.1", async () => {
    const document = describeService(await makeService(options, INTROSPECT));
    const validator = new Validator();
    const copy: Record<string, unknown> = JSON.parse(JSON.stringify(document));
    expect(await validator.validate(copy)).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
    expect(() => validator.resolveRefs()).not.toThrow();
    // It can fail: an operation without answers is not valid.
    const broken = { ...copy, paths: { "/": { get: { responses: 1 } } } };
    expect(await new Validator().validate(broken)).toMatchObject({ valid: false });
  });

  it("describes every route, each once, and nothing else", async () => {
    for (const asked of [{}, INTROSPECT]) {
      const service = await makeService(options, asked);
      const document = describeService(service);
      const described = Object.entries(document.paths).flatMap(([path, item]) =>
        Object.entries(item).map(([method, operation]) =>
          `${read(operation, "operationId")}: ${method.toUpperCase()} ${path}`
        )
      );
      expect(described.sort()).toEqual(
        service.service.routes.map(({ name, method, path }) => `${name}: ${method} ${path}`).sort(),
      );
      for (const route of service.service.routes) {
        const operation = operationOf(document, route);
        expect(Object.keys(Object(read(operation, "responses")))).toEqual(
          expect.arrayContaining(Object.keys(route.answers)),
        );
        expect(read(operation, "security")).toEqual(route.guarded ? [{ token: [] }] : []);
      }
    }
  });

  it("uses every component, and refers to none that is not there", async () => {
    const document = describeService(await makeService(options, INTROSPECT));
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)];
    const used = new Set(references.map(([, component]) => component));
    expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort());
  });

  it("allows the bodies that the endpoints accept, and forbids those they answer with 400", async () => {
    const service = await makeService(options, INTROSPECT);
    const document = describeService(service);
    const check = checkerOf(document);
    const routes = service.service.routes.filter(({ body }) => body !== null);
    expect(routes.map((route) => route.name).sort()).toEqual(Object.keys(bodies).sort());
    for (const route of routes) {
      const [allowed, forbidden] = bodies[route.name] ?? [[], []];
      for (
        const [json, isAllowed] of [
          ...allowed.map((body) => [body, true] as const),
          ...forbidden.map((body) => [body, false] as const),
        ]
      ) {
        const title = `${route.name} ${JSON.stringify(json)}`;
        expect(check(bodySchema(document, route), json) === "", title).toBe(isAllowed);
        const { text, token } = await issue(service.auth, service.ada, {
          scopes: ["read"],
          expiresIn: null,
        });
        const path = route.path.replace("{id}", token.id);
        const reply = await service.call(route.method, path, { token: text, json });
        checkReply(document, route, reply);
        if (!isAllowed) expect(reply.status, title).toBe(400);
        else if (reply.status === 400) {
          // The body was understood; what it says is not so.
          expect(["login", "changePassword"], title).toContain(route.name);
          expect(reply.text).toMatch(/do not match|Unable to log in|password is not correct/);
        } else expect(reply.status, title).toBeLessThan(300);
      }
    }
  });

  it("allows the queries that the list accepts, and forbids those it answers with 400", async () => {
    const service = await makeService(options);
    const document = describeService(service);
    const check = checkerOf(document);
    const route = service.service.routes.find((each) => each.name === "listTokens");
    if (route === undefined) throw new Error("no list");
    const parameters = read(operationOf(document, route), "parameters");
    if (!Array.isArray(parameters)) throw new Error("no parameters");
    expect(parameters.map((each) => read(each, "name"))).toEqual(["cursor", "limit"]);
    const limit = parameters.find((each) => read(each, "name") === "limit");
    for (const [isAllowed, list] of [[true, queries[0]], [false, queries[1]]] as const) {
      for (const query of list) {
        const value = new URLSearchParams(query).get("limit");
        if (value !== null) expect(check(read(limit, "schema"), value) === "").toBe(isAllowed);
        const reply = await service.call("GET", `/tokens/?${query}`, { token: service.mine.text });
        expect(reply.status, query).toBe(isAllowed ? 200 : 400);
        checkReply(document, route, reply);
      }
    }
  });

  it("describes what is answered: with success, without a token, at a limit, to nobody's id", async () => {
    const service = await makeService({ ...options, tokenLimit: 40 }, INTROSPECT);
    const document = describeService(service);
    for (const route of service.service.routes) {
      const { text, token } = await issue(service.auth, service.ada, { scopes: ["read"] });
      const [allowed = []] = bodies[route.name] ?? [];
      const [json] = route.name === "introspect" || route.name === "revoke"
        ? [{ token: text }]
        : route.name === "login"
        ? [{ username: "ada", password: "ada-password" }]
        : allowed;
      const ask = (path: string, more: object) =>
        service.call(route.method, path, { json, ...more });
      const path = route.path.replace("{id}", token.id);
      for (
        const more of [
          { token: "lk_typo" },
          { headers: { Authorization: "Token a b" } },
          { headers: { Authorization: "Bearer a b" } },
          {},
          { token: text, json: "{" },
          { token: text, json: "x".repeat(70_000) },
          { token: text, headers: { "Content-Type": "text/plain" } },
          { token: text },
        ]
      ) {
        if ("json" in more && route.body === null) continue;
        if (!("json" in more) && more.headers?.["Content-Type"] && route.body === null) continue;
        checkReply(document, route, await ask(path, more));
      }
      if (path !== route.path) {
        const reply = await ask(route.path.replace("{id}", "nobodys"), {
          token: service.mine.text,
        });
        expect(reply.status).toBe(404);
        checkReply(document, route, reply);
      }
    }
  });

  it("says how a token is sent", async () => {
    const service = await makeService(options);
    const { components } = describeApi(service.service, {
      title: "Notes",
      version: "1",
      ...(service.auth.dialect === null ? {} : { dialect: service.auth.dialect }),
      apiKeyHeader: "x-api-key",
    });
    const token: JsonObject = name === "bearer" ? { type: "http", scheme: "bearer" } : {
      type: "apiKey",
      in: "header",
      name: "Authorization",
      description: "The word Token, a space, and the token.",
    };
    expect(components.securitySchemes).toEqual({
      token,
      apiKey: { type: "apiKey", in: "header", name: "x-api-key" },
    });
  });
});

it("describes a dialect of the application's own as it answers", async () => {
  const { auth } = await makeService();
  const { components, paths, servers } = describeApi(
    createSelfService(auth, { basePath: "/api" }),
    {
      title: "Notes",
      version: "1",
      basePath: "/api",
      dialect: {
        scheme: "Key",
        deny: ({ reason }) => ({
          status: reason === "store_unavailable" ? 599 : 499,
          headers: { "content-type": "text/json; charset=utf-8" },
          body: JSON.stringify({ why: reason, list: [], nothing: null, many: [1.5] }),
        }),
        grant: () => ({ status: 200, headers: {}, body: null }),
        describe: () => ({ status: 200, headers: {}, body: null }),
      },
    },
  );
  expect(servers).toEqual([{ url: "/api" }]);
  expect(components.schemas["Error"]).toEqual({
    type: "object",
    properties: {
      why: { type: "string" },
      list: { type: "array" },
      nothing: {},
      many: { type: "array", items: { type: "number" } },
    },
    required: ["why", "list", "nothing", "many"],
  });
  const responses = read(paths, "/login/", "post", "responses");
  expect(Object.keys(Object(responses))).toEqual(["200", "400", "403", "429", "499", "599"]);
  expect(read(responses, "499", "content", "text/json")).toBeDefined();
});

it("refuses to describe an API without a title or a version", async () => {
  const { service } = await makeService();
  expect(() => describeApi(service, { title: "", version: "1" })).toThrow("Cannot describe");
  expect(() => describeApi(service, { title: "a", version: "" })).toThrow(TypeError);
});
