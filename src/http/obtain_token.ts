import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { checkIssueOptions, type IssueOptions } from "../core/issue.ts";
import { login, type LoginFailure } from "../core/login.ts";
import { startSession } from "../core/session.ts";
import type { Denial } from "../ports/dialect.ts";
import { SECRET_SIZE } from "../pure/format.ts";
import { toResponse } from "./answer.ts";
import { findClientAddress } from "./client_address.ts";
import { ABSENT, type CookieTransport, setCookie } from "./cookie.ts";
import { defineEndpoint, dialectOf, type Endpoint, type EndpointLimits } from "./endpoint.ts";
import { type CharField, charField } from "./field.ts";

/** What tokens an endpoint hands out, and how large a body it reads. */
export interface ObtainTokenOptions<Scope extends string = string>
  extends IssueOptions<Scope>, EndpointLimits {
  /** Gives the token in a cookie and nowhere else, to the pages that it names; see `cookieTransport`. In the body when absent. */
  readonly cookie?: CookieTransport;
}

/** The body of a login. */
export const Credentials: v.ObjectSchema<
  { readonly username: CharField; readonly password: CharField },
  undefined
> = v.object({ username: charField(), password: charField({ trim: false }) });

/**
 * Makes the endpoint that takes a username and password and answers with a token.
 *
 * The endpoint that Django REST framework calls `obtain_auth_token`: `POST` JSON,
 * a form or multipart; 200 with the token, 400 with `non_field_errors` for every
 * login that fails, whatever the reason; 429 after too many of them, by the
 * `loginLimits` of the configuration, and 503 while too many passwords are being
 * hashed. It does not look at `Authorization`,
 * so a client with a stale token can log in.
 *
 * With `cookie` it answers 204 with `Set-Cookie` and no body, and only to a request
 * that is proven to come from one of the named origins. The token is always a new
 * one, also with `onLogin: "reuse"`; the one that came in the cookie, whosever it
 * was, is revoked once the password has proved right. Other clients need a login of their own.
 *
 * @param options The scopes and lifetime of the tokens
 * @throws {RangeError} when a scope is not declared, or a number is not a positive whole one
 */
export function createObtainToken<Scope extends string>(
  auth: Auth<Scope>,
  options: ObtainTokenOptions<NoInfer<Scope>> = {},
): Endpoint {
  const dialect = dialectOf(auth);
  const { cookie } = options;
  checkIssueOptions(auth, options);
  cookie?.write(auth.formats[0].encode(new Uint8Array(SECRET_SIZE)), { expiresAt: null }, 0);
  return defineEndpoint(auth, {
    ...options,
    schema: Credentials,
    description: {
      name: "Obtain Auth Token",
      fields: [
        { name: "username", required: true, readOnly: false },
        { name: "password", required: true, readOnly: false },
        { name: "token", required: false, readOnly: true },
      ],
    },
    async handle(credentials, request) {
      const address = findClientAddress(request, auth.trustedProxies);
      const given = { ...credentials, address };
      if (cookie !== undefined) {
        if (cookie.isForeign(request)) return { reason: "foreign_origin" };
        const carried = cookie.read(request, ABSENT);
        if (carried.kind === "malformed") return { reason: carried.reason };
        const former = carried.kind === "present" ? carried.text : null;
        const result = await startSession(auth, given, former, options);
        if (!result.ok) return denialOf(result.failure);
        const { text, token } = result.value;
        return setCookie(cookie.write(text.reveal(), token, auth.now()));
      }
      const result = await login(auth, given, options);
      if (!result.ok) return denialOf(result.failure);
      const { text, token } = result.value;
      return toResponse(dialect.grant(text.reveal(), token, auth.now()));
    },
  });
}

/** One answer for every password that is refused: the reason is for the log alone. */
function denialOf(failure: LoginFailure): Denial {
  if (failure.reason === "throttled") return failure;
  return { reason: failure.reason === "token_limit" ? "token_limit" : "bad_credentials" };
}
