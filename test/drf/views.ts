/** The recorded application's views, written once; each server only mounts them. */
import {
  allowAny,
  and,
  type Answer,
  charField,
  defineEndpoint,
  drf,
  type Endpoint,
  findClientAddress,
  grantToken,
  type GuardOptions,
  isAdminUser,
  isAuthenticated,
  isAuthenticatedOrReadOnly,
  jsonAnswer,
  not,
  type ObtainTokenOptions,
  or,
  permission,
  type Principal,
  type Throttle,
  throttle,
  toResponse,
  verifyPassword,
} from "latchkey";
import * as v from "valibot";
import type { World } from "./world.ts";

/** Who may see a view, and what it is. */
export interface View {
  readonly path: string;
  readonly guard: GuardOptions;
  /** Whether the recorded view takes a Django session, and if so, before or after the token. */
  readonly session: "no" | "first" | "last";
  /** What the view answers `Allow`; every other method is a 405. */
  readonly methods: readonly string[];
  readonly kind: "secret" | "whoami";
}

/** A path that answers a login. */
export interface LoginView {
  readonly path: string;
  /** `tutorial` is application code on the library's own operations. */
  readonly kind: "obtain" | "tutorial";
  readonly allow: string;
  /** Of the library's endpoint. */
  readonly options: ObtainTokenOptions;
}

/** What the servers mount. */
export const loginViews: readonly LoginView[] = [
  obtain("/api/get-token/"),
  obtain("/x/obtain-noauth/"),
  obtain("/x/throttled-get-token/", { throttle: throttle({ anonymous: "2/min" }) }),
  { path: "/api/login/", kind: "tutorial", allow: "POST, OPTIONS", options: {} },
];

function obtain(path: string, options: ObtainTokenOptions = {}): LoginView {
  return { path, kind: "obtain", allow: "POST, OPTIONS", options };
}

/** The guard in front of the tutorial's login: a bad token fails it, as in the recording. */
export const loginGuard: GuardOptions = { permissions: [allowAny] };

/** The views of a world, by path. */
export function listViews(world: World): readonly View[] {
  const magic = permission(() => false, "Magic is required.");
  const modelPermission = (anonymousRead: boolean) =>
    permission(({ principal, method }) => mayChangeUsers(world, principal, method, anonymousRead));
  const either = or(isAdminUser, isAuthenticatedOrReadOnly);
  return [
    {
      path: "/api/secret-info/",
      guard: {},
      session: "no",
      methods: ["GET", "HEAD", "OPTIONS"],
      kind: "secret",
    },
    whoami("whoami"),
    whoami("bearer", { schemes: ["Bearer"] }),
    whoami("apikey", { schemes: ["Api-Key"] }),
    whoami("mixedcase", { schemes: ["tOkEn"] }),
    whoami("token-bearer", { schemes: ["Token", "Bearer"] }),
    whoami("bearer-token", { schemes: ["Bearer", "Token"] }),
    whoami("allowany", { permissions: [allowAny] }),
    whoami("noperms", { permissions: [allowAny] }),
    whoami("admin-only", { permissions: [isAdminUser] }),
    whoami("read-only", { permissions: [isAuthenticatedOrReadOnly] }),
    whoami("and", { permissions: [and(isAuthenticated, isAdminUser)] }),
    whoami("or", { permissions: [either] }),
    whoami("not", { permissions: [not(isAuthenticated)] }),
    whoami("magic", { permissions: [magic] }),
    whoami("auth-then-magic", { permissions: [isAuthenticated, magic] }),
    whoami("modelperm", { permissions: [modelPermission(false)] }),
    whoami("modelperm-anonread", { permissions: [modelPermission(true)] }),
    whoami("noauth", { schemes: [] }),
    whoami("noauth-allowany", { schemes: [], permissions: [allowAny] }),
    whoami("token-session", {}, "last"),
    whoami("session-token", { challenge: false }, "first"),
    whoami("session", SESSION_ONLY, "first"),
    whoami("session-allowany", { ...SESSION_ONLY, permissions: [allowAny] }, "first"),
    whoami("token-basic"),
    whoami("basic-token"),
    whoami("session-basic", SESSION_ONLY, "first"),
    whoami("noheader-token", { schemes: ["Token"], challenge: false }),
    whoami("session-token-admin", { challenge: false, permissions: [isAdminUser] }, "first"),
    whoami("throttle-anon", {
      permissions: [allowAny],
      throttle: throttle({ anonymous: "2/min" }),
    }),
    whoami("throttle-user", { throttle: throttle({ user: "2/min" }) }),
    whoami("throttle-never", { throttle: refuseAlways }),
  ];
}

