import type { Auth } from "../core/auth.ts";
import type { IssueOptions } from "../core/issue.ts";
import {
  type AuthenticatedPermission,
  isAuthenticated,
  type Permission,
} from "../pure/permission.ts";
import { createAccountRoutes } from "./account_routes.ts";
import { combineMethods, dialectOf, type Endpoint, finishAnswer, respond } from "./endpoint.ts";
import type { AuthenticatedGuardOptions } from "./guard.ts";
import { readPath, type Route } from "./route.ts";
import { createStandardRoutes } from "./standard_routes.ts";
import { createTokenRoutes } from "./token_routes.ts";

/** What the self-service offers, and to whom. */
export interface SelfServiceOptions<Scope extends string = string>
  extends Omit<AuthenticatedGuardOptions<Scope>, "permissions"> {
  /** Where it is mounted, such as `/api/auth`; `""` when absent. */
  readonly basePath?: string;
  /** What tokens a login hands out. */
  readonly login?: IssueOptions<Scope>;
  /**
   * Who may list, make, rename, rotate and revoke tokens, and change the
   * password; `[isAuthenticated]` when absent. With `[hasScopes(["tokens:write"])]` a token that
   * was made for a script cannot make others.
   */
  readonly manage?: readonly [AuthenticatedPermission<Scope>, ...Permission<Scope>[]];
  /** Who may ask whose a token is (RFC 7662), such as `[hasScopes(["tokens:introspect"])]`; nobody when absent. */
  readonly introspect?: readonly [AuthenticatedPermission<Scope>, ...Permission<Scope>[]];
}

/** The endpoints of the self-service, together and one by one. */
export interface SelfService {
  /** All of them, below `basePath`. */
  readonly endpoint: Endpoint;
  /** Each on its own, to be mounted anywhere; an id is the last part of the path. */
  readonly endpoints: Readonly<Record<string, Endpoint>>;
  /** What each is, for a description such as OpenAPI. */
  readonly routes: readonly Route[];
}

/**
 * Makes the endpoints with which users look after their tokens.
 *
 * Log in and out, list, make, rename, rotate and revoke tokens, see who one is,
 * change the password; RFC 7009 revocation; RFC 7662 introspection where it
 * is asked for. Whose tokens they are comes from the token of the request and
 * from nowhere else: another user's id and an unknown one are the same 404.
 *
 * With `cookie` a login answers with the cookie alone, and so do a rotation and a
 * change of the password where the request had one; both ways of logging out take it
 * away. Only a token that is made by name is still shown to the page that asks: `manage` says who may.
 *
 * @throws {TypeError | RangeError} when an option cannot work
 *
 * @example
 * ```ts
 * import { createSelfService, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const { endpoint } = createSelfService(auth, { basePath: "/api/auth" });
 * const response = await endpoint(new Request("https://example.com/api/auth/me/"));
 * console.log(response.status); // 401
 * ```
 */
export function createSelfService<Scope extends string>(
  auth: Auth<Scope>,
  options: SelfServiceOptions<NoInfer<Scope>> = {},
): SelfService {
  const { basePath = "", login = {}, manage = [isAuthenticated], introspect, ...guard } = options;
  if (!/^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)*$/.test(basePath)) {
    throw new RangeError("Cannot mount at this basePath: expected a path such as /api/auth");
  }
  const dialect = dialectOf(auth);
  const managed = { ...guard, permissions: manage };
  const routes = [
    ...createAccountRoutes(auth, { login, guard, managed }),
    ...createTokenRoutes(auth, managed),
    ...createStandardRoutes(auth, introspect && { ...guard, permissions: introspect }),
  ];
  // `/tokens/rotate/` must be found before `/tokens/{id}/`.
  const paths = [...new Set(routes.map(({ path }) => path))]
    .sort((one, other) => Number(one.includes("{")) - Number(other.includes("{")));
  const table = paths.map((path) => ({
    pattern: toPattern(path),
    endpoint: combineMethods(dialect, methodsOf(routes.filter((route) => route.path === path))),
  }));
  return {
    routes,
    endpoints: Object.fromEntries(
      routes.map((route) => [route.name, combineMethods(dialect, methodsOf([route]))]),
    ),
    async endpoint(request) {
      const pathname = readPath(request);
      const path = pathname.startsWith(`${basePath}/`) ? pathname.slice(basePath.length) : "";
      const found = table.find(({ pattern }) => pattern.test(path));
      return found === undefined
        ? finishAnswer(request, respond(dialect, { reason: "not_found" }))
        : await found.endpoint(request);
    },
  };
}

function methodsOf(routes: readonly Route[]): Record<string, Endpoint> {
  return Object.fromEntries(routes.map(({ method, answer }) => [method, answer]));
}

/** A path with or without the slash at its end; an id is letters and digits. */
function toPattern(path: string): RegExp {
  return new RegExp(`^${path.replace(/\/$/, "").replace("{id}", "[0-9A-Za-z]{1,64}")}/?$`);
}
