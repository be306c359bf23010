import * as v from "valibot";
import type { Auth } from "../core/auth.ts";
import { mintToken } from "../core/issue.ts";
import { type ListedToken, listTokens } from "../core/list.ts";
import { renameToken } from "../core/rename.ts";
import { revokeAllTokens, revokeOtherTokens, revokeToken } from "../core/revoke.ts";
import { rotateToken } from "../core/rotate.ts";
import type { Denial } from "../ports/dialect.ts";
import { isTokenName, MAX_NAME } from "../pure/name.ts";
import type { Principal, Token } from "../pure/record.ts";
import { MAX_SCOPES, SCOPE } from "../pure/scope.ts";
import { jsonAnswer, toResponse } from "./answer.ts";
import type { EndpointRequest } from "./body.ts";
import { answerAlike, answerEnd } from "./cookie.ts";
import { dialectOf, type Endpoint, parseInput, readInput } from "./endpoint.ts";
import { charField, refuseField } from "./field.ts";
import {
  type AuthenticatedGuardOptions,
  createDenier,
  createGuard,
  createTokenReader,
} from "./guard.ts";
import { readId, readQuery, type Route } from "./route.ts";

const tokenName = v.pipe(
  v.unknown(),
  v.metadata({ charField: { trim: true, maxLength: MAX_NAME, singleLine: true } }),
  charField({ maxLength: MAX_NAME }),
  v.check(isTokenName, "Control characters are not allowed."),
);

const NO_SUCH_SCOPE = "There is no such scope.";

/** The longest lifetime that may be asked for: a century, in seconds. */
const MAX_SECONDS = 3_155_760_000;

const NewToken = v.object({
  name: v.optional(tokenName),
  scopes: v.optional(
    v.pipe(
      v.array(
        v.pipe(v.string("Not a valid string."), v.regex(SCOPE, NO_SUCH_SCOPE)),
        "Expected a list of scopes.",
      ),
      v.maxLength(MAX_SCOPES, `Ensure there are no more than ${MAX_SCOPES} scopes.`),
    ),
    [],
  ),
  expires_in: v.optional(
    v.pipe(
      v.number("A valid number of seconds is required."),
      v.integer("A valid number of seconds is required."),
      v.minValue(1, "Ensure this value is greater than or equal to 1."),
      v.maxValue(MAX_SECONDS, `Ensure this value is less than or equal to ${MAX_SECONDS}.`),
    ),
  ),
});

const Rename = v.object({ name: tokenName });

const Page = v.object({
  cursor: v.optional(v.string()),
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^(?:[1-9]\d?|100)$/, "Ensure this value is a whole number from 1 to 100."),
      v.transform(Number),
    ),
  ),
});

