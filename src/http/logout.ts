import type { Auth } from "../core/auth.ts";
import { logout } from "../core/revoke.ts";
import { toResponse } from "./answer.ts";
import { combineMethods, dialectOf, type Endpoint } from "./endpoint.ts";
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
  const post: Endpoint = async (request) => {
    const result = await guard(request);
    if (!result.ok) return toResponse(result.failure);
    await logout(auth, result.value);
    return new Response(null, { status: 204 });
  };
  return combineMethods(dialectOf(auth), { POST: post });
}
