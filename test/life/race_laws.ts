import {
  type Auth,
  changePassword,
  createUser,
  deleteUser,
  flushUses,
  grantToken,
  type IssuedToken,
  issueToken,
  login,
  logout,
  mintToken,
  pruneTokens,
  renameToken,
  revokeAllTokens,
  revokeToken,
  rotateToken,
  setActive,
  setPassword,
  StoreError,
  type User,
  verifyPassword,
  verifyToken,
} from "latchkey";
import { pbkdf2 } from "latchkey/pbkdf2";
import { expect } from "vitest";
import { must, principalOf, reasonOf, SECRET } from "../fixture.ts";
import type { LifeLaw } from "./law.ts";
import { addUser, hasher, PASSWORD, race, raceAll, runRounds, type World } from "./world.ts";

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

/** A server for each task in turn. */
function pick({ auths, auth }: World, index: number): Auth {
  return auths[index % auths.length] ?? auth;
}

/** Every token that the tasks gave out. A task may fail because the store says that it lost. */
function issuedBy(settled: readonly PromiseSettledResult<unknown>[]): readonly IssuedToken[] {
  return settled.flatMap((one): readonly IssuedToken[] => {
    if (one.status === "rejected") {
      if (one.reason instanceof StoreError) return [];
      throw one.reason;
    }
    return isGiven(one.value) ? [one.value.value] : [];
  });
}

function isGiven(value: unknown): value is { readonly value: IssuedToken } {
  return typeof value === "object" && value !== null && Reflect.get(value, "ok") === true &&
    typeof Reflect.get(Object(Reflect.get(value, "value")), "text") === "object";
}

const NEXT = "another-password";

type Ending = readonly [string, (auth: Auth, user: User) => Promise<unknown>];

const endings: readonly [Ending, ...Ending[]] = [
  ["setPassword", (auth, { id }) => setPassword(auth, id, NEXT)],
  [
    "changePassword",
    (auth, { id }) => changePassword(auth, id, { current: PASSWORD, next: NEXT }),
  ],
  ["setActive", (auth, { id }) => setActive(auth, id, false)],
  ["deleteUser", (auth, { id }) => deleteUser(auth, id)],
];

const REUSE = { onLogin: "reuse", secret: SECRET } as const;

/** Logins with the old password race with an ending, after which the user logs in again. */
async function loginBeside(world: World, [name, end]: Ending): Promise<void> {
  const user = await addUser(world.store);
  const issued = must(await grantToken(world.auth, user));
  const { username } = user;
  const again: (IssuedToken | null)[] = [];
  const settled = await race<unknown>([
    ...times(3, (index) => () => login(pick(world, index), { username, password: PASSWORD })),
    () => issueToken(pick(world, 2), user),
    async () => {
      await end(pick(world, 1), user);
      const fresh = await login(pick(world, 1), { username, password: NEXT });
      again.push(fresh.ok ? fresh.value : null);
    },
  ]);
  const [fresh = null] = again;
  expect(settled.at(-1)?.status).toBe("fulfilled");
  expect(fresh !== null).toBe(name.endsWith("Password"));
  if (fresh !== null) expect(await reasonOf(pick(world, 2), fresh)).toBe("ok");
  for (const token of [issued, ...issuedBy(settled)]) {
    expect(token.text.reveal()).not.toBe(fresh?.text.reveal());
    expect(await reasonOf(pick(world, 2), token)).toMatch(/^(?:revoked|unknown)_token$/);
  }
}

