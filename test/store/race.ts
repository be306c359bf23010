import type { Store } from "../../src/ports/store.ts";
import type { OwnedToken } from "../../src/pure/record.ts";
import { makeLimit, makeSuccessor, makeToken, makeUser } from "./record.ts";

/** A race that is run for many rounds, by parts that start together. */
export interface Race {
  readonly name: string;
  /** Makes what a round begins with. */
  prepare(store: Store, round: number): Promise<unknown>;
  /** What one of the parts does in a round, with all of its connections at once. */
  run(stores: readonly Store[], part: number, round: number): Promise<readonly unknown[]>;
  /** What is wrong after a round, given what all parts were told; `""` when nothing is. */
  check(store: Store, round: number, told: readonly unknown[]): Promise<string>;
}

const LIMIT = { max: 5, now: 1_000 };
/** The end of a window of attempts that begins at 0. */
const NEXT = 100;

/** The races of the threat model that a store must win, by their ids there. */
export const races: Readonly<Record<string, Race>> = {
  R1: {
    name: "50 creations under a limit of 5 leave exactly 5",
    prepare: () => Promise.resolve(),
    run: (stores, part, round) =>
      atOnce(stores, 25, (store, index) => {
        const id = `${round}-${part}-${index}`;
        const token = makeToken({
          id,
          owner: `user-${round}`,
          digest: digestOf(round, part, index),
        });
        return store.insertToken(token, LIMIT).then((added) => added?.id ?? null);
      }),
    async check(store, round, told) {
      const ids = told.filter((id) => id !== null).map(String);
      const listed = await store.listTokens(`user-${round}`, { limit: 100 });
      const stored = listed.map(({ token }) => token.id);
      return ids.length === 5 && ids.sort().join() === stored.sort().join()
        ? ""
        : `told ${ids}, stored ${stored}`;
    },
  },
  R3: {
    name: "a revocation stands, whatever notes a use of the token",
    prepare: (store, round) => store.insertToken(tokenOf(round)),
    run: (stores, part, round) =>
      atOnce(stores, 6, (store, index) => {
        const { id } = tokenOf(round);
        if (part === 0 && index === 3) {
          return store.revokeToken(id, { at: 7, reason: "logged_out" });
        }
        return store.touchTokens([{ id, usedAt: 10 * index + part }]).then(() => null);
      }),
    async check(store, round, told) {
      const { token } = await find(store, round);
      const isKept = token.revokedAt === 7 && token.revokedReason === "logged_out" &&
        token.expiresAt === tokenOf(round).expiresAt;
      return isKept && told.filter((answer) => answer === true).length === 1 ? "" : show(token);
    },
  },
  R4: {
    name: "10 rotations of one token add one successor, which all of them receive",
    prepare: (store, round) => store.insertToken(tokenOf(round)),
    run: (stores, part, round) =>
      atOnce(stores, 5, (store, index) => {
        const id = `${round}-${part}-${index}`;
        const digest = digestOf(round, part, index + 1);
        return store.rotateToken(makeSuccessor(tokenOf(round), { id, digest }))
          .then((successor) => successor?.id ?? null);
      }),
    async check(store, round, told) {
      const { successor } = await find(store, round);
      const listed = await store.listTokens(`user-${round}`, { limit: 100 });
      return successor !== null && listed.length === 2 && told.length === 10 &&
          told.every((id) => id === successor.id)
        ? ""
        : `told ${told}, stored ${listed.map(({ token }) => token.id)}`;
    },
  },
  R5: {
    name: "no token outlives the revocation of all, though it is being rotated",
    async prepare(store, round) {
      await store.insertUser(makeUser({ id: `user-${round}`, username: `name-${round}` }));
      await store.insertToken(tokenOf(round));
    },
    run: (stores, part, round) =>
      atOnce(stores, part === 0 ? 5 : 1, (store, index) => {
        if (part > 0) return endAll(store, round);
        const id = `${round}-${part}-${index}`;
        const successor = makeSuccessor(tokenOf(round), {
          id,
          digest: digestOf(round, 0, index + 1),
        });
        return store.rotateToken(successor).then(() => null);
      }),
    check: (store, round) => checkNoneHolds(store, round),
  },
  R6: {
    name: "no token outlives the revocation of all or its user, though it is being made",
    prepare: (store, round) =>
      store.insertUser(makeUser({ id: `user-${round}`, username: `name-${round}` })),
    run: (stores, part, round) =>
      atOnce(stores, part === 0 ? 6 : 1, async (store, index) => {
        if (part === 0) {
          const owner = `user-${round}`;
          const id = `${round}-${part}-${index}`;
          // As a login does: the epoch is the one that was read with the password.
          const token = makeToken({ id, owner, epoch: 0, digest: digestOf(round, 0, index) });
          await store.insertToken(token);
        } else if (round % 2 === 0) await endAll(store, round);
        else {
          await store.deleteUser(`user-${round}`);
          await store.revokeTokens(`user-${round}`, { at: 9, reason: "user_deleted" });
        }
        return null;
      }),
    check: (store, round) => checkNoneHolds(store, round),
  },
  B4: {
    name: "60 attempts count exactly up to the limit they share, and nothing for the others",
    // Every other round begins at the end of a window that was exhausted.
    async prepare(store, round) {
      if (round % 2 === 0) return;
      const limits = [makeLimit({ key: `shared-${round}`, max: 1 })];
      await store.takeAttempts(limits, 0);
    },
    run: (stores, part, round) =>
      atOnce(stores, 30, async (store, index) => {
        const max = round % 2 === 0 ? 20 : 1;
        const own = makeLimit({ key: `own-${round}-${part}-${index}`, max: 1 });
        const shared = makeLimit({ key: `shared-${round}`, max });
        const limits = index % 2 === 0 ? [own, shared] : [shared, own];
        const taken = await store.takeAttempts(limits, NEXT);
        return taken?.map(({ key, count }) => `${key}: ${count}`).sort().join() ?? null;
      }),
    async check(store, round, told) {
      const [max, length] = round % 2 === 0 ? [20, 100] : [1, 200];
      const keys = [0, 1].flatMap((part) =>
        Array.from({ length: 30 }, (_, index) => `own-${round}-${part}-${index}`)
      );
      const shared = { key: `shared-${round}`, count: max, endsAt: NEXT + length };
      const own = await store.findAttempts(keys, NEXT);
      const counts = Array.from({ length: max }, (_, index) => `shared-${round}: ${index + 1}`);
      const winners = told.filter((answer) => answer !== null).map(String);
      const isRight = show(await store.findAttempts([shared.key], NEXT)) === show([shared]) &&
        told.length === 60 &&
        winners.map((answer) => answer.split(",")[1]).sort().join() === counts.sort().join() &&
        winners.map((answer) => answer.split(",")[0]).sort().join() ===
          own.map(({ key, count }) => `${key}: ${count}`).sort().join();
      return isRight ? "" : `told ${winners}, stored ${show(own)}`;
    },
  },
};

