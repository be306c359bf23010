import type { Auth } from "../core/auth.ts";
import { askForToken, recallToken } from "../core/verify.ts";
import { fail, ok, type Result } from "../data/result.ts";
import type { Answer, Denial, Dialect } from "../ports/dialect.ts";
import {
  type AuthenticatedPermission,
  firstRefusal,
  isAuthenticated,
  type Permission,
} from "../pure/permission.ts";
import type { Principal } from "../pure/record.ts";
import { readAuthorization } from "./authorization.ts";
import type { CarriedCredentials, CookieTransport } from "./cookie.ts";
import { checkScheme } from "./drf.ts";
import { checkThrottle, dialectOf, toOutage } from "./endpoint.ts";
import type { GuardRequest } from "./guard_request.ts";
import type { Throttle } from "./throttle.ts";

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
  /** Accepts the token also in a cookie, from the pages that it names; see `cookieTransport`. None is read when absent. */
  readonly cookie?: CookieTransport;
  /** Counts requests that may pass, and refuses those that are too many; see `throttle`. None when absent. */
  readonly throttle?: Throttle;
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
 * Decides whether a request passes, from its headers and its method.
 *
 * The value is the principal; a failure is the answer to send. Nothing is waited
 * for where nothing has to be, as with a token that the cache knows: `await` takes both.
 */
export type Guard<Who extends Principal | null> = (
  request: GuardRequest,
) => Result<Who, Answer> | Promise<Result<Who, Answer>>;

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
  if (!Array.isArray(permissions) || permissions.length === 0) {
    throw new TypeError("Cannot guard with no permission: name allowAny to let everybody pass");
  }
  if (permissions.some((one) => typeof one?.check !== "function")) {
    throw new TypeError("Cannot guard with this permission: expected one such as isAuthenticated");
  }
  checkThrottle(options.throttle);
  const transport = readTransport(dialectOf(auth), options);
  const { schemes, apiKeyHeader, cookie } = transport;
  const canAuthenticate = schemes.length > 0 || apiKeyHeader !== null || cookie !== null;
  const refuse = createDenier(auth, options);
  const deny = (denial: Denial) => fail(refuse(denial));

  type Decision = Result<Principal<Scope> | null, Answer>;
  const { throttle } = options;

  function permit(request: GuardRequest, principal: Principal<Scope> | null): Decision {
    const refusal = firstRefusal(permissions, { principal, method: request.method });
    if (refusal === null) return ok(principal);
    return deny(
      principal === null && canAuthenticate
        ? { reason: "not_authenticated" }
        : { reason: "permission_denied", ...refusal },
    );
  }

  async function count(request: GuardRequest, decision: Decision): Promise<Decision> {
    if (!decision.ok || throttle === undefined) return decision;
    const throttled = await throttle(auth, request, decision.value);
    return throttled === null ? decision : deny(throttled);
  }

  async function ask(request: GuardRequest, text: string): Promise<Decision> {
    const verified = await askForToken(auth, text, request);
    return verified.ok
      ? await count(request, permit(request, verified.value))
      : deny(verified.failure);
  }

  function decide(request: GuardRequest): Decision | Promise<Decision> {
    const credentials = readCredentials(request, transport);
    if (credentials.kind === "malformed") return deny({ reason: credentials.reason });
    const isAbsent = credentials.kind === "absent";
    const principal = isAbsent ? null : recallToken(auth, credentials.text, request);
    if (!isAbsent && principal === null) return ask(request, credentials.text);
    const decision = permit(request, principal);
    return throttle === undefined ? decision : count(request, decision);
  }

  const denyOutage = (error: unknown) => deny(toOutage(error));
  return (request) => {
    try {
      const decision = decide(request);
      return "then" in decision ? decision.catch(denyOutage) : decision;
    } catch (error) {
      return denyOutage(error);
    }
  };
}

/** Makes a reader of the token that a request carries where a guard with the same options accepts one; `""` without. */
export function createTokenReader<Scope extends string>(
  auth: Auth<Scope>,
  options: GuardOptions<NoInfer<Scope>>,
): (request: GuardRequest) => string {
  const transport = readTransport(dialectOf(auth), options);
  return (request) => {
    const credentials = readCredentials(request, transport);
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
  readonly cookie: CookieTransport | null;
}

function readTransport(dialect: Dialect, options: GuardOptions): Transport {
  const { schemes = [dialect.scheme], apiKeyHeader, cookie = null } = options;
  if (cookie !== null && typeof cookie.read !== "function") {
    throw new TypeError("Cannot use this cookie: expected one that cookieTransport() made");
  }
  return {
    schemes: schemes.map(checkScheme),
    apiKeyHeader: apiKeyHeader === undefined ? null : checkHeader(apiKeyHeader),
    cookie,
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

/** Reads the token from where the route accepts one; tokens in two places are malformed. */
function readCredentials(request: GuardRequest, transport: Transport): CarriedCredentials {
  const inHeaders = readHeaders(request.headers, transport);
  return transport.cookie?.read(request, inHeaders) ?? inHeaders;
}

function readHeaders(
  headers: GuardRequest["headers"],
  { schemes, apiKeyHeader }: Transport,
): CarriedCredentials {
  const authorization = schemes.length === 0 ? null : headers.get("authorization");
  const credentials = readAuthorization(authorization, schemes);
  const key = apiKeyHeader === null ? null : headers.get(apiKeyHeader);
  if (key === null) return credentials;
  // The whole value is the token, so it is read like what follows a scheme.
  return credentials.kind === "absent"
    ? readAuthorization(`key ${key}`, ["key"])
    : { kind: "malformed", reason: "several_credentials" };
}
