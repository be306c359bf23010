import type { Auth } from "../core/auth.ts";
import { verifyToken } from "../core/verify.ts";
import { fail, ok, type Result } from "../data/result.ts";
import type { Answer, Denial, Dialect } from "../ports/dialect.ts";
import {
  type AuthenticatedPermission,
  firstRefusal,
  isAuthenticated,
  type Permission,
} from "../pure/permission.ts";
import type { Principal } from "../pure/record.ts";
import { type Credentials, readAuthorization } from "./authorization.ts";
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
  /**
   * Another header that may carry a token, all by itself, such as `x-api-key`;
   * none when absent. Together with credentials in `Authorization` it is refused,
   * and so is one that is empty, is there twice, or has spaces in it.
   */
  readonly apiKeyHeader?: string;
  /** `false` sends no challenge, and with it 403 in place of 401; `true` when absent. */
  readonly challenge?: boolean;
}

/** What a guard that lets only authenticated requests pass demands. */
export interface AuthenticatedGuardOptions<Scope extends string = string>
  extends GuardOptions<Scope> {
  /** The first demands authentication, all of them must pass; `[isAuthenticated]` when absent. */
  readonly permissions?: readonly [AuthenticatedPermission<Scope>, ...Permission<Scope>[]];
}

/** What a guard reads of a request. A `Request` of the Web platform is one. */
export interface GuardRequest {
  /** Upper-case. */
  readonly method: string;
  /** Two lines of one header must arrive joined by `", "`, as `Headers` joins them. */
  readonly headers: { get(name: string): string | null };
  /** What a platform that may end with the answer, such as a Worker, is told to wait for. */
  readonly waitUntil?: (work: Promise<void>) => void;
}

/**
 * Decides whether a request passes, from its headers and its method.
 *
 * The value is the principal; a failure is the answer to send.
 */
export type Guard<Who extends Principal | null> = (
  request: GuardRequest,
) => Promise<Result<Who, Answer>>;

/**
 * Makes the guard of a route. The adapters mount it; a framework without an adapter needs only this.
 *
 * Authentication comes first: a bad token is refused even where anonymous
 * callers are welcome. Then the permissions: a refusal is a 401 with a challenge
 * for an anonymous caller and a 403 for an authenticated one. A store that fails is a 503.
 *
 * @throws {TypeError | RangeError} when `permissions` is empty, or a scheme or the `apiKeyHeader` cannot be one
 *
 * @example
 * ```ts
 * import { createGuard, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const guard = createGuard(auth);
 * const result = await guard(new Request("https://example.com/"));
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
  const permissions: readonly Permission[] = options.permissions ?? [isAuthenticated];
  if (permissions.length === 0) {
    throw new TypeError("Cannot guard with no permission: name allowAny to let everybody pass");
  }
  const { schemes, apiKeyHeader } = readTransport(dialectOf(auth), options);
  const canAuthenticate = schemes.length > 0 || apiKeyHeader !== null;
  const refuse = createDenier(auth, options);
  const deny = (denial: Denial) => fail(refuse(denial));

  return (request) =>
    answerOutage<Result<Principal<Scope> | null, Answer>>(async () => {
      const credentials = readCredentials(request.headers, schemes, apiKeyHeader);
      if (credentials.kind === "malformed") return deny({ reason: credentials.reason });
      let principal: Principal<Scope> | null = null;
      if (credentials.kind === "present") {
        const verified = await verifyToken(auth, credentials.text, request);
        if (!verified.ok) return deny(verified.failure);
        principal = verified.value;
      }
      const refusal = firstRefusal(permissions, { principal, method: request.method });
      if (refusal === null) return ok(principal);
      return deny(
        principal === null && canAuthenticate
          ? { reason: "not_authenticated" }
          : { reason: "permission_denied", ...refusal },
      );
    }, deny);
}

/** Makes a reader of the token that a request carries where a guard with the same options accepts one; `""` without. */
export function createTokenReader<Scope extends string>(
  auth: Auth<Scope>,
  options: GuardOptions<NoInfer<Scope>>,
): (request: GuardRequest) => string {
  const { schemes, apiKeyHeader } = readTransport(dialectOf(auth), options);
  return ({ headers }) => {
    const credentials = readCredentials(headers, schemes, apiKeyHeader);
    return credentials.kind === "present" ? credentials.text : "";
  };
}

/** Makes what refuses as a guard with the same options does: with its challenge, or with none. */
export function createDenier<Scope extends string>(
  auth: Auth<Scope>,
  options: GuardOptions<NoInfer<Scope>>,
): (denial: Denial) => Answer {
  const dialect = dialectOf(auth);
  const { schemes } = readTransport(dialect, options);
  const challenge = options.challenge === false ? null : schemes[0] ?? null;
  return (denial) => dialect.deny(denial, challenge);
}

interface Transport {
  readonly schemes: readonly string[];
  readonly apiKeyHeader: string | null;
}

function readTransport(dialect: Dialect, options: GuardOptions): Transport {
  const { schemes = [dialect.scheme], apiKeyHeader } = options;
  return {
    schemes: schemes.map(checkScheme),
    apiKeyHeader: apiKeyHeader === undefined ? null : checkHeader(apiKeyHeader),
  };
}

function checkHeader(name: string): string {
  if (!/^[\w-]{1,64}$/.test(name) || /^(?:authorization|cookie)$/i.test(name)) {
    throw new RangeError(
      "Cannot use this apiKeyHeader: expected the name of a header of its own, such as x-api-key",
    );
  }
  return name;
}

/** Reads the token from where the route accepts one; a token in two places is malformed. */
function readCredentials(
  headers: GuardRequest["headers"],
  schemes: readonly string[],
  apiKeyHeader: string | null,
): Credentials | { readonly kind: "malformed"; readonly reason: "several_credentials" } {
  const authorization = schemes.length === 0 ? null : headers.get("authorization");
  const credentials = readAuthorization(authorization, schemes);
  const key = apiKeyHeader === null ? null : headers.get(apiKeyHeader);
  if (key === null) return credentials;
  // The whole value is the token, so it is read like what follows a scheme.
  return credentials.kind === "absent"
    ? readAuthorization(`key ${key}`, ["key"])
    : { kind: "malformed", reason: "several_credentials" };
}