/** What no order of events may bring about, 200 rounds each unless `RACE_ROUNDS` says otherwise. */
export const raceLaws: readonly LifeLaw[] = [
  {
    name: "R1: of 50 tokens issued at once at a limit of 5 exactly 5 are there",
    run: (open) =>
      runRounds(open, { tokenLimit: 5 }, async (world) => {
        const user = await addUser(world.store);
        const results = await raceAll(
          times(50, (index) => () => issueToken(pick(world, index), user)),
        );
        expect(results.filter(({ ok }) => ok)).toHaveLength(5);
        expect(new Set(results.map((result) => result.ok ? "ok" : result.failure.reason)))
          .toEqual(new Set(["ok", "token_limit"]));
        expect(await world.store.listTokens(user.id, { limit: 50 })).toHaveLength(5);
      }),
  },
  {
    name: "R2: a verification that starts after a revocation has returned is refused",
    run: (open) =>
      runRounds(open, {}, async (world) => {
        const user = await addUser(world.store);
        const issued = must(await issueToken(world.auth, user));
        const verify = (index: number) => reasonOf(pick(world, index), issued);
        const [after, ...beside] = await raceAll([
          async () => {
            await revokeToken(world.auth, issued.token.id);
            return (await Promise.all(times(3, verify))).join();
          },
          ...times(6, (index) => () => verify(index)),
        ]);
        expect(after).toBe("revoked_token,revoked_token,revoked_token");
        expect(beside.every((reason) => ["ok", "revoked_token"].includes(reason))).toBe(true);
      }),
  },
  {
    name: "R3: nothing that races with a revocation revives a token or moves its end",
    run: (open) =>
      runRounds(open, { touchInterval: 1 }, async (world) => {
        const user = await addUser(world.store);
        const options = { expiresIn: 1_000, idleTimeout: 500 };
        const issued = must(await issueToken(world.auth, user, options));
        const { id } = issued.token;
        world.clock.now += 1;
        const results = await raceAll<unknown>([
          () => revokeToken(pick(world, 0), id),
          ...times(3, (index) => () => reasonOf(pick(world, index), issued)),
          () => rotateToken(pick(world, 1), issued.text.reveal()),
          () => renameToken(pick(world, 2), user.id, id, "renamed"),
          () => revokeToken(pick(world, 1), id, { reason: "logged_out" }),
        ]);
        for (const auth of world.auths) await flushUses(auth);
        expect([results[0], results[6]].filter((isFirst) => isFirst)).toHaveLength(1);
        expect(await reasonOf(world.auth, issued)).toBe("revoked_token");
        const stored = await world.store.findToken([
          world.auth.digest(issued.text.reveal()).digest,
        ]);
        expect(stored?.token).toMatchObject({
          expiresAt: issued.token.expiresAt,
          idleTimeout: 500,
          revokedAt: world.clock.now,
        });
      }),
  },
  {
    name: "R4: ten rotations at once give one successor and one text",
    run: (open) =>
      runRounds(open, {}, async (world) => {
        const user = await addUser(world.store);
        const issued = must(await issueToken(world.auth, user));
        const results = await raceAll(
          times(10, (index) => () => rotateToken(pick(world, index), issued.text.reveal())),
        );
        const successors = results.map(must);
        expect(new Set(successors.map(({ token }) => token.id)).size).toBe(1);
        expect(new Set(successors.map(({ text }) => text.reveal())).size).toBe(1);
        expect(await world.store.listTokens(user.id, { limit: 9 })).toHaveLength(2);
      }),
  },
  {
    name: "R5: rotations beside a revocation of all, a logout or a new password leave nothing",
    run: (open) =>
      runRounds(open, {}, async (world, draw) => {
        const user = await addUser(world.store);
        const issued = must(await issueToken(world.auth, user));
        const principal = await principalOf(world.auth, issued);
        const end = [
          () => revokeAllTokens(world.auth, user.id),
          () => logout(world.auth, principal),
          () => setPassword(world.auth, user.id, null),
        ][draw(3)];
        const settled = await race<unknown>([
          ...times(3, (index) => () => rotateToken(pick(world, index), issued.text.reveal())),
          async () => await end?.(),
          async () => {
            const next = await rotateToken(pick(world, 1), issued.text.reveal());
            return next.ok ? await rotateToken(pick(world, 2), next.value.text.reveal()) : next;
          },
        ]);
        for (const token of [issued, ...issuedBy(settled)]) {
          expect(await reasonOf(pick(world, 1), token)).toBe("revoked_token");
        }
        const live = (await world.store.listTokens(user.id, { limit: 9 }))
          .filter(({ token, epoch }) => token.revokedAt === null && token.epoch === epoch);
        expect(live).toEqual([]);
      }),
  },
  {
    name: "R6: no token issued or minted beside a revocation of all survives it",
    run: (open) =>
      runRounds(open, {}, async (world) => {
        const user = await addUser(world.store);
        const issued = must(await issueToken(world.auth, user));
        const principal = await principalOf(world.auth, issued);
        const settled = await race<unknown>([
          ...times(3, (index) => () => issueToken(pick(world, index), user)),
          ...times(3, (index) => () => mintToken(pick(world, index), principal)),
          () => revokeAllTokens(pick(world, 1), user.id),
        ]);
        const tokens = issuedBy(settled);
        expect(tokens).toHaveLength(6);
        for (const token of [issued, ...tokens]) {
          expect(await reasonOf(pick(world, 2), token)).toBe("revoked_token");
        }
        expect(await reasonOf(world.auth, must(await issueToken(world.auth, user.id)))).toBe("ok");
      }),
  },
  ...endings.map((ending): LifeLaw => ({
    name: `R6, A10: no token of a login beside ${ending[0]} survives it`,
    run: (open) => runRounds(open, {}, (world) => loginBeside(world, ending)),
  })),
  {
    name: "R6, A10: no login with an old password is given the reusable token made after it",
    run: (open) =>
      runRounds(open, REUSE, (world, draw) => loginBeside(world, endings[draw(4)] ?? endings[0])),
  },
  {
    name: "R7: of registrations at once, in two spellings of one name, exactly one succeeds",
    run: (open) =>
      runRounds(open, {}, async (world, draw) => {
        const name = `${draw(1e9)}${draw(1e9)}`;
        const results = await raceAll(times(6, (index) => () =>
          createUser(pick(world, index), { username: `${["ﬁnn", "finn"][index % 2]}${name}` })));
        const reasons = results.map((result) =>
          result.ok ? "ok" : result.failure.reason
        );
        expect(reasons.sort()).toEqual(["ok", ...times(5, () => "username_taken")]);
      }),
  },
  {
    name: "R8: logins at once that rewrite a password all succeed, and it is written once",
    run: (open) =>
      runRounds(open, { passwords: [pbkdf2({ iterations: 1_001 }), hasher] }, async (world) => {
        const user = await addUser(world.store);
        const credentials = { username: user.username, password: PASSWORD };
        const results = await raceAll(
          times(5, (index) => () => verifyPassword(pick(world, index), credentials)),
        );
        expect(results.every(({ ok }) => ok)).toBe(true);
        const stored = (await world.store.findUser(user.id))?.password;
        expect(stored).toMatch(/^pbkdf2_sha256\$1001\$/);
        expect((await verifyPassword(world.auth, credentials)).ok).toBe(true);
        expect((await world.store.findUser(user.id))?.password).toBe(stored);
      }),
  },
  {
    name: "R9: of password changes at once from one password exactly one succeeds, and it counts",
    run: (open) =>
      runRounds(open, {}, async (world) => {
        const user = await addUser(world.store);
        const next = (index: number) => `the-next-password-${index}`;
        const results = await raceAll(times(3, (index) => () =>
          changePassword(pick(world, index), user.id, { current: PASSWORD, next: next(index) })));
        const winner = results.findIndex(({ ok }) =>
          ok
        );
        for (const [index, result] of results.entries()) {
          const credentials = { username: user.username, password: next(index) };
          expect(result.ok).toBe(index === winner);
          expect((await verifyPassword(world.auth, credentials)).ok).toBe(index === winner);
        }
      }),
  },
  {
    name: "R10: a token that is used beside a pruning survives it",
    run: (open) =>
      runRounds(open, { touchInterval: 1 }, async (world) => {
        const user = await addUser(world.store);
        const issued = must(await issueToken(world.auth, user, { idleTimeout: 100 }));
        world.clock.now += 99;
        const [first] = await raceAll<unknown>([
          () => reasonOf(pick(world, 1), issued),
          () => pruneTokens(pick(world, 0), { retention: 1 }),
          () => reasonOf(pick(world, 2), issued),
          () => pruneTokens(pick(world, 2), { retention: 1, batch: 1 }),
        ]);
        expect(first).toBe("ok");
        for (const auth of world.auths) await flushUses(auth);
        world.clock.now += 99;
        await pruneTokens(world.auth, { retention: 1 });
        expect(await reasonOf(world.auth, issued)).toBe("ok");
      }),
  },
  {
    name:
      "R13: of two tokens with one id, or one text, the second is a conflict and changes nothing",
    async run(open) {
      let seed = 0;
      const random = (size: number) =>
        Uint8Array.from({ length: size }, (_, index) => (index * 7 + seed) % 256);
      await runRounds(open, { random }, async (world) => {
        const user = await addUser(world.store);
        seed += 1;
        const settled = await race(times(2, (index) => () => issueToken(pick(world, index), user)));
        expect(settled.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
        const lost = settled.find((one) => one.status === "rejected");
        expect(lost?.reason).toMatchObject({ name: "StoreError", code: "conflict" });
        expect(await world.store.listTokens(user.id, { limit: 9 })).toHaveLength(1);
      });
    },
  },
  {
    name: "R14: verifications of one token at once on one server are one write",
    run: (open) =>
      runRounds(open, { touchInterval: 60_000 }, async (world) => {
        const user = await addUser(world.store);
        const issued = must(await issueToken(world.auth, user));
        const handed = new Set<Promise<void>>();
        const waitUntil = (work: Promise<void>) => void handed.add(work);
        await raceAll(
          times(5, () => () => verifyToken(world.auth, issued.text.reveal(), { waitUntil })),
        );
        await flushUses(world.auth);
        expect(handed.size).toBe(1);
        const stored = await world.store.findToken([
          world.auth.digest(issued.text.reveal()).digest,
        ]);
        expect(stored?.token.lastUsedAt).toBe(world.clock.now);
      }),
  },
];
