import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { grantToken } from "../core/grant.ts";
import type { IssueOptions } from "../core/issue.ts";
import { changePassword, type ChangePasswordFailure } from "../core/users.ts";
import type { Denial } from "../ports/dialect.ts";
import { jsonAnswer, toResponse } from "./answer.ts";
import { findClientAddress } from "./client_address.ts";
import { answerAlike } from "./cookie.ts";
import { dialectOf, readInput, respond } from "./endpoint.ts";
import { charField, refuseField } from "./field.ts";
import { type AuthenticatedGuardOptions, createGuard } from "./guard.ts";
import { createLogout } from "./logout.ts";
import { createObtainToken, Credentials } from "./obtain_token.ts";
import type { Route } from "./route.ts";
import { writeToken } from "./token_routes.ts";

const NewPassword = v.object({
  current_password: charField({ trim: false }),
  new_password: charField({ trim: false }),
});

/** Who may do what with an account, and what a login gives. */
export interface AccountOptions<Scope extends string> {
  readonly login: IssueOptions<Scope>;
  readonly guard: AuthenticatedGuardOptions<Scope>;
  readonly managed: AuthenticatedGuardOptions<Scope>;
}

/** The endpoints of an account: log in and out, who am I, change the password. */
export function createAccountRoutes<Scope extends string>(
  auth: Auth<Scope>,
  { login, guard, managed }: AccountOptions<Scope>,
): readonly Route[] {
  const dialect = dialectOf(auth);
  const { cookie } = guard;
  const check = createGuard(auth, guard);
  const checkManaged = createGuard(auth, managed);
  return [
    {
      name: "login",
      method: "POST",
      path: "/login/",
      summary: "Gives a token for a username and a password.",
      body: Credentials,
      query: null,
      guarded: false,
      answers: {
        ...(cookie === undefined ? { 200: "A token." } : { 204: "The token is in the cookie." }),
        400: "They do not match, or a field is not right.",
        403: "There are as many tokens as there may be.",
        429: "There were too many attempts.",
      },
      answer: createObtainToken(auth, cookie === undefined ? login : { ...login, cookie }),
    },
    {
      name: "logout",
      method: "POST",
      path: "/logout/",
      summary: "Revokes the token that asks.",
      body: null,
      query: null,
      guarded: true,
      answers: { 204: "It is revoked.", 401: "The token does not hold." },
      answer: createLogout(auth, guard),
    },
    {
      name: "whoAmI",
      method: "GET",
      path: "/me/",
      summary: "Tells whose the token is, and what it may do.",
      body: null,
      query: null,
      guarded: true,
      answers: { 200: "The user and the token.", 401: "The token does not hold." },
      async answer(request) {
        const result = await check(request);
        if (!result.ok) return toResponse(result.failure);
        const { user, token } = result.value;
        const { id, username, isStaff, isSuperuser } = user;
        return toResponse(jsonAnswer(200, {
          user: { id, username, is_staff: isStaff, is_superuser: isSuperuser },
          token: writeToken(token),
        }));
      },
    },
    {
      name: "changePassword",
      method: "POST",
      path: "/password/",
      summary: "Changes the password of whoever knows the current one, and gives a new token.",
      body: NewPassword,
      query: null,
      guarded: true,
      answers: {
        200: "A new token; all others of the user are revoked.",
        400: "The current password is wrong, or the new one cannot be used.",
        401: "The token does not hold.",
        403: "The token may not do this, or there are as many tokens as there may be.",
        409: "The password was changed meanwhile.",
        429: "There were too many attempts.",
      },
      async answer(request) {
        const result = await checkManaged(request);
        if (!result.ok) return toResponse(result.failure);
        const input = await readInput(dialect, NewPassword, request);
        if (input instanceof Response) return input;
        const { current_password: current, new_password: next } = input.value;
        const { user, token } = result.value;
        const address = findClientAddress(request, auth.trustedProxies);
        const changed = await changePassword(auth, user.id, { current, next, address });
        if (!changed.ok) return respond(dialect, denialOf(changed.failure));
        const granted = await grantToken(auth, changed.value, { scopes: token.scopes });
        if (!granted.ok) return respond(dialect, { reason: "token_limit" });
        return answerAlike(auth, cookie, request, granted.value);
      },
    },
  ];
}

function denialOf(failure: ChangePasswordFailure): Denial {
  switch (failure.reason) {
    case "throttled":
      return failure;
    case "changed_meanwhile":
      return { reason: "changed_meanwhile" };
    case "password_refused":
      return refuseField("new_password", ...failure.problems.map(({ message }) => message));
    case "password_blank":
    case "password_malformed":
    case "password_too_long":
      return refuseField("new_password", "This password cannot be used.");
    case "malformed_credentials":
    case "wrong_password":
    case "no_password":
    case "unknown_user":
    case "inactive_user":
      return refuseField("current_password", "This password is not correct.");
  }
}
