import type { Auth } from "../core/auth.ts";
import type { IssuedToken } from "../core/issue.ts";
import type { Token } from "../pure/record.ts";
import { toResponse } from "./answer.ts";
import { type Credentials, MAX_HEADER } from "./authorization.ts";
import { dialectOf } from "./endpoint.ts";
import type { GuardRequest } from "./guard_request.ts";

/** Which pages may use the cookie, and what it is called. */
export interface CookieOptions {
  /**
   * The origins whose pages may send the cookie with unsafe methods, and log in:
   * scheme, host and port as a browser writes them, such as
   * `https://app.example.com`. They and the API must be of one site, or browsers
   * do not send the cookie. Nothing is derived from `Host`; `http:` is for `localhost` alone.
   */
  readonly origins: readonly [string, ...string[]];
  /** The name of the cookie, which must begin with `__Host-`; `__Host-token` when absent. */
  readonly name?: string;
  /** `strict` also withholds the cookie where a link of another site leads here; `lax` when absent. */
  readonly sameSite?: "lax" | "strict";
}

/** What a request says where it may carry a token in more than one place. */
export type CarriedCredentials =
  | Credentials
  | {
    readonly kind: "malformed";
    readonly reason: "several_credentials" | "foreign_origin";
  };

/** Carries tokens in a cookie. Made by {@link cookieTransport}. */
export interface CookieTransport {
  /** Reads the token of a request whose headers say `inHeaders`; with a cookie alone the origin must be right. */
  readonly read: (request: GuardRequest, inHeaders: CarriedCredentials) => CarriedCredentials;
  /** Whether a request of an unsafe method is not proven to come from one of the origins. */
  readonly isForeign: (request: GuardRequest) => boolean;
  /** The `Set-Cookie` that gives a token to the browser, for as long as the token holds. */
  readonly write: (text: string, token: Pick<Token, "expiresAt">, now: number) => string;
  /** The `Set-Cookie` that takes it away. */
  readonly clear: () => string;
}

/** What the headers of a request say that has nothing in them. */
export const ABSENT: Credentials = { kind: "absent" };

/**
 * Carries the token in a cookie that no script can read, for clients that are browsers.
 *
 * For `cookie` of a guard, a login, a logout and the self-service; nothing reads
 * a cookie without it. The cookie is `__Host-`, `Secure`, `HttpOnly` and
 * `SameSite`, for this host alone, and ends when the token does at the latest; with
 * a token that never expires it ends with the browser.
 *
 * A guard with it accepts the header and the cookie; neither goes before the
 * other: with the same token in both a request passes, with two it is refused
 * (`several_credentials`), whosever they are, and so is one with two cookies of the
 * name. Where the cookie stands alone, a request of any method but `GET`,
 * `HEAD` and `OPTIONS`, and one that opens a WebSocket, must be proven to come from
 * one of the origins (else `foreign_origin`): `Origin` is one of them, character for
 * character, and `Sec-Fetch-Site`, where it is sent, says `same-origin` or
 * `same-site`; without `Origin` it must say `same-origin`. `Origin: null` is refused, which
 * a form sends from a page with `Referrer-Policy: no-referrer`. So `GET` must not change anything.
 *
 * A login with it checks the origin the same way, also without a cookie. The
 * library adds no CORS headers and no `Vary`: its own answers are `no-store`, and
 * yours to a request with a cookie should be `private` or `no-store`, because caches
 * do not hold them back as they do with `Authorization`.
 *
 * @throws {TypeError | RangeError} when there is no origin, one is not written as a browser
 * writes it, or the name or `sameSite` cannot be used
 *
 * @example
 * ```ts
 * import { cookieTransport, createGuard, createUser, defineAuth, issueToken } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const cookie = cookieTransport({ origins: ["https://app.example.com"] });
 * const guard = createGuard(auth, { cookie });
 * const user = await createUser(auth, { username: "ada", password: "correct horse battery" });
 * const issued = await issueToken(auth, user.ok ? user.value : "");
 * const text = issued.ok ? issued.value.text.reveal() : "";
 * const headers = new Headers({ Cookie: `__Host-token=${text}` });
 * console.log((await guard({ method: "GET", headers })).ok); // true
 * console.log((await guard({ method: "POST", headers })).ok); // false
 * headers.set("Origin", "https://app.example.com");
 * console.log((await guard({ method: "POST", headers })).ok); // true
 * ```
 */
