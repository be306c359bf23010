import type { Answer, Denial, Dialect, EndpointDescription } from "../ports/dialect.ts";
import { jsonAnswer, retrySeconds, throttleHeaders } from "./answer.ts";

/** How long a client is asked to wait while the store is down, in seconds. */
const RETRY_AFTER = "1";

/**
 * The default dialect: what Django REST framework answers, word for word.
 *
 * `Authorization: Token …`, errors as `{"detail": …}` or by field, 401 with
 * `WWW-Authenticate: Token`, 400 for a failed login.
 *
 * @param options `scheme`: another keyword in place of `Token`, such as `Bearer`;
 * challenges repeat it as it is written here
 * @throws {RangeError} when the scheme is not a token of RFC 9110 §5.6.2
 */
export function drf(options: { readonly scheme?: string } = {}): Dialect {
  const scheme = checkScheme(options.scheme ?? "Token");
  return { scheme, deny, describe, grant: (text) => jsonAnswer(200, { token: text }) };
}

/**
 * Returns the name of an authentication scheme as it is.
 *
 * @throws {RangeError} when it is not a token of RFC 9110 §5.6.2
 */
export function checkScheme(scheme: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$/.test(scheme)) {
    throw new RangeError("Cannot use this scheme: expected letters, digits or - as in RFC 9110");
  }
  return scheme;
}

function deny(denial: Denial, challenge: string | null): Answer {
  switch (denial.reason) {
    case "not_authenticated":
      return unauthorized("Authentication credentials were not provided.", challenge);
    case "empty_credentials":
      return unauthorized("Invalid token header. No credentials provided.", challenge);
    case "credentials_contain_spaces":
      return unauthorized(
        "Invalid token header. Token string should not contain spaces.",
        challenge,
      );
    case "credentials_not_utf8":
      return unauthorized(
        "Invalid token header. Token string should not contain invalid characters.",
        challenge,
      );
    case "credentials_too_long":
    case "malformed_token":
    case "unknown_token":
    case "revoked_token":
    case "expired_token":
    case "idle_token":
    case "rotated_token":
      return unauthorized("Invalid token.", challenge);
    case "several_credentials":
      return detail(400, "Send one credential, not several.");
    case "token_limit":
      return detail(403, "You have as many tokens as you may have. Revoke one first.");
    case "not_found":
      return detail(404, "Not found.");
    case "changed_meanwhile":
      return detail(409, "The password was changed meanwhile. Log in again.");
    case "inactive_user":
      return unauthorized("User inactive or deleted.", challenge);
    case "permission_denied":
      return detail(403, denial.message ?? "You do not have permission to perform this action.");
    case "bad_credentials":
      return jsonAnswer(400, {
        non_field_errors: ["Unable to log in with provided credentials."],
      });
    case "invalid_input": {
      const { fields, form } = denial.errors;
      const errors = Object.entries(fields).concat(
        form.length > 0 ? [["non_field_errors", form]] : [],
      );
      return jsonAnswer(400, Object.fromEntries(errors));
    }
    case "malformed_body":
      return detail(400, MALFORMED[denial.kind]);
    case "unsupported_media_type":
      return detail(415, `Unsupported media type "${denial.mediaType}" in request.`);
    case "body_too_large":
      return detail(413, `Request body is larger than ${denial.limit} bytes.`);
    case "incomplete_body":
      return detail(400, "The request body broke off.", { Connection: "close" });
    case "body_timeout":
      return detail(408, "The request body did not arrive in time.", { Connection: "close" });
    case "method_not_allowed":
      return detail(405, `Method "${denial.method}" not allowed.`);
    case "foreign_origin":
      return detail(403, "CSRF Failed: Origin checking failed.");
    case "throttled": {
      const seconds = retrySeconds(denial);
      const unit = seconds === 1 ? "second" : "seconds";
      const wait = seconds === null ? "" : ` Expected available in ${seconds} ${unit}.`;
      return detail(429, `Request was throttled.${wait}`, throttleHeaders(denial));
    }
    case "overloaded":
    case "store_unavailable":
      return detail(503, "Service temporarily unavailable, try again later.", {
        "Retry-After": RETRY_AFTER,
      });
  }
}

function describe({ name, fields }: EndpointDescription): Answer {
  const described = fields.map(({ name, required, readOnly }) => [name, {
    type: "string",
    required,
    read_only: readOnly,
    label: name.charAt(0).toUpperCase() + name.slice(1),
  }]);
  return jsonAnswer(200, {
    name,
    description: "",
    renders: ["application/json"],
    parses: ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"],
    actions: { POST: Object.fromEntries(described) },
  });
}

/** What follows the dash is Python's own wording in Django; here it says as little for each. */
const MALFORMED: Readonly<Record<"JSON" | "form" | "multipart", string>> = {
  JSON: "JSON parse error - the body is not valid JSON",
  form: "Form parse error - the body is not a valid form",
  multipart: "Multipart form parse error - the body is not a valid multipart form",
};

function detail(status: number, text: string, headers?: Readonly<Record<string, string>>): Answer {
  return jsonAnswer(status, { detail: text }, headers);
}

function unauthorized(text: string, challenge: string | null): Answer {
  return challenge === null
    ? detail(403, text)
    : detail(401, text, { "WWW-Authenticate": challenge });
}