/** The endpoints with which users look after their tokens. */
export function createTokenRoutes<Scope extends string>(
  auth: Auth<Scope>,
  options: AuthenticatedGuardOptions<Scope>,
): readonly Route[] {
  const dialect = dialectOf(auth);
  const check = createGuard(auth, options);
  const readToken = createTokenReader(auth, options);
  const guarded = (
    handle: (principal: Principal<Scope>, request: EndpointRequest) => Promise<Response>,
  ): Endpoint =>
  async (request) => {
    const result = await check(request);
    return result.ok ? await handle(result.value, request) : toResponse(result.failure);
  };
  const refuse = createDenier(auth, options);
  const deny = (denial: Denial) => toResponse(refuse(denial));
  const refused = { 401: "The token does not hold.", 403: "The token may not do this." };

  return [
    {
      name: "listTokens",
      method: "GET",
      path: "/tokens/",
      summary: "Lists the tokens of the user, the newest first, without their texts.",
      body: null,
      query: Page,
      guarded: true,
      answers: {
        200: "A part of the list, and the cursor of the next one.",
        400: "The cursor or the limit is not right.",
        ...refused,
      },
      answer: guarded(async ({ token }, request) => {
        const query = parseInput(Page, readQuery(request));
        if (!query.ok) return deny({ reason: "invalid_input", errors: query.failure });
        const { cursor, limit } = query.value;
        const list = await listTokens(auth, token.owner, {
          ...(cursor === undefined ? {} : { cursor }),
          ...(limit === undefined ? {} : { limit }),
        });
        if (!list.ok) return deny(refuseField("cursor", "Not a valid cursor."));
        const { tokens, next } = list.value;
        return json(200, { tokens: tokens.map((one) => writeListed(one, token.id)), next });
      }),
    },
    {
      name: "createToken",
      method: "POST",
      path: "/tokens/",
      summary: "Makes a token with at most the scopes and the lifetime of the one that asks.",
      body: NewToken,
      query: null,
      guarded: true,
      answers: {
        201: "The new token, whose text is shown this once.",
        400: "A field is not right.",
        ...refused,
        403: "The token may not do this, or there are as many tokens as there may be.",
      },
      answer: guarded(async (principal, request) => {
        const input = await readInput(dialect, NewToken, request);
        if (input instanceof Response) return input;
        const { name = "", scopes, expires_in } = input.value;
        const known = scopes.filter(auth.isScope);
        if (known.length < scopes.length) return deny(refuseField("scopes", NO_SUCH_SCOPE));
        const minted = await mintToken(auth, principal, {
          name,
          scopes: known,
          ...(expires_in === undefined ? {} : { expiresIn: expires_in * 1000 }),
        });
        if (!minted.ok) {
          return minted.failure.reason === "token_limit"
            ? deny({ reason: "token_limit" })
            : deny({ reason: "permission_denied", message: SCOPE_EXCEEDED, scopes: known });
        }
        const { text, token } = minted.value;
        return json(201, { token: text.reveal(), ...writeToken(token) });
      }),
    },
    {
      name: "renameToken",
      method: "PATCH",
      path: "/tokens/{id}/",
      summary: "Gives a token of the user another name.",
      body: Rename,
      query: null,
      guarded: true,
      answers: {
        204: "It has the name.",
        400: "The name is not right.",
        404: "The user has no such token.",
        ...refused,
      },
      answer: guarded(async ({ token }, request) => {
        const input = await readInput(dialect, Rename, request);
        if (input instanceof Response) return input;
        const renamed = await renameToken(
          auth,
          token.owner,
          readId(request) ?? "",
          input.value.name,
        );
        return renamed ? done() : deny({ reason: "not_found" });
      }),
    },
    {
      name: "revokeToken",
      method: "DELETE",
      path: "/tokens/{id}/",
      summary: "Revokes a token of the user, at once and for ever.",
      body: null,
      query: null,
      guarded: true,
      answers: {
        204: "It is revoked.",
        404: "The user has no such token that is not revoked.",
        ...refused,
      },
      answer: guarded(async ({ token }, request) => {
        const id = readId(request) ?? "";
        const revoked = await revokeToken(auth, id, { owner: token.owner });
        return revoked ? done() : deny({ reason: "not_found" });
      }),
    },
    {
      name: "rotateToken",
      method: "POST",
      path: "/tokens/rotate/",
      summary: "Replaces the token that asks by a successor; both hold for a while.",
      body: null,
      query: null,
      guarded: true,
      answers: { 200: "The successor. Asking again gives the same.", ...refused },
      answer: guarded(async (_principal, request) => {
        const rotated = await rotateToken(auth, readToken(request));
        if (!rotated.ok) return deny(rotated.failure);
        return answerAlike(auth, options.cookie, request, rotated.value);
      }),
    },
    {
      name: "logoutAll",
      method: "POST",
      path: "/logout/all/",
      summary: "Revokes every token of the user, also the one that asks.",
      body: null,
      query: null,
      guarded: true,
      answers: { 204: "No token of the user holds.", ...refused },
      answer: guarded(async ({ token }) => {
        await revokeAllTokens(auth, token.owner, "logged_out");
        return answerEnd(options.cookie);
      }),
    },
    {
      name: "logoutOthers",
      method: "POST",
      path: "/logout/others/",
      summary: "Revokes every token of the user but the one that asks.",
      body: null,
      query: null,
      guarded: true,
      answers: { 204: "Only the token that asked holds.", ...refused },
      answer: guarded(async (principal) => {
        await revokeOtherTokens(auth, principal);
        return done();
      }),
    },
  ];
}

const SCOPE_EXCEEDED = "A token cannot make one that may do more than itself.";

/** A token as the wire shows it: times as ISO 8601 texts. */
export function writeToken(token: Token): Record<string, unknown> {
  return {
    id: token.id,
    name: token.name,
    hint: token.hint,
    scopes: token.scopes,
    created_at: writeTime(token.createdAt),
    last_used_at: writeTime(token.lastUsedAt),
    expires_at: writeTime(token.expiresAt),
  };
}

function writeListed(token: ListedToken, current: string): Record<string, unknown> {
  return {
    ...writeToken(token),
    status: token.status,
    revoked_at: writeTime(token.revokedAt),
    revoked_reason: token.revokedReason,
    current: token.id === current,
  };
}

function writeTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

function json(status: number, value: unknown): Response {
  return toResponse(jsonAnswer(status, value));
}

function done(): Response {
  return new Response(null, { status: 204 });
}