export function cookieTransport(
  { origins, name = "__Host-token", sameSite = "lax" }: CookieOptions,
): CookieTransport {
  const allowed = new Set(checkOrigins(origins));
  if (!/^__Host-[\w.-]{1,64}$/.test(name)) {
    throw new RangeError("Cannot use this cookie name: expected __Host- and letters after it");
  }
  if (sameSite !== "lax" && sameSite !== "strict") {
    throw new RangeError('Cannot use this sameSite: expected "lax" or "strict"');
  }
  const site = sameSite === "lax" ? "Lax" : "Strict";
  const write = (text: string, maxAge: string) =>
    `${name}=${checkText(text)}; Path=/; Secure; HttpOnly; SameSite=${site}${maxAge}`;
  const isForeign = (request: GuardRequest) => isUnsafe(request) && !isProven(request, allowed);
  return {
    isForeign,
    read(request, inHeaders) {
      const [text, another] = listValues(request.headers.get("cookie") ?? "", name);
      if (text === undefined || inHeaders.kind === "malformed") return inHeaders;
      if (another !== undefined) return malformed("several_credentials");
      if (inHeaders.kind === "present") {
        return inHeaders.text === text ? inHeaders : malformed("several_credentials");
      }
      if (isForeign(request)) return malformed("foreign_origin");
      return text.length > MAX_HEADER
        ? { kind: "malformed", reason: "credentials_too_long" }
        : { kind: "present", text };
    },
    write: (text, { expiresAt }, now) =>
      write(text, expiresAt === null ? "" : `; Max-Age=${toSeconds(expiresAt - now)}`),
    clear: () => write("", "; Max-Age=0"),
  };
}

/** Hands out a new token the way the request carried its own: in the cookie, or in the body. */
export function answerAlike<Scope extends string>(
  auth: Auth<Scope>,
  cookie: CookieTransport | undefined,
  request: GuardRequest,
  { text, token }: IssuedToken<NoInfer<Scope>>,
): Response {
  const now = auth.now();
  return cookie === undefined || cookie.read(request, ABSENT).kind === "absent"
    ? toResponse(dialectOf(auth).grant(text.reveal(), token, now))
    : setCookie(cookie.write(text.reveal(), token, now));
}

/** Answers that a token has ended, and takes the cookie away where there may be one. */
export function answerEnd(cookie: CookieTransport | undefined): Response {
  return cookie === undefined ? new Response(null, { status: 204 }) : setCookie(cookie.clear());
}

/** An answer that is a cookie and nothing else: a script that sees it sees no token. */
export function setCookie(text: string): Response {
  return new Response(null, { status: 204, headers: { "Set-Cookie": text } });
}

function malformed(reason: "several_credentials" | "foreign_origin"): CarriedCredentials {
  return { kind: "malformed", reason };
}

/** A browser sends cookies with the `GET` that opens a WebSocket, and lets every page open one. */
function isUnsafe({ method, headers }: GuardRequest): boolean {
  return !/^(?:GET|HEAD|OPTIONS)$/.test(method) || headers.get("upgrade") !== null;
}

function isProven({ headers }: GuardRequest, allowed: ReadonlySet<string>): boolean {
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  if (origin === null) return site === "same-origin";
  // A cross-site page is refused even where it is named: no browser would keep or send it this cookie.
  return allowed.has(origin) && (site === null || /^same-(?:origin|site)$/.test(site));
}

/**
 * The values of all cookies of a name, as they are: nothing is decoded or unquoted.
 *
 * Pairs end at a semicolon, whatever quotes or commas say, because a cookie of another
 * name may have been planted to hide one in its value; and only the space that a
 * browser sends is skipped, because others, such as U+2000, may begin a planted name.
 */
function listValues(header: string, name: string): readonly string[] {
  return header.split(";").flatMap((pair) => {
    const trimmed = pair.replace(/^[ \t]+/, "");
    return trimmed.startsWith(`${name}=`) ? [trimmed.slice(name.length + 1)] : [];
  });
}

function toSeconds(milliseconds: number): number {
  return Math.max(0, Math.floor(milliseconds / 1000));
}

/** The `cookie-octet` of RFC 6265 §4.1.1. */
function checkText(text: string): string {
  if (!/^[!#-+\--:<-[\]-~]*$/.test(text)) {
    throw new RangeError("Cannot write tokens into a cookie: their format has other characters");
  }
  return text;
}

function checkOrigins(origins: readonly string[]): readonly string[] {
  if (!Array.isArray(origins) || origins.length === 0) {
    throw new TypeError("Cannot use a cookie from nowhere: name an origin of your pages");
  }
  if (!origins.every(isOrigin)) {
    throw new RangeError(
      "Cannot use these origins: expected each as browsers write it, such as https://app.example.com",
    );
  }
  return origins;
}

/** Small letters, no port that goes without saying, no slash at the end, no wildcard. */
function isOrigin(text: string): boolean {
  if (!/^(?:https:\/\/[^*]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?)$/.test(text)) {
    return false;
  }
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}
