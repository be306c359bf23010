import type { Principal } from "../pure/record.ts";
import type { Auth } from "./auth.ts";

/**
 * Revokes a token by its id, at once and for ever.
 *
 * `true` when this call revoked it; `false` when there is no such token or it
 * was revoked before. Whose token it is, is the caller's to check.
 *
 * @throws {StoreError} when the store fails
 */
export async function revokeToken<Scope extends string>(
  auth: Auth<Scope>,
  id: string,
): Promise<boolean> {
  return await auth.store.revokeToken(id, auth.now());
}

/**
 * Ends the token that made the request; the same as revoking it by its id.
 *
 * With `onLogin: "reuse"` every device of the user holds that one token, and
 * all of them are logged out.
 *
 * @throws {StoreError} when the store fails
 */
export async function logout<Scope extends string>(
  auth: Auth<Scope>,
  principal: Principal<NoInfer<Scope>>,
): Promise<boolean> {
  return await revokeToken(auth, principal.token.id);
}