/** A throttle of the application's own: no waiting helps. */
const refuseAlways: Throttle = () =>
  Promise.resolve({
    reason: "throttled",
    retryAfter: Infinity,
    limit: { max: 0, window: Infinity },
  });

/** The library knows neither sessions nor Basic: such a view has a scheme that nobody sends. */
const SESSION_ONLY: GuardOptions = { schemes: ["Session-Only"], challenge: false };

function whoami(name: string, guard: GuardOptions = {}, session: View["session"] = "no"): View {
  const methods = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"];
  return { path: `/x/${name}/`, guard, session, methods, kind: "whoami" };
}

/** Django's model permissions on its user model: reading is free, writing needs add, change or delete. */
function mayChangeUsers(
  world: World,
  principal: Principal | null,
  method: string,
  anonymousRead: boolean,
): boolean {
  const needed: Readonly<Record<string, string>> = {
    POST: "add",
    PUT: "change",
    PATCH: "change",
    DELETE: "delete",
  };
  const verb = needed[method];
  if (principal === null) return anonymousRead && verb === undefined;
  if (verb === undefined || principal.user.isSuperuser) return true;
  return verb === "add" && world.canAddUsers(principal.user.id);
}

/** Answers a request that the guard has let pass. */
export async function answerView(
  { kind, methods, guard }: View,
  world: World,
  request: {
    readonly method: string;
    readonly authorization: string | null;
    readonly principal: Principal | null;
  },
): Promise<Answer> {
  const { method, authorization, principal } = request;
  if (!methods.includes(method)) {
    return drf().deny({ reason: "method_not_allowed", method }, null);
  }
  if (method === "OPTIONS") return kind === "secret" ? SECRET_INFO : WHO_AM_I;
  if (kind === "secret") return jsonAnswer(200, { hello: "World" });
  return jsonAnswer(200, {
    user: principal?.user.username ?? "AnonymousUser",
    authenticated: principal !== null,
    auth: principal === null ? null : `Token:${await world.revealKey(principal)}`,
    authenticator: principal === null ? null : nameClass(guard, authorization),
  });
}

/** Stands for the name of a Python class that no recording in the repository shows. */
export const SOME_CLASS = "<a class of the application>";

/** The application's name for the scheme that authenticated. */
function nameClass({ schemes, challenge }: GuardOptions, authorization: string | null): string {
  const word = authorization?.trim().split(/\s/, 1)[0]?.toLowerCase();
  const scheme = (schemes ?? ["Token"]).find((one) => one.toLowerCase() === word);
  if (scheme === "Bearer") return "BearerAuth";
  return scheme === "Token" && (challenge !== false || schemes === undefined)
    ? "TokenAuthentication"
    : SOME_CLASS;
}

const PARSES = [
  "application/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data",
];

const SECRET_INFO = jsonAnswer(200, {
  name: "Secret Info",
  description: "",
  renders: ["application/json", "text/html"],
  parses: PARSES,
});

const WHO_AM_I = jsonAnswer(200, {
  name: "Who Am I",
  description: "Who.",
  renders: ["application/json"],
  parses: PARSES,
});

const LOGIN = jsonAnswer(200, {
  name: "Login",
  description: "",
  renders: ["application/json", "text/html"],
  parses: PARSES,
});

/** The tutorial's own login view: criteria of its own, the library's operations. */
export function tutorialLogin({ auth }: World): Endpoint {
  const endpoint = defineEndpoint(auth, {
    schema: v.object({
      username: charField({ maxLength: 20 }),
      password: charField({ maxLength: 20 }),
    }),
    async handle(credentials, request) {
      const address = findClientAddress(request, auth.trustedProxies);
      const verified = await verifyPassword(auth, { ...credentials, address });
      if (!verified.ok && verified.failure.reason === "throttled") return verified.failure;
      if (!verified.ok) return toResponse(jsonAnswer(400, { msg: "Invalid username/password" }));
      const granted = await grantToken(auth, verified.value);
      if (!granted.ok) throw new Error(`Cannot grant a token: ${granted.failure.reason}`);
      return toResponse(jsonAnswer(200, { token: granted.value.text.reveal() }));
    },
  });
  return async (request) =>
    request.method === "OPTIONS" ? toResponse(LOGIN) : await endpoint(request);
}
