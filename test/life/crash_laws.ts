import {
  type Auth,
  type AuthOptions,
  changePassword,
  deleteUser,
  grantToken,
  type IssuedToken,
  issueToken,
  login,
  logout,
  mintToken,
  pruneTokens,
  renameToken,
  revokeAllTokens,
  revokeOtherTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  type Store,
  StoreError,
  type User,
  verifyPassword,
} from "latchkey";
import { pbkdf2 } from "latchkey/pbkdf2";
import { expect } from "vitest";
import { must, principalOf, reasonOf, SECRET } from "../fixture.ts";
import type { LifeLaw, OpenStores } from "./law.ts";
import { addUser, hasher, openWorld, PASSWORD, surround } from "./world.ts";

const NEXT = "another-password";

/** A user with a token that is revoked, one that holds, and one that was rotated. */
interface Scene {
  readonly auth: Auth;
  readonly user: User;
  readonly revoked: IssuedToken;
  readonly held: IssuedToken;
  readonly rotated: IssuedToken;
}

/** An operation of several statements, and what may be seen before and after it. */
interface Operation {
  readonly name: string;
  readonly options?: Partial<AuthOptions>;
  readonly run: (scene: Scene) => Promise<unknown>;
  /** What an outsider can see. */
  readonly observe: (scene: Scene) => Promise<unknown>;
  readonly before: unknown;
  readonly after: unknown;
}

const tokens = async ({ auth, held, rotated }: Scene) =>
  `${await reasonOf(auth, held)} ${await reasonOf(auth, rotated)}`;
const canLogIn = async ({ auth, user: { username } }: Scene, password: string) =>
  (await verifyPassword(auth, { username, password })).ok;
const passwords = async (scene: Scene) => [
  await canLogIn(scene, PASSWORD),
  await canLogIn(scene, NEXT),
  await tokens(scene),
];
const lineOf = async ({ auth, user, held }: Scene) =>
  (await auth.store.listTokens(user.id, { limit: 99 }))
    .filter(({ token }) => token.family === held.token.family).length;

const HELD = "ok ok";
const ENDED = "revoked_token revoked_token";

const operations: readonly Operation[] = [
  {
    name: "changePassword",
    run: ({ auth, user }) => changePassword(auth, user.id, { current: PASSWORD, next: NEXT }),
    observe: passwords,
    before: [true, false, HELD],
    after: [false, true, ENDED],
  },
  {
    name: "setPassword",
    run: ({ auth, user }) => setPassword(auth, user.id, NEXT),
    observe: passwords,
    before: [true, false, HELD],
    after: [false, true, ENDED],
  },
  {
    name: "setActive",
    run: ({ auth, user }) => setActive(auth, user.id, false),
    observe: passwords,
    before: [true, false, HELD],
    after: [false, false, ENDED],
  },
  {
    name: "deleteUser",
    run: ({ auth, user }) => deleteUser(auth, user.id),
    observe: passwords,
    before: [true, false, HELD],
    after: [false, false, "unknown_token unknown_token"],
  },
  {
    name: "revokeAllTokens",
    run: ({ auth, user }) => revokeAllTokens(auth, user.id),
    observe: tokens,
    before: HELD,
    after: ENDED,
  },
  {
    name: "logout",
    run: async ({ auth, rotated }) => {
      const principal = await principalOf(auth, rotated).catch((error: unknown) => {
        if (error instanceof StoreError) throw error;
        return null;
      });
      if (principal !== null) await logout(auth, principal);
    },
    observe: tokens,
    before: HELD,
    after: "ok revoked_token",
  },
  {
    name: "revokeToken",
    run: ({ auth, held }) => revokeToken(auth, held.token.id),
    observe: tokens,
    before: HELD,
    after: "revoked_token ok",
  },
  {
    name: "rotateToken",
    run: ({ auth, held }) => rotateToken(auth, held.text.reveal()),
    observe: async (scene) => [await tokens(scene), await lineOf(scene)],
    before: [HELD, 1],
    after: [HELD, 2],
  },
  {
    name: "grantToken with a token to reuse",
    options: { onLogin: "reuse", secret: SECRET },
    run: ({ auth, user }) => grantToken(auth, user),
    observe: async ({ auth, user }) =>
      (await auth.store.listTokens(user.id, { limit: 99 }))
        .filter(({ token }) => token.slot !== null).length,
    before: 0,
    after: 1,
  },
  {
    name: "a login that rewrites the password",
    options: { passwords: [pbkdf2({ iterations: 1_001 }), hasher] },
    run: ({ auth, user: { username } }) => login(auth, { username, password: PASSWORD }),
    observe: async ({ auth, user }) =>
      /^pbkdf2_sha256\$1001\$/.test((await auth.store.findUser(user.id))?.password ?? ""),
    before: false,
    after: true,
  },
];

