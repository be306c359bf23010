/** One small application, described once, that every target mounts. */
import {
  allowAny,
  type Auth,
  type AuthOptions,
  grantToken,
  type GuardOptions,
  isAdminUser,
  isAuthenticatedOrReadOnly,
  type ObtainTokenOptions,
  type Principal,
  revokeToken,
  setActive,
  throttle,
} from "latchkey";
import { makeAuth, makeUser, SECRET, seededNumbers } from "../fixture.ts";
import { issue } from "../http/issue.ts";

/** The login, and further mounts of it: one that waits less, one that takes more, and one that is throttled. */
export const logins: readonly { readonly path: string; readonly options: ObtainTokenOptions }[] = [
  { path: "/get-token", options: {} },
  { path: "/get-token-soon", options: { bodyTimeout: 100 } },
  { path: "/get-token-large", options: { maxBody: 4_194_304 } },
  { path: "/get-token-throttled", options: { throttle: throttle({ anonymous: "1/min" }) } },
];

/** Where the self-service is mounted; the frameworks split it among routers of theirs. */
export const SERVICE_PATH = "/api/auth";

/** A guarded route: what it demands, and the JSON text that its handler answers with. */
export interface Route {
  readonly path: string;
  readonly options: GuardOptions;
  readonly answer: (principal: Principal | null) => string | Promise<string>;
}

/** A configuration with users in it, and what their tokens are. */
export interface World {
  readonly auth: Auth;
  /** The reusable token of each user, and `revoked`, which no longer holds. */
  readonly tokens: Readonly<Record<"ada" | "boss" | "grace" | "gone" | "revoked", string>>;
  /** The id of Ada herself. */
  readonly adaId: string;
  /** The public id of Ada's token. */
  readonly adaTokenId: string;
  /** The public ids of another token of hers, and of one of Grace's. */
  readonly scriptTokenId: string;
  readonly graceTokenId: string;
}

const describeUser = (principal: Principal | null) =>
  JSON.stringify({ user: principal?.user.username ?? null });

/** The routes of the application; `/get-token` and `/logout` are mounted besides. */
export const routes: readonly Route[] = [
  { path: "/secret", options: {}, answer: () => '{"secret":"The vault is open"}' },
  { path: "/open", options: { permissions: [allowAny] }, answer: describeUser },
  { path: "/admin", options: { permissions: [isAdminUser] }, answer: describeUser },
  {
    path: "/read-only",
    options: { permissions: [isAuthenticatedOrReadOnly] },
    answer: describeUser,
  },
  { path: "/bearer", options: { schemes: ["Bearer"] }, answer: describeUser },
  {
    path: "/throttled",
    options: { permissions: [allowAny], throttle: throttle({ user: "1/min" }) },
    answer: describeUser,
  },
  {
    path: "/whoami",
    options: {},
    answer: (principal) =>
      JSON.stringify({ user: principal?.user.username, tokenId: principal?.token.id }),
  },
  {
    path: "/throws",
    options: {},
    answer() {
      throw new Error("the handler failed");
    },
  },
  {
    path: "/rejects",
    options: {},
    answer: async () => {
      await Promise.resolve();
      throw new Error("the handler failed later");
    },
  },
];

/** Makes the same users with the same tokens each time: the random source is seeded. */
export async function makeWorld(options: Partial<AuthOptions> = {}): Promise<World> {
  const next = seededNumbers(1);
  const { auth } = makeAuth({
    onLogin: "reuse",
    secret: SECRET,
    touchInterval: null,
    // So that the token of a disabled user is one, and not one that was revoked.
    revokeOn: { deactivation: false },
    random: (size) => Uint8Array.from({ length: size }, () => next(256)),
    ...options,
  });
  const make = async (username: string, isStaff = false) => {
    const user = await makeUser(auth, username, isStaff);
    const granted = await grantToken(auth, user);
    if (!granted.ok) throw new Error(granted.failure.reason);
    const { text, token } = granted.value;
    return { user, text: text.reveal(), id: token.id };
  };
  const ada = await make("ada");
  const boss = await make("boss", true);
  const grace = await make("grace");
  const gone = await make("gone");
  const revoked = await make("revoked");
  await setActive(auth, gone.user.id, false);
  await revokeToken(auth, revoked.id);
  const script = await issue(auth, ada.user, { name: "script" });
  return {
    auth,
    tokens: {
      ada: ada.text,
      boss: boss.text,
      grace: grace.text,
      gone: gone.text,
      revoked: revoked.text,
    },
    adaId: ada.user.id,
    adaTokenId: ada.id,
    scriptTokenId: script.token.id,
    graceTokenId: grace.id,
  };
}
