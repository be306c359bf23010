/** What every target must answer, byte for byte. */
import type { World } from "./application.ts";
import { type RawRequest, writeChunks } from "./raw_http.ts";

/** One request and the answer that every target gives to it. */
export interface ParityCase extends RawRequest {
  readonly title: string;
  readonly status: number;
  /** The headers of {@link comparedHeaders} that the answer has; no others of them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: string;
}

/** The headers that mean something to a client; servers add `Date` and their like as they please. */
export const comparedHeaders: readonly string[] = [
  "allow",
  "cache-control",
  "content-type",
  "ratelimit",
  "ratelimit-policy",
  "retry-after",
  "www-authenticate",
];

type Expected = Pick<ParityCase, "status" | "headers" | "answer">;

const json = { "content-type": "application/json" };
const endpoint = { allow: "POST, OPTIONS", "cache-control": "no-store" };

const success = (answer: string): Expected => ({ status: 200, headers: json, answer });

const detail = (text: string) => JSON.stringify({ detail: text });

const unauthorized = (text: string, scheme = "Token"): Expected => ({
  status: 401,
  headers: { ...json, "www-authenticate": scheme },
  answer: detail(text),
});

const anonymous = unauthorized("Authentication credentials were not provided.");
const empty = unauthorized("Invalid token header. No credentials provided.");
const spaces = unauthorized("Invalid token header. Token string should not contain spaces.");
const characters = unauthorized(
  "Invalid token header. Token string should not contain invalid characters.",
);
const invalid = unauthorized("Invalid token.");
const inactive = unauthorized("User inactive or deleted.");
const forbidden: Expected = {
  status: 403,
  headers: json,
  answer: detail("You do not have permission to perform this action."),
};
const vault = success('{"secret":"The vault is open"}');
const user = (username: string | null) => success(JSON.stringify({ user: username }));

const onEndpoint = (status: number, answer: string): Expected => ({
  status,
  headers: { ...json, ...endpoint },
  answer,
});
const throttled: Expected = {
  status: 429,
  headers: {
    ...json,
    "retry-after": "60",
    "ratelimit-policy": '"default";q=1;w=60',
    ratelimit: '"default";r=0;t=60',
  },
  answer: detail("Request was throttled. Expected available in 60 seconds."),
};
const required = onEndpoint(
  400,
  '{"username":["This field is required."],"password":["This field is required."]}',
);
const wrongLogin = onEndpoint(
  400,
  '{"non_field_errors":["Unable to log in with provided credentials."]}',
);
const badJson = onEndpoint(400, detail("JSON parse error - the body is not valid JSON"));
const badMultipart = onEndpoint(
  400,
  detail("Multipart form parse error - the body is not a valid multipart form"),
);
const tooLarge = onEndpoint(413, detail("Request body is larger than 65536 bytes."));
const unsupported = (type: string) =>
  onEndpoint(415, detail(`Unsupported media type "${type}" in request.`));
const notAllowed = (method: string) => onEndpoint(405, detail(`Method "${method}" not allowed.`));
const described = onEndpoint(
  200,
  '{"name":"Obtain Auth Token","description":"","renders":["application/json"],' +
    '"parses":["application/x-www-form-urlencoded","multipart/form-data","application/json"],' +
    '"actions":{"POST":{' +
    '"username":{"type":"string","required":true,"read_only":false,"label":"Username"},' +
    '"password":{"type":"string","required":true,"read_only":false,"label":"Password"},' +
    '"token":{"type":"string","required":false,"read_only":true,"label":"Token"}}}}',
);

const LOGIN = '{"username":"ada","password":"ada-password"}';
const FORM = "username=ada&password=ada-password";
const JSON_LINE = "Content-Type: application/json";
const FORM_LINE = "Content-Type: application/x-www-form-urlencoded";
const MULTIPART_LINE = "Content-Type: multipart/form-data; boundary=edge";
const CHUNKED_LINE = "Transfer-Encoding: chunked";
const LARGE = `{"username":"ada","password":"${"x".repeat(70_000)}"}`;

/** UTF-8 bytes as the characters that `lines` sends them as. */
const asBytes = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

/** A part of a multipart body. */
const part = (name: string, value: string, more = "") =>
  `--edge\r\nContent-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}\r\n`;
const PARTS = part("username", "ada") + part("password", "ada-password");
const FILE = part(
  "upload",
  "bytes",
  '; filename="a.bin"\r\nContent-Type: application/octet-stream',
);

const get = (title: string, path: string, lines: readonly string[], expected: Expected) => ({
  title,
  method: "GET",
  path,
  lines,
  ...expected,
});

const login = (
  title: string,
  lines: readonly string[],
  body: string | Uint8Array | undefined,
  expected: Expected,
) => ({
  title,
  method: "POST",
  path: "/get-token",
  lines,
  ...(body === undefined ? {} : { body }),
  ...expected,
});

const call = (method: string, path: string, lines: readonly string[], expected: Expected) => ({
  title: `${method} ${path}${lines.length > 0 ? " with a token" : ""}`,
  method,
  path,
  lines,
  ...(["GET", "HEAD", "OPTIONS", "TRACE"].includes(method) ? {} : { body: "" }),
  ...expected,
});

/** The table, for the users of a world. `/logout` revokes Grace's token, so it runs in this order. */
export function listCases(world: World): readonly ParityCase[] {
  const { tokens, adaTokenId } = world;
  const { ada, boss, grace, gone, revoked } = tokens;
  const good = `Authorization: Token ${ada}`;
  const granted = onEndpoint(200, JSON.stringify({ token: ada }));
  const changed = ada.slice(0, -1) + (ada.endsWith("0") ? "1" : "0");
  return [
    // Authorization: absent, good, and every way to be wrong.
    get("no credentials", "/secret", [], anonymous),
    get("a good token", "/secret", [good], vault),
    get(
      "who it is",
      "/whoami",
      [good],
      success(JSON.stringify({ user: "ada", tokenId: adaTokenId })),
    ),
    get("a header name in capitals", "/secret", [`AUTHORIZATION: Token ${ada}`], vault),
    get("a header name in small letters", "/secret", [`authorization: Token ${ada}`], vault),
    get("a scheme in capitals", "/secret", [`Authorization: TOKEN ${ada}`], vault),
    get("tabs for spaces", "/secret", [`Authorization:\tToken\t\t${ada}\t`], vault),
    get("many spaces", "/secret", [`Authorization:    Token    ${ada}   `], vault),
    get("no space after the colon", "/secret", [`Authorization:Token ${ada}`], vault),
    get("a scheme alone", "/secret", ["Authorization: Token"], empty),
    get("an empty header", "/secret", ["Authorization:"], anonymous),
    get("a header of spaces", "/secret", ["Authorization:   "], anonymous),
    get("two words", "/secret", [`Authorization: Token ${ada} ${ada}`], spaces),
    get("a token of another scheme", "/secret", [`Authorization: Bearer ${ada}`], anonymous),
    get("a scheme that only begins alike", "/secret", [`Authorization: Tokens ${ada}`], anonymous),
    get("another scheme before", "/secret", [`Authorization: Basic YTpi, Token ${ada}`], anonymous),
    get("one character changed", "/secret", [`Authorization: Token ${changed}`], invalid),
    get("another case", "/secret", [`Authorization: Token ${ada.toUpperCase()}`], invalid),
    get("a comma after", "/secret", [`Authorization: Token ${ada},`], invalid),
    get("quotes", "/secret", [`Authorization: Token "${ada}"`], invalid),
    get("percent escapes", "/secret", [`Authorization: Token ${ada.replace("_", "%5F")}`], invalid),
    get("a revoked token", "/secret", [`Authorization: Token ${revoked}`], invalid),
    get("the token of a disabled user", "/secret", [`Authorization: Token ${gone}`], inactive),
    get("a Latin-1 byte", "/secret", [`Authorization: Token ${ada}\xe9`], characters),
    get("UTF-8 bytes", "/secret", [`Authorization: Token ${asBytes("tökén")}`], invalid),
    get(
      "a full-width letter",
      "/secret",
      [`Authorization: ${asBytes("Ｔ")}oken ${ada}`],
      anonymous,
    ),
    get("a no-break space", "/secret", [`Authorization: Token\xa0${ada}`], anonymous),
    get(
      "a byte order mark",
      "/secret",
      [`Authorization: Token ${asBytes("\ufeff")}${ada}`],
      invalid,
    ),
    get("a long token", "/secret", [`Authorization: Token ${"a".repeat(8_000)}`], invalid),
    get("too long a header", "/secret", [`Authorization: Token ${"a".repeat(9_000)}`], invalid),
    get(
      "too long a header of commas",
      "/secret",
      [`Authorization: Token ${"a,".repeat(4_500)}`],
      invalid,
    ),
    // Two lines, in all orders.
    get("two good lines", "/secret", [good, good], spaces),
    get("a good line, then a bad one", "/secret", [good, "Authorization: Token x"], spaces),
    get("a bad line, then a good one", "/secret", ["Authorization: Token x", good], spaces),
    get("another scheme, then a good line", "/secret", ["Authorization: Basic x", good], anonymous),
    get("a good line, then another scheme", "/secret", [good, "Authorization: Basic x"], spaces),
    get("an empty line, then a good one", "/secret", ["Authorization:", good], anonymous),
    get("a good line, then an empty one", "/secret", [good, "Authorization:"], invalid),
    get("two lines of unlike case", "/secret", [
      `AUTHORIZATION: Token ${ada}`,
      `authorization: Token ${boss}`,
    ], spaces),
    get("two lines with others between", "/secret", [good, "Accept: */*", good], spaces),
    // Permissions.
    get("nobody where all are welcome", "/open", [], user(null)),
    get("a user where all are welcome", "/open", [good], user("ada")),
    get("a bad token where all are welcome (F4)", "/open", ["Authorization: Token x"], invalid),
    get("nobody where staff is wanted", "/admin", [], anonymous),
    get("a user where staff is wanted", "/admin", [good], forbidden),
    get("staff where staff is wanted", "/admin", [`Authorization: Token ${boss}`], user("boss")),
    call("GET", "/read-only", [], user(null)),
    { ...call("HEAD", "/read-only", [], user(null)), answer: "" },
    call("OPTIONS", "/read-only", [], user(null)),
    call("POST", "/read-only", [], anonymous),
    call("PUT", "/read-only", [], anonymous),
    call("PATCH", "/read-only", [], anonymous),
    call("DELETE", "/read-only", [], anonymous),
    call("PROPFIND", "/read-only", [], anonymous),
    call("DELETE", "/read-only", [good], user("ada")),
    {
      ...call("POST", "/read-only", ["X-HTTP-Method-Override: GET"], anonymous),
      title: "POST that wants to be GET (J7)",
    },
    { ...call("HEAD", "/secret", [], anonymous), answer: "" },
    get("a Bearer token", "/bearer", [`Authorization: Bearer ${ada}`], user("ada")),
    get("a bearer token of another case", "/bearer", [`Authorization: bEaReR ${ada}`], user("ada")),
    get(
      "the dialect's scheme where another is wanted",
      "/bearer",
      [good],
      unauthorized("Authentication credentials were not provided.", "Bearer"),
    ),
    get(
      "two Bearer tokens with a comma",
      "/bearer",
      [`Authorization: Bearer ${ada},${ada}`],
      unauthorized("Invalid token.", "Bearer"),
    ),
    // Throttles, which tell clients apart by the address of the socket's other end.
    get("the first request of nobody", "/throttled", [], user(null)),
    get("the second request of nobody", "/throttled", [], throttled),
    get("another address that is only said", "/throttled", [
      "X-Forwarded-For: 203.0.113.9",
      "Forwarded: for=203.0.113.9",
    ], throttled),
    get("the first request of a user", "/throttled", [good], user("ada")),
    get("the second request of a user", "/throttled", [good], throttled),
    { ...call("HEAD", "/throttled", [good], throttled), answer: "" },
    call("POST", "/throttled", [good], throttled),
    get("a bad token among many requests", "/throttled", ["Authorization: Token x"], invalid),
    get("another user", "/throttled", [`Authorization: Token ${boss}`], user("boss")),
    {
      ...login("the first login of an address", [JSON_LINE], LOGIN, granted),
      path: "/get-token-throttled",
    },
    {
      ...login("the second login of an address", [JSON_LINE], LOGIN, {
        ...throttled,
        headers: { ...throttled.headers, ...endpoint },
      }),
      path: "/get-token-throttled",
    },
    // Where a token is not looked for.
    get("a token in the query", `/secret?token=${ada}&access_token=${ada}`, [], anonymous),
    get("a token in other headers", "/secret", [
      `X-Authorization: Token ${ada}`,
      `Proxy-Authorization: Token ${ada}`,
      `Cookie: token=${ada}; Authorization=Token ${ada}`,
    ], anonymous),
    get("a query beside a good token", "/secret?a=%00&b=%zz", [good], vault),
    // Logging in: what is read.
    login("JSON", [JSON_LINE], LOGIN, granted),
    login("JSON with a charset", ["content-type: Application/JSON; charset=utf-8"], LOGIN, granted),
    login("a form", [FORM_LINE], FORM, granted),
    login("multipart", [MULTIPART_LINE], `${PARTS}--edge--\r\n`, granted),
    login("multipart with a file", [MULTIPART_LINE], `${FILE}${PARTS}--edge--\r\n`, granted),
    login(
      "multipart with a file for a password",
      [MULTIPART_LINE],
      `${part("username", "ada")}${part("password", "x", '; filename="a"')}--edge--\r\n`,
      onEndpoint(400, '{"password":["Not a valid string."]}'),
    ),
    login("a stale token beside", [JSON_LINE, "Authorization: Token stale"], LOGIN, granted),
    login(
      "a malformed token beside",
      [JSON_LINE, "Authorization: Token a b", good],
      LOGIN,
      granted,
    ),
    login("chunks", [JSON_LINE, CHUNKED_LINE], writeChunks(LOGIN, 7), granted),
    login("credentials in the query are not read", [JSON_LINE], "", required),
    { ...login("a query with credentials", [], "", required), path: `/get-token?${FORM}` },
    {
      ...login("a query beside a body", [JSON_LINE], LOGIN, granted),
      path: "/get-token?username=boss&_method=GET",
    },
    login("a method to override", [JSON_LINE, "X-HTTP-Method-Override: GET"], LOGIN, granted),
    login("no body and no length", [], undefined, required),
    login("a wrong password", [JSON_LINE], '{"username":"ada","password":"x"}', wrongLogin),
    login(
      "a disabled user",
      [JSON_LINE],
      '{"username":"gone","password":"gone-password"}',
      wrongLogin,
    ),
    // What is refused.
    login("JSON that is cut off", [JSON_LINE], LOGIN.slice(0, -1), badJson),
    login("JSON with a byte order mark", [JSON_LINE], `\ufeff${LOGIN}`, badJson),
    login("JSON that is no UTF-8", [JSON_LINE], Uint8Array.of(0x22, 0xff, 0x22), badJson),
    login(
      "JSON of a list",
      [JSON_LINE],
      "[]",
      onEndpoint(
        400,
        '{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}',
      ),
    ),
    login(
      "JSON of null",
      [JSON_LINE],
      "null",
      onEndpoint(400, '{"non_field_errors":["No data provided"]}'),
    ),
    login(
      "deep JSON",
      [JSON_LINE],
      "[".repeat(30_000) + "]".repeat(30_000),
      onEndpoint(
        400,
        '{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}',
      ),
    ),
    login(
      "deep JSON in a field",
      [JSON_LINE],
      `{"username":${"[".repeat(30_000)}${"]".repeat(30_000)},"password":"x"}`,
      onEndpoint(400, '{"username":["Not a valid string."]}'),
    ),
    login(
      "JSON with __proto__",
      [JSON_LINE],
      '{"__proto__":{"username":"ada","password":"ada-password"}}',
      required,
    ),
    login("text", ["Content-Type: text/plain"], LOGIN, unsupported("text/plain")),
    login(
      "two media types",
      [JSON_LINE, "Content-Type: text/plain"],
      LOGIN,
      unsupported("application/json, text/plain"),
    ),
    login("no media type", [], LOGIN, unsupported("")),
    login(
      "multipart without a boundary",
      ["Content-Type: multipart/form-data"],
      `${PARTS}--edge--\r\n`,
      badMultipart,
    ),
    login(
      "multipart with another boundary",
      ["Content-Type: multipart/form-data; boundary=other"],
      `${PARTS}--edge--\r\n`,
      badMultipart,
    ),
    login("an empty multipart", [MULTIPART_LINE], "--edge--\r\n", required),
    login("no multipart body", [MULTIPART_LINE], "", required),
    login("multipart that is cut off", [MULTIPART_LINE], PARTS.slice(0, -20), badMultipart),
    login("multipart without its last boundary", [MULTIPART_LINE], PARTS, badMultipart),
    login(
      "multipart that ends in a boundary",
      [MULTIPART_LINE],
      `${PARTS}--edge\r\n`,
      badMultipart,
    ),
    login(
      "multipart with bare line feeds",
      [MULTIPART_LINE],
      `${PARTS}--edge--`.replaceAll("\r", ""),
      granted,
    ),
    login(
      "multipart with a part of no name",
      [MULTIPART_LINE],
      `--edge\r\nContent-Type: text/plain\r\n\r\nx\r\n${PARTS}--edge--`,
      granted,
    ),
    login(
      "multipart with a folded header",
      [MULTIPART_LINE],
      `${PARTS}--edge--`.replace("; name", ";\r\n name"),
      onEndpoint(400, '{"username":["This field is required."]}'),
    ),
    login(
      "multipart with more after its end",
      [MULTIPART_LINE],
      `${PARTS}--edge--\r\n${part("username", "boss")}--edge--`,
      granted,
    ),
    login(
      "multipart with the boundary in a value",
      [MULTIPART_LINE],
      `${part("username", "a--edge")}${part("password", "x")}--edge--`,
      wrongLogin,
    ),
    login(
      "multipart of a part with more parameters",
      [MULTIPART_LINE],
      `${part("username", "ada", "; x=y")}${part("password", "ada-password")}--edge--`,
      granted,
    ),
    // What is too large.
    login(
      "a body of 64 KiB",
      [JSON_LINE],
      `{"username":"ada","password":"${"x".repeat(65_504)}"}`,
      wrongLogin,
    ),
    login(
      "a body of one byte more",
      [JSON_LINE],
      `{"username":"ada","password":"${"x".repeat(65_505)}"}`,
      tooLarge,
    ),
    login("too large a declared body", [JSON_LINE], LARGE, tooLarge),
    login(
      "too large a body in chunks",
      [JSON_LINE, CHUNKED_LINE],
      writeChunks(LARGE, 1_000),
      tooLarge,
    ),
    login("too large a body of no media type", [], LARGE, tooLarge),
    // Methods.
    call("GET", "/get-token", [], notAllowed("GET")),
    { ...call("HEAD", "/get-token", [], notAllowed("HEAD")), answer: "" },
    call("OPTIONS", "/get-token", [], described),
    call("PUT", "/get-token", [], notAllowed("PUT")),
    call("PATCH", "/get-token", [], notAllowed("PATCH")),
    call("DELETE", "/get-token", [], notAllowed("DELETE")),
    call("TRACE", "/get-token", [], notAllowed("TRACE")),
    {
      ...call("GET", "/get-token", ["X-HTTP-Method-Override: POST"], notAllowed("GET")),
      title: "GET that wants to be POST",
    },
    // Logging out.
    { ...call("OPTIONS", "/logout", [], { status: 204, headers: endpoint, answer: "" }) },
    call("GET", "/logout", [`Authorization: Token ${grace}`], notAllowed("GET")),
    call("POST", "/logout", [], { ...anonymous, headers: { ...anonymous.headers, ...endpoint } }),
    call("POST", "/logout", [`Authorization: Token ${grace}`], {
      status: 204,
      headers: endpoint,
      answer: "",
    }),
    {
      ...call("POST", "/logout", [`Authorization: Token ${grace}`], {
        ...invalid,
        headers: { ...invalid.headers, ...endpoint },
      }),
      title: "logging out twice",
    },
    ...listServiceCases(world),
    // Elsewhere.
    get("a path of nobody", "/nowhere", [good], {
      status: 404,
      headers: json,
      answer: detail("Not found."),
    }),
  ];
}

/** The self-service below two routers, with ids in its paths. `DELETE` revokes, so these run in order. */
function listServiceCases(
  { tokens, adaId, adaTokenId, scriptTokenId, graceTokenId }: World,
): readonly ParityCase[] {
  const good = `Authorization: Token ${tokens.ada}`;
  const answered = (methods: string, status: number, answer: string, more = {}): Expected => ({
    status,
    headers: {
      ...(answer === "" ? {} : json),
      allow: `${methods}, OPTIONS`,
      "cache-control": "no-store",
      ...more,
    },
    answer,
  });
  const me = (status: number, answer: string) => answered("GET, HEAD", status, answer);
  const list = (status: number, answer: string) => answered("GET, POST, HEAD", status, answer);
  const one = (status: number, answer = "") => answered("PATCH, DELETE", status, answer);
  const unknown = one(404, detail("Not found."));
  const nowhere: Expected = {
    status: 404,
    headers: { ...json, "cache-control": "no-store" },
    answer: detail("Not found."),
  };
  const elsewhere: Expected = { ...nowhere, headers: json };
  const whoAmI = JSON.stringify({
    user: { id: adaId, username: "ada", is_staff: false, is_superuser: false },
    token: {
      id: adaTokenId,
      name: "",
      hint: tokens.ada.slice(0, 7),
      scopes: [],
      created_at: "2027-01-15T08:00:00.000Z",
      last_used_at: null,
      expires_at: "2027-02-14T08:00:00.000Z",
    },
  });
  const script = `/api/auth/tokens/${scriptTokenId}`;
  const grace = `/api/auth/tokens/${graceTokenId}/`;
  const send = (
    title: string,
    [method, path]: readonly [string, string],
    body: string | Uint8Array,
    expected: Expected,
    ...lines: readonly string[]
  ) => ({ title, method, path, lines: [good, JSON_LINE, ...lines], body, ...expected });
  const name = "Ensure this value is a whole number from 1 to 100.";
  return [
    get("who am I, below routers", "/api/auth/me/", [good], me(200, whoAmI)),
    get("who am I, below routers and behind proxies (F6)", "/api/auth/me/", [
      good,
      "Forwarded: for=1.2.3.4;host=elsewhere;proto=https",
      "X-Forwarded-Host: elsewhere",
      "X-Forwarded-Prefix: /elsewhere",
      "X-Original-URL: /open",
      "X-Rewrite-URL: /open",
    ], me(200, whoAmI)),
    get("who am I without the last slash", "/api/auth/me", [good], me(200, whoAmI)),
    get("who am I with a query", "/api/auth/me/?a=%zz", [good], me(200, whoAmI)),
    { ...call("HEAD", "/api/auth/me/", [good], me(200, "")), headers: me(200, whoAmI).headers },
    {
      ...call("GET", "/api/auth/me/", [], anonymous),
      headers: { ...anonymous.headers, ...me(401, "").headers },
    },
    call("POST", "/api/auth/me/", [good], me(405, detail('Method "POST" not allowed.'))),
    call("OPTIONS", "/api/auth/tokens/", [], list(204, "")),
    get("a bad limit", "/api/auth/tokens/?limit=0", [good], list(400, `{"limit":["${name}"]}`)),
    get(
      "a cursor of others in the query",
      "/api/auth/tokens/?cursor=%2e%2e",
      [good],
      list(400, '{"cursor":["Not a valid cursor."]}'),
    ),
    send(
      "a scope that the token has not",
      ["POST", "/api/auth/tokens/"],
      '{"scopes":["read"]}',
      list(403, detail("A token cannot make one that may do more than itself.")),
    ),
    send("a new name", ["PATCH", `${script}/`], '{"name":"renamed"}', one(204)),
    send(
      "a new name in chunks",
      ["PATCH", script],
      writeChunks('{"name":"again"}', 3),
      one(204),
      CHUNKED_LINE,
    ),
    send(
      "a name that cannot be one",
      ["PATCH", script],
      '{"name":" "}',
      one(400, '{"name":["This field may not be blank."]}'),
    ),
    send("another user's id to rename", ["PATCH", grace], '{"name":"x"}', unknown),
    call("DELETE", grace, [good], unknown),
    call("DELETE", "/api/auth/tokens/0/", [good], unknown),
    call("DELETE", `${script}/`, [good], one(204)),
    { ...call("DELETE", script, [good], unknown), title: "DELETE once more" },
    call("GET", script, [good], one(405, detail('Method "GET" not allowed.'))),
    {
      ...login("a form to revoke", [FORM_LINE], "token=x", answered("POST", 200, "")),
      path: "/api/auth/revoke/",
    },
    call("POST", "/api/auth/introspect/", [good], nowhere),
    call("GET", "/api/auth/nowhere", [good], nowhere),
    call("GET", "/api/auth/tokens/a%2fb/", [good], nowhere),
    call("GET", "/api/auth/ME/", [good], nowhere),
    call("GET", "/api/me/", [good], elsewhere),
    call("GET", "//api/auth/me/", [good], elsewhere),
  ];
}
