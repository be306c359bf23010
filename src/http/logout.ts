import type { Auth } from "../core/auth.ts";
import { logout } from "../core/revoke.ts";
import type { Dialect } from "../ports/dialect.ts";
import type { TokenReason } from "../pure/verify.ts";
import { toResponse, withHeaders } from "./answer.ts";
import { answerEnd, type CookieTransport } from "./cookie.ts";
import { combineMethods, dialectOf, type Endpoint } from "./endpoint.ts";
import { type AuthenticatedGuardOptions, createGuard } from "./guard.ts";

/**
 * Makes the endpoint that revokes the token it is called with: `POST`, answered 204.
 *
 * The token comes from where the options accept one, by default only from
 * `Authorization`; the body is not read. Guarded like any other route, so a token that
 * does not hold is answered 401. With `cookie` both answers take the cookie away;
 * one that refuses the request for another reason, or while the store is down, leaves it.
 */
export function createLogout<Scope extends string>(
  auth: Auth<Scope>,
  options: AuthenticatedGuardOptions<NoInfer<Scope>> = {},
): Endpoint {
  const { cookie } = options;
  const guard = createGuard(cookie === undefined ? auth : clearEnded(auth, cookie), options);
  const post: Endpoint = async (request) => {
    const result = await guard(request);
    if (!result.ok) return toResponse(result.failure);
    await logout(auth, result.value);
    return answerEnd(cookie);
  };
  return combineMethods(dialectOf(auth), { POST: post });
}

/** Why a cookie is of no more use to the browser, which cannot drop it by itself. */
const ENDED: Readonly<Record<TokenReason, true>> = {
  malformed_token: true,
  unknown_token: true,
  revoked_token: true,
  expired_token: true,
  idle_token: true,
  rotated_token: true,
  inactive_user: true,
};

/** The same configuration, whose refusals of a token also take the cookie away. */
function clearEnded<Scope extends string>(auth: Auth<Scope>, cookie: CookieTransport): Auth<Scope> {
  const dialect = dialectOf(auth);
  const deny: Dialect["deny"] = (denial, challenge) => {
    const answer = dialect.deny(denial, challenge);
    return denial.reason in ENDED ? withHeaders(answer, { "Set-Cookie": cookie.clear() }) : answer;
  };
  return { ...auth, dialect: { ...dialect, deny } };
}
