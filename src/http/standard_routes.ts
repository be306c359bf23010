import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { revokeToken } from "../core/revoke.ts";
import { type HeldToken, lookUpToken } from "../core/verify.ts";
import { jsonAnswer, toResponse } from "./answer.ts";
import { dialectOf, type Endpoint, readInput } from "./endpoint.ts";
import { type AuthenticatedGuardOptions, createGuard } from "./guard.ts";
import type { Route } from "./route.ts";

const TokenForm = v.object({
  token: v.string("Not a valid string."),
  token_type_hint: v.optional(v.string("Not a valid string.")),
});

/** The endpoints of the standards: revocation (RFC 7009) and, where it is asked for, introspection (RFC 7662). */
export function createStandardRoutes<Scope extends string>(
  auth: Auth<Scope>,
  introspect: AuthenticatedGuardOptions<Scope> | undefined,
): readonly Route[] {
  const revocation: Route = {
    name: "revoke",
    method: "POST",
    path: "/revoke/",
    summary: "Revokes the token in the body, for whoever holds it (RFC 7009).",
    body: TokenForm,
    query: null,
    guarded: false,
    answers: { 200: "It does not hold, whether it did before or not.", 400: "There is no token." },
    answer: createRevocation(auth),
  };
  if (introspect === undefined) return [revocation];
  return [revocation, {
    name: "introspect",
    method: "POST",
    path: "/introspect/",
    summary: "Tells a resource server whose the token in the body is (RFC 7662).",
    body: TokenForm,
    query: null,
    guarded: true,
    answers: {
      200: "What is known of the token; only that it is not active, when it does not hold.",
      400: "There is no token.",
      401: "The token that asks does not hold.",
      403: "The token that asks may not do this.",
    },
    answer: createIntrospection(auth, introspect),
  }];
}

function createRevocation<Scope extends string>(auth: Auth<Scope>): Endpoint {
  const dialect = dialectOf(auth);
  return async (request) => {
    const input = await readInput(dialect, TokenForm, request);
    if (input instanceof Response) return input;
    const held = await lookUpToken(auth, input.value.token);
    if (held.ok) {
      const { id, owner } = held.value.principal.token;
      await revokeToken(auth, id, { owner });
    }
    return new Response(null, { status: 200 });
  };
}

function createIntrospection<Scope extends string>(
  auth: Auth<Scope>,
  options: AuthenticatedGuardOptions<Scope>,
): Endpoint {
  const dialect = dialectOf(auth);
  const check = createGuard(auth, options);
  return async (request) => {
    const result = await check(request);
    if (!result.ok) return toResponse(result.failure);
    const input = await readInput(dialect, TokenForm, request);
    if (input instanceof Response) return input;
    const held = await lookUpToken(auth, input.value.token);
    return toResponse(jsonAnswer(200, held.ok ? describe(auth, held.value) : { active: false }));
  };
}

/** RFC 7662 §2.2: times are in seconds. */
function describe<Scope extends string>(
  auth: Auth<Scope>,
  { principal: { user, token } }: HeldToken,
): Record<string, unknown> {
  return {
    active: true,
    scope: token.scopes.filter(auth.isScope).join(" "),
    username: user.username,
    sub: user.id,
    jti: token.id,
    token_type: dialectOf(auth).scheme,
    iat: Math.floor(token.createdAt / 1000),
    ...(token.expiresAt === null ? {} : { exp: Math.floor(token.expiresAt / 1000) }),
  };
}