/** How an application revokes all: the epoch first, and then each token, to say when and why. */
async function endAll(store: Store, round: number): Promise<null> {
  await store.startEpoch(`user-${round}`);
  await store.revokeTokens(`user-${round}`, { at: 9, reason: "password_changed" });
  return null;
}

async function checkNoneHolds(store: Store, round: number): Promise<string> {
  const listed = await store.listTokens(`user-${round}`, { limit: 100 });
  const holding = listed.filter(({ token, user, epoch }) =>
    user !== null && token.epoch === epoch && token.revokedAt === null
  );
  if (listed.length === 0) return "no tokens at all";
  return holding.map(({ token }) => show(token)).join();
}

/** The token a round begins with. */
function tokenOf(round: number): OwnedToken["token"] {
  return makeToken({
    id: `token-${round}`,
    owner: `user-${round}`,
    digest: digestOf(round, 9, 0),
    expiresAt: 1_000_000,
  });
}

async function find(store: Store, round: number): Promise<OwnedToken> {
  const found = await store.findToken([tokenOf(round).digest]);
  if (found === null) throw new Error(`Cannot find the token of round ${round}`);
  return found;
}

function digestOf(round: number, part: number, index: number): string {
  return `${round}f${part}f${index}`.padStart(64, "0");
}

/** Starts `count` things at once, in turn on each connection. */
function atOnce(
  stores: readonly Store[],
  count: number,
  act: (store: Store, index: number) => Promise<unknown>,
): Promise<readonly unknown[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => {
    const store = stores[index % stores.length];
    if (store === undefined) throw new Error("Cannot race without a store");
    return act(store, index);
  }));
}

function show(value: unknown): string {
  return JSON.stringify(value);
}
