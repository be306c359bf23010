import type { Answer, Denial, Dialect, EndpointDescription } from "../ports/dialect.ts";
import { SCOPE } from "../pure/scope.ts";
import { jsonAnswer, throttleHeaders, withHeaders } from "./answer.ts";
import { checkScheme } from "./drf.ts";

/** How the bearer dialect names itself. */
export interface BearerOptions {
  /** What the challenge says is protected: printable ASCII; `api` when absent. */
  readonly realm?: string;
  /** Another scheme in place of `Bearer`. */
  readonly scheme?: string;
}

/**
 * The dialect of the standards: RFC 6750 challenges and RFC 9457 problem details.
 *
 * A request without credentials is challenged without an error code; a
 * malformed header is 400 `invalid_request`; a token that does not hold, for
 * whatever reason, is 401 `invalid_token` with one body; missing scopes are 403
 * `insufficient_scope` with the scopes that were needed. Each problem has a stable `code`.
 *
 * @throws {RangeError} when the realm is not printable ASCII or the scheme is no token of RFC 9110
 *
 * @example
 * ```ts
 * import { bearer, createGuard, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()], dialect: bearer() });
 * const result = await createGuard(auth)(new Request("https://example.com/"));
 * console.log(result.ok || result.failure.headers["WWW-Authenticate"]); // Bearer realm="api"
 * ```
 */
export function bearer(options: BearerOptions = {}): Dialect {
  const { realm = "api" } = options;
  if (!/^[\x20-\x7e]{1,128}$/.test(realm)) {
    throw new RangeError("Cannot use this realm: expected up to 128 characters of printable ASCII");
  }
  return {
    scheme: checkScheme(options.scheme ?? "Bearer"),
    deny: (denial, challenge) => deny(denial, challenge, realm),
    grant: (text, token, now) =>
      jsonAnswer(200, {
        access_token: text,
        token_type: options.scheme ?? "Bearer",
        ...(token.expiresAt === null
          ? {}
          : { expires_in: Math.max(0, Math.floor((token.expiresAt - now) / 1000)) }),
        ...(token.scopes.length === 0 ? {} : { scope: token.scopes.join(" ") }),
      }),
    describe: describe,
  };
}

function deny(denial: Denial, scheme: string | null, realm: string): Answer {
  switch (denial.reason) {
    case "not_authenticated":
      return challenged(401, "not_authenticated", "Send a token.", scheme, { realm });
    case "empty_credentials":
    case "credentials_contain_spaces":
    case "credentials_not_utf8":
    case "credentials_too_long":
    case "several_credentials":
      return challenged(400, "invalid_request", "Send one token, in one place.", scheme, {
        realm,
        error: "invalid_request",
      });
    case "malformed_token":
    case "unknown_token":
    case "revoked_token":
    case "expired_token":
    case "idle_token":
    case "rotated_token":
    case "inactive_user":
      return challenged(401, "invalid_token", "The token does not hold.", scheme, {
        realm,
        error: "invalid_token",
      });
    case "permission_denied":
      return denial.scopes === undefined
        ? problem(403, "permission_denied", denial.message ?? "This is not permitted to you.")
        : challenged(403, "insufficient_scope", "The token lacks a scope.", scheme, {
          realm,
          error: "insufficient_scope",
          ...writeScopes(denial.scopes),
        });
    case "bad_credentials":
      return problem(400, "bad_credentials", "The username and password do not match.");
    case "token_limit":
      return problem(403, "token_limit", "There are as many tokens as there may be. Revoke one.");
    case "not_found":
      return problem(404, "not_found", "There is nothing here.");
    case "changed_meanwhile":
      return problem(409, "changed_meanwhile", "The password was changed meanwhile.");
    case "invalid_input":
      return problem(400, "invalid_input", "Some fields are not right.", {
        errors: denial.errors.fields,
        ...(denial.errors.form.length === 0 ? {} : { messages: denial.errors.form }),
      });
    case "malformed_body":
      return problem(400, "malformed_body", `The body is not valid ${denial.kind}.`);
    case "unsupported_media_type":
      return problem(415, "unsupported_media_type", "Send JSON or a form.");
    case "body_too_large":
      return problem(413, "body_too_large", `Send at most ${denial.limit} bytes.`);
    case "incomplete_body":
      return withClose(problem(400, "incomplete_body", "The body broke off."));
    case "body_timeout":
      return withClose(problem(408, "body_timeout", "Send the body faster."));
    case "method_not_allowed":
      return problem(405, "method_not_allowed", "Use one of the methods in Allow.");
    case "foreign_origin":
      return problem(403, "foreign_origin", "The request came from another site.");
    case "throttled":
      return withHeaders(
        problem(429, "throttled", "There were too many requests."),
        throttleHeaders(denial),
      );
    case "overloaded":
    case "store_unavailable":
      return withRetry(problem(503, "unavailable", "Try again in a moment."));
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  409: "Conflict",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

/** RFC 9457 with the type `about:blank`, so the title is that of the status, and a code to switch on. */
function problem(
  status: number,
  code: string,
  detail: string,
  more: Readonly<Record<string, unknown>> = {},
): Answer {
  const body = { type: "about:blank", title: TITLES[status], status, detail, code, ...more };
  return jsonAnswer(status, body, { "Content-Type": "application/problem+json" });
}

/** A 401 must carry a challenge (RFC 9110 §15.5.2), so without a scheme to challenge with it is a 403. */
function challenged(
  status: number,
  code: string,
  detail: string,
  scheme: string | null,
  parameters: Readonly<Record<string, string>>,
): Answer {
  if (scheme === null) return problem(status === 401 ? 403 : status, code, detail);
  const quoted = Object.entries(parameters).map(([name, value]) => `${name}=${quote(value)}`);
  const answer = problem(status, code, detail);
  const challenge = `${scheme} ${quoted.join(", ")}`;
  return { ...answer, headers: { ...answer.headers, "WWW-Authenticate": challenge } };
}

/** A permission of the application's own may name anything: what is no scope must not reach a header. */
function writeScopes(scopes: readonly string[]): Readonly<Record<string, string>> {
  const scope = scopes.filter((each) => SCOPE.test(each)).join(" ");
  return scope === "" ? {} : { scope };
}

/** A quoted-string of RFC 9110 §5.6.4. */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

/** What a client still sends of a refused body is not to be taken for its next request. */
function withClose(answer: Answer): Answer {
  return withHeaders(answer, { Connection: "close" });
}

function withRetry(answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, "Retry-After": "1" } };
}

function describe({ name, fields }: EndpointDescription): Answer {
  return jsonAnswer(200, { name, fields });
}
