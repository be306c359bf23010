import {
  allowAny,
  and,
  hasScopes,
  isAdminUser,
  isAuthenticated,
  isAuthenticatedOrReadOnly,
  not,
  or,
  type Permission,
  permission,
  type Principal,
} from "latchkey";
import { describe, expect, it } from "vitest";

const token = {
  id: "t",
  owner: "1",
  epoch: 0,
  family: "t",
  name: "",
  hint: "lk_abcd",
  scopes: ["read", "write"],
  createdAt: 0,
  expiresAt: null,
  idleTimeout: null,
  lastUsedAt: null,
};
const user = { id: "1", username: "ada", isActive: true, isStaff: false, isSuperuser: false };
const callers: Record<string, Principal | null> = {
  anonymous: null,
  user: { user, token },
  staff: { user: { ...user, isStaff: true }, token },
  superuser: { user: { ...user, isSuperuser: true }, token },
  scopeless: { user, token: { ...token, scopes: [] } },
};
const never = permission(() => false, "Never.");

describe("a permission", () => {
  it.each<[string, Permission, string, string]>([
    ["allowAny", allowAny, "GET", "anonymous user staff superuser scopeless"],
    ["isAuthenticated", isAuthenticated, "GET", "user staff superuser scopeless"],
    ["isAdminUser", isAdminUser, "GET", "staff"],
    [
      "isAuthenticatedOrReadOnly reading",
      isAuthenticatedOrReadOnly,
      "HEAD",
      "anonymous user staff superuser scopeless",
    ],
    [
      "isAuthenticatedOrReadOnly writing",
      isAuthenticatedOrReadOnly,
      "POST",
      "user staff superuser scopeless",
    ],
    [
      "isAuthenticatedOrReadOnly, method in lower case",
      isAuthenticatedOrReadOnly,
      "get",
      "user staff superuser scopeless",
    ],
    ["hasScopes of one", hasScopes(["read"]), "GET", "user staff superuser"],
    ["hasScopes of all", hasScopes(["read", "admin"]), "GET", ""],
    [
      "hasScopes of any",
      hasScopes(["read", "admin"], { any: true }),
      "GET",
      "user staff superuser",
    ],
    ["A6: hasScopes of all of none", hasScopes([]), "GET", "user staff superuser scopeless"],
    ["A6: hasScopes of any of none", hasScopes([], { any: true }), "GET", ""],
    ["A5: hasScopes of a prefix", hasScopes(["rea"]), "GET", ""],
    ["A5: hasScopes in another case", hasScopes(["READ"]), "GET", ""],
    ["A5: hasScopes of a property of objects", hasScopes(["constructor"]), "GET", ""],
    ["and", and(isAuthenticated, isAdminUser), "GET", "staff"],
    [
      "or",
      or(isAdminUser, isAuthenticatedOrReadOnly),
      "GET",
      "anonymous user staff superuser scopeless",
    ],
    ["or of refusals", or(isAdminUser, never), "GET", "staff"],
    ["not", not(isAuthenticated), "GET", "anonymous"],
    ["not of and", not(and(isAuthenticated, hasScopes(["read"]))), "GET", "anonymous scopeless"],
    ["your own", never, "GET", ""],
  ])("%s lets the right callers pass", (_name, { check }, method, passing) => {
    const passed = Object.entries(callers).filter(([, principal]) =>
      check({ principal, method }) === null
    );
    expect(passed.map(([name]) => name).join(" ")).toBe(passing);
  });

  it("and() gives the first refusal's reason, or() the first operand's", () => {
    const request = { principal: null, method: "GET" };
    expect(and(allowAny, never, isAdminUser).check(request)).toEqual({ message: "Never." });
    expect(or(hasScopes(["read"]), never).check(request)).toEqual({ scopes: ["read"] });
  });

  it("says whether passing means authenticated, so that a guard's types can follow", () => {
    const demanding = [
      and(isAuthenticated, never),
      and(never, isAdminUser),
      or(isAdminUser, hasScopes(["a"])),
    ];
    const open = [and(allowAny, never), or(isAdminUser, allowAny), not(isAuthenticated), never];
    for (const one of demanding) expect(one).toHaveProperty("authenticated", true);
    for (const one of open) expect(one).not.toHaveProperty("authenticated");
  });
});
