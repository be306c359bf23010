import type { Auth } from "../core/auth.ts";
import { logout } from "../core/revoke.ts";
import { toResponse } from "./answer.ts";
import { dialectOf, type Endpoint, postEndpoint } from "./endpoint.ts";
import { type AuthenticatedGuardOptions, createGuard } from "./guard.ts";

/**
 * Makes the endpoint that revokes the token it is called with: `POST`, answered 204.
 *
 * The token comes from `Authorization` and from nowhere else; the body is not
 * read. Guarded like any other route, so a token that does not hold is answered 401.
 */
export function createLogout<Scope extends string>(
  auth: Auth<Scope>,
  options: AuthenticatedGuardOptions<NoInfer<Scope>> = {},
): Endpoint {
  const guard = createGuard(auth, options);
  return postEndpoint(dialectOf(auth), undefined, async ({ headers, method }) => {
    const result = await guard(headers.get("authorization"), method);
    if (!result.ok) return toResponse(result.failure);
    await logout(auth, result.value);
    return new Response(null, { status: 204 });
  });
}
