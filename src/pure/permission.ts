import type { Principal } from "./record.ts";

/** What a permission looks at. */
export interface PermissionRequest {
  /** Who makes the request; `null` for an anonymous one. */
  readonly principal: Principal | null;
  /** The HTTP method, upper-case. */
  readonly method: string;
}

/** Why a permission refused. */
export interface Refusal<Scope extends string = string> {
  /** What the authenticated caller is told; the dialect's own sentence when absent. */
  readonly message?: string;
  /** The scopes that would have been needed. */
  readonly scopes?: readonly Scope[];
}

/** Decides whether a request passes, synchronously and without I/O. */
export interface Permission<Scope extends string = string> {
  /** `null` lets the request pass. */
  readonly check: (request: PermissionRequest) => Refusal<Scope> | null;
}

/** A permission that never lets an anonymous caller pass, so a guard that begins with it has a principal. */
export interface AuthenticatedPermission<Scope extends string = string> extends Permission<Scope> {
  /** Always `true`: what tells it from other permissions, for the compiler too. */
  readonly authenticated: true;
}

const SAFE_METHODS: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** Lets everybody pass, also anonymous callers. A bad credential is refused all the same. */
export const allowAny: Permission<never> = {
  check: () => null,
};

/** Lets every authenticated caller pass: what a guard demands when nothing else is said. */
export const isAuthenticated: AuthenticatedPermission<never> = {
  authenticated: true,
  check: ({ principal }) => (principal === null ? {} : null),
};

/** Lets staff pass. A superuser who is not staff is refused, as in Django. */
export const isAdminUser: AuthenticatedPermission<never> = {
  authenticated: true,
  check: ({ principal }) => (principal?.user.isStaff === true ? null : {}),
};

/** Lets everybody read (GET, HEAD, OPTIONS) and authenticated callers write. */
export const isAuthenticatedOrReadOnly: Permission<never> = {
  check: ({ principal, method }) => principal !== null || SAFE_METHODS.includes(method) ? null : {},
};

/**
 * Lets a token with all of these scopes pass, or with `{ any: true }` one that has at least one.
 *
 * Scopes are compared exactly. All of none passes every authenticated caller;
 * any of none passes nobody.
 */
export function hasScopes<const Scope extends string>(
  scopes: readonly Scope[],
  options: { readonly any?: boolean } = {},
): AuthenticatedPermission<Scope> {
  return {
    authenticated: true,
    check({ principal }) {
      const held = (scope: string) => principal?.token.scopes.includes(scope) === true;
      const passes = options.any === true ? scopes.some(held) : scopes.every(held);
      return principal !== null && passes ? null : { scopes };
    },
  };
}

/**
 * Makes a permission of your own.
 *
 * @param test Whether the request passes
 * @param message What an authenticated caller is told when it does not; never shown to anonymous ones
 *
 * @example
 * ```ts
 * import { permission } from "latchkey";
 *
 * const isOwnDomain = permission(
 *   ({ principal }) => principal?.user.username.endsWith("@example.com") === true,
 *   "Only for our own people.",
 * );
 * console.log(isOwnDomain.check({ principal: null, method: "GET" })?.message); // Only for our own people.
 * ```
 */
export function permission(
  test: (request: PermissionRequest) => boolean,
  message?: string,
): Permission<never> {
  const refusal: Refusal<never> = message === undefined ? {} : { message };
  return { check: (request) => (test(request) ? null : refusal) };
}

/**
 * Passes when all of the permissions pass; the first that refuses gives the reason.
 *
 * Put one that demands authentication first, and the guard's principal is never `null`.
 */
export function and<Scope extends string>(
  first: AuthenticatedPermission<Scope>,
  ...others: readonly Permission<Scope>[]
): AuthenticatedPermission<Scope>;
/** Passes when all of the permissions pass; the first that refuses gives the reason. */
export function and<Scope extends string>(
  ...permissions: readonly Permission<Scope>[]
): Permission<Scope>;
export function and(...permissions: readonly Permission[]): Permission {
  return combine(permissions.some(isDemanding), (request) => firstRefusal(permissions, request));
}

/** Passes when one of the permissions passes; otherwise the first one's refusal is the reason. */
export function or<Scope extends string>(
  ...permissions: readonly [AuthenticatedPermission<Scope>, ...AuthenticatedPermission<Scope>[]]
): AuthenticatedPermission<Scope>;
/** Passes when one of the permissions passes; otherwise the first one's refusal is the reason. */
export function or<Scope extends string>(
  ...permissions: readonly [Permission<Scope>, ...Permission<Scope>[]]
): Permission<Scope>;
export function or(...permissions: readonly [Permission, ...Permission[]]): Permission {
  return combine(permissions.every(isDemanding), (request) => {
    const passes = permissions.some(({ check }) => check(request) === null);
    return passes ? null : permissions[0].check(request);
  });
}

/** Passes when the permission refuses. */
export function not(refused: Permission): Permission<never> {
  return { check: (request) => (refused.check(request) === null ? {} : null) };
}

/** The first refusal of a list of permissions, or `null` when all pass. */
export function firstRefusal<Scope extends string>(
  permissions: readonly Permission<Scope>[],
  request: PermissionRequest,
): Refusal<Scope> | null {
  for (const { check } of permissions) {
    const refusal = check(request);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Whether a permission never lets an anonymous caller pass. */
function isDemanding(permission: Permission): permission is AuthenticatedPermission {
  return "authenticated" in permission && permission.authenticated === true;
}

function combine(authenticated: boolean, check: Permission["check"]): Permission {
  const demanding: AuthenticatedPermission = { authenticated: true, check };
  return authenticated ? demanding : { check };
}