/** A store whose statement number `broken` fails, before it is done or after. */
function breakAt(store: Store, broken: number, isDone: boolean) {
  let count = 0;
  const faulty = surround(store, async (_verb, run) => {
    count++;
    if (count !== broken) return await run();
    if (isDone) await run();
    throw new Error("the connection was lost");
  });
  return { faulty, count: () => count };
}

async function setScene(open: OpenStores, options: Partial<AuthOptions> = {}) {
  const { auth, store } = await openWorld(open, options);
  const prepare = async (): Promise<Scene> => {
    const user = await addUser(store);
    const revoked = must(await issueToken(auth, user));
    await revokeToken(auth, revoked.token.id);
    const held = must(await issueToken(auth, user));
    const first = must(await issueToken(auth, user));
    return {
      auth,
      user,
      revoked,
      held,
      rotated: must(await rotateToken(auth, first.text.reveal())),
    };
  };
  /** The same server on a store that fails. */
  const server = async (faulty: Store) => (await openWorld(async () => [faulty], options)).auth;
  return { store, prepare, server };
}

/** What is left of an operation that a store has not finished. */
export const crashLaws: readonly LifeLaw[] = [
  ...operations.map(({ name, options, run, observe, before, after }): LifeLaw => ({
    name: `C1, C2: ${name} that fails at any statement is done or not begun, and again it is done`,
    async run(open) {
      const { store, prepare, server } = await setScene(open, options);
      const whole = breakAt(store, 0, false);
      const calm = await prepare();
      expect(await observe(calm)).toEqual(before);
      await run({ ...calm, auth: await server(whole.faulty) });
      expect(await observe(calm)).toEqual(after);
      expect(whole.count()).toBeGreaterThan(0);

      for (let statement = 1; statement <= whole.count(); statement++) {
        for (const isDone of [false, true]) {
          const scene = await prepare();
          const auth = await server(breakAt(store, statement, isDone).faulty);
          const error = await run({ ...scene, auth }).then(() => null, (caught: unknown) => caught);
          expect(error).toBeInstanceOf(StoreError);
          expect([before, after]).toContainEqual(await observe(scene));
          expect(await reasonOf(scene.auth, scene.revoked)).toMatch(/^(?:revoked|unknown)_token$/);
          await run(scene);
          expect(await observe(scene)).toEqual(after);
          await run(scene);
          expect(await observe(scene)).toEqual(after);
        }
      }
    },
  })),
  {
    name: "C1: a repeated ending also marks what was left unmarked, for the list and for pruning",
    async run(open) {
      const { store, prepare, server } = await setScene(open);
      const endings = operations.filter(({ name }) =>
        ["setPassword", "setActive", "deleteUser", "revokeAllTokens"].includes(name)
      );
      for (const { run } of endings) {
        const scene = await prepare();
        const auth = await server(breakAt(store, 2, false).faulty);
        await expect(run({ ...scene, auth })).rejects.toThrow(StoreError);
        const unmarked = async () =>
          (await store.listTokens(scene.user.id, { limit: 99 }))
            .filter(({ token }) => token.revokedAt === null).length;
        expect(await unmarked()).toBe(3);
        await run(scene);
        expect(await unmarked()).toBe(0);
      }
    },
  },
  {
    name: "C1: a reuse that could not revoke the family is a failure, and the next one revokes it",
    async run(open) {
      const { store, prepare } = await setScene(open);
      const { auth, clock } = await openWorld(async () => [store]);
      const scene = await prepare();
      const next = must(await rotateToken(auth, scene.held.text.reveal()));
      const later = { now: () => clock.now + 60_000 };
      const broken = breakAt(store, 2, false).faulty;
      const failing = (await openWorld(async () => [broken], later)).auth;
      await expect(reasonOf(failing, scene.held)).rejects.toThrow(StoreError);
      expect(await reasonOf(auth, next)).toBe("ok");
      const working = (await openWorld(async () => [store], later)).auth;
      expect(await reasonOf(working, scene.held)).toBe("rotated_token");
      expect(await reasonOf(auth, next)).toBe("revoked_token");
    },
  },
  {
    name: "C2: a rotation and a reused login whose answer was lost give the same text again",
    async run(open) {
      const options = { onLogin: "reuse", secret: SECRET } as const;
      const { store, prepare, server } = await setScene(open, options);
      const { auth, user, held } = await prepare();
      const lost = await server(breakAt(store, 2, true).faulty);
      await expect(rotateToken(lost, held.text.reveal())).rejects.toThrow(StoreError);
      const rotate = async () => must(await rotateToken(auth, held.text.reveal())).text.reveal();
      expect(await rotate()).toBe(await rotate());
      const gone = await server(breakAt(store, 1, true).faulty);
      await expect(grantToken(gone, user)).rejects.toThrow(StoreError);
      const grant = async () => must(await grantToken(auth, user)).text.reveal();
      expect(await grant()).toBe(await grant());
    },
  },
  {
    name: "C2: a token whose answer was lost is known to nobody, and the user can revoke it",
    async run(open) {
      const { store, prepare, server } = await setScene(open);
      const { auth, user } = await prepare();
      const lost = await server(breakAt(store, 1, true).faulty);
      await expect(issueToken(lost, user, { name: "lost" })).rejects.toThrow(StoreError);
      const found = (await store.listTokens(user.id, { limit: 99 }))
        .find(({ token }) => token.name === "lost");
      expect(await revokeToken(auth, found?.token.id ?? "", { owner: user.id })).toBe(true);
    },
  },
  {
    name: "C4, R12: every operation on a store that is down is a StoreError, and none is a refusal",
    async run(open) {
      const { prepare, server, store } = await setScene(open);
      const { user, held } = await prepare();
      const principal = await principalOf((await openWorld(async () => [store])).auth, held);
      const text = held.text.reveal();
      const busy = Object.assign(new Error("select 1"), { code: "SQLITE_BUSY" });
      const down = await server(surround(store, () => Promise.reject(busy)));
      const all: readonly (() => Promise<unknown>)[] = [
        () => reasonOf(down, held),
        () => rotateToken(down, text),
        () => issueToken(down, user),
        () => mintToken(down, principal),
        () => grantToken(down, user),
        () => login(down, { username: user.username, password: PASSWORD }),
        () => changePassword(down, user.id, { current: PASSWORD, next: NEXT }),
        () => setPassword(down, user.id, NEXT),
        () => setActive(down, user.id, false),
        () => deleteUser(down, user.id),
        () => revokeToken(down, held.token.id),
        () => revokeAllTokens(down, user.id),
        () => revokeOtherTokens(down, principal),
        () => logout(down, principal),
        () => renameToken(down, user.id, held.token.id, "new"),
        () => pruneTokens(down),
      ];
      for (const operation of all) {
        const error = await operation().catch((caught: unknown) => caught);
        expect(error).toMatchObject({ name: "StoreError", code: "unavailable" });
        expect(`${error}`).toMatch(
          /^StoreError: Cannot [a-z ]+: the store failed \(SQLITE_BUSY\)$/,
        );
      }
    },
  },
];
