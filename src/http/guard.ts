import type { Auth } from "../core/auth.ts";
import { verifyToken } from "../core/verify.ts";
import { fail, ok, type Result } from "../data/result.ts";
import type { Answer, Denial } from "../ports/dialect.ts";
import {
  type AuthenticatedPermission,
  firstRefusal,
  isAuthenticated,
  type Permission,
} from "../pure/permission.ts";
import type { Principal } from "../pure/record.ts";
import { readAuthorization } from "./authorization.ts";
import { checkScheme } from "./drf.ts";
import { answerOutage, dialectOf } from "./endpoint.ts";

/** What a guard demands. */
export interface GuardOptions<Scope extends string = string> {
  /**
   * All of them must pass, in this order; `[isAuthenticated]` when absent.
   * With `isAuthenticated`, `isAdminUser` or `hasScopes` first, the principal is never `null`.
   */
  readonly permissions?: readonly [Permission<Scope>, ...Permission<Scope>[]];
  /**
   * The schemes of `Authorization` that carry a token; the dialect's own when
   * absent. The first is the challenge. With none the header is not even read.
   */
  readonly schemes?: readonly string[];
  /** `false` sends no challenge, and with it 403 in place of 401; `true` when absent. */
  readonly challenge?: boolean;
}

/** What a guard that lets only authenticated requests pass demands. */
export interface AuthenticatedGuardOptions<Scope extends string = string>
  extends GuardOptions<Scope> {
  /** The first demands authentication, all of them must pass; `[isAuthenticated]` when absent. */
  readonly permissions?: readonly [AuthenticatedPermission<Scope>, ...Permission<Scope>[]];
}

/**
 * Decides whether a request passes, from its `Authorization` header and its method.
 *
 * The value is the principal; a failure is the answer to send. Two header lines
 * must arrive joined by `", "`, as `Headers` joins them.
 */
export type Guard<Who extends Principal | null> = (
  authorization: string | null,
  method: string,
) => Promise<Result<Who, Answer>>;

/**
 * Makes the guard of a route. The adapters mount it; a framework without an adapter needs only this.
 *
 * Authentication comes first: a bad token is refused even where anonymous
 * callers are welcome. Then the permissions: a refusal is a 401 with a challenge
 * for an anonymous caller and a 403 for an authenticated one. A store that fails is a 503.
 *
 * @throws {TypeError | RangeError} when `permissions` is empty or a scheme cannot be one
 *
 * @example
 * ```ts
 * import { createGuard, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const guard = createGuard(auth);
 * const result = await guard(null, "GET");
 * console.log(result.ok ? result.value.user.username : result.failure.status); // 401
 * ```
 */
export function createGuard<Scope extends string>(
  auth: Auth<Scope>,
  options?: AuthenticatedGuardOptions<NoInfer<Scope>>,
): Guard<Principal<Scope>>;
/** Makes the guard of a route that also anonymous callers may pass. */
export function createGuard<Scope extends string>(
  auth: Auth<Scope>,
  options?: GuardOptions<NoInfer<Scope>>,
): Guard<Principal<Scope> | null>;
export function createGuard<Scope extends string>(
  auth: Auth<Scope>,
  options: GuardOptions<NoInfer<Scope>> = {},
): Guard<Principal<Scope> | null> {
  const dialect = dialectOf(auth);
  const permissions: readonly Permission[] = options.permissions ?? [isAuthenticated];
  if (permissions.length === 0) {
    throw new TypeError("Cannot guard with no permission: name allowAny to let everybody pass");
  }
  const schemes = (options.schemes ?? [dialect.scheme]).map(checkScheme);
  const challenge = options.challenge === false ? null : schemes[0] ?? null;
  const deny = (denial: Denial) => fail(dialect.deny(denial, challenge));

  return (authorization, method) =>
    answerOutage<Result<Principal<Scope> | null, Answer>>(async () => {
      const credentials = readAuthorization(authorization, schemes);
      if (credentials.kind === "malformed") return deny({ reason: credentials.reason });
      let principal: Principal<Scope> | null = null;
      if (credentials.kind === "present") {
        const verified = await verifyToken(auth, credentials.text);
        if (!verified.ok) return deny(verified.failure);
        principal = verified.value;
      }
      const refusal = firstRefusal(permissions, { principal, method });
      if (refusal === null) return ok(principal);
      return deny(
        principal === null && schemes.length > 0
          ? { reason: "not_authenticated" }
          : { reason: "permission_denied", ...refusal },
      );
    }, deny);
}
