import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { checkIssueOptions, type IssueOptions } from "../core/issue.ts";
import { login, type LoginFailure } from "../core/login.ts";
import type { Denial } from "../ports/dialect.ts";
import { toResponse } from "./answer.ts";
import { defineEndpoint, dialectOf, type Endpoint, respond } from "./endpoint.ts";
import { type CharField, charField } from "./field.ts";

/** What tokens an endpoint hands out, and how large a body it reads. */
export interface ObtainTokenOptions<Scope extends string = string> extends IssueOptions<Scope> {
  /** The largest body that is read, in bytes; 64 KiB when absent. */
  readonly maxBody?: number;
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
 * login that fails, whatever the reason. It does not look at `Authorization`,
 * so a client with a stale token can log in.
 *
 * @param options The scopes and lifetime of the tokens
 * @throws {RangeError} when a scope is not declared, or a number is not a positive whole one
 */
export function createObtainToken<Scope extends string>(
  auth: Auth<Scope>,
  options: ObtainTokenOptions<NoInfer<Scope>> = {},
): Endpoint {
  const { maxBody, ...issue } = options;
  const dialect = dialectOf(auth);
  checkIssueOptions(auth, issue);
  return defineEndpoint(auth, {
    schema: Credentials,
    description: {
      name: "Obtain Auth Token",
      fields: [
        { name: "username", required: true, readOnly: false },
        { name: "password", required: true, readOnly: false },
        { name: "token", required: false, readOnly: true },
      ],
    },
    ...(maxBody === undefined ? {} : { maxBody }),
    async handle(credentials) {
      const result = await login(auth, credentials, issue);
      if (!result.ok) return respond(dialect, denialOf(result.failure.reason));
      const { text, token } = result.value;
      return toResponse(dialect.grant(text.reveal(), token, auth.now()));
    },
  });
}

/** One answer for every password that is refused: the reason is for the log alone. */
function denialOf(reason: LoginFailure["reason"]): Denial {
  return reason === "token_limit" ? { reason } : { reason: "bad_credentials" };
}
