import {
  type Auth,
  type AuthOptions,
  defineAuth,
  type Hasher,
  type Store,
  systemRandom,
  type User,
} from "latchkey";
import { pbkdf2 } from "latchkey/pbkdf2";
import { type Clock, seededNumbers, START } from "../fixture.ts";
import type { OpenStores } from "./law.ts";

/** The password of every user that {@link addUser} makes. */
export const PASSWORD = "a-password-of-a-user";

/** A real hasher, as weak as it can be: these tests make thousands of logins. */
export const hasher: Hasher = pbkdf2({ iterations: 1_000 });
const encoded = hasher.hash(PASSWORD, systemRandom);

/** Several servers on one database, with one clock. */
export interface World {
  readonly clock: Clock;
  /** One for each handle of the database. */
  readonly auths: readonly [Auth, ...Auth[]];
  readonly auth: Auth;
  /** The first handle itself. */
  readonly store: Store;
}

/** Opens a database, and servers on it. `wrap` may put something between a server and its handle. */
export async function openWorld(
  open: OpenStores,
  options: Partial<AuthOptions> = {},
  wrap: (store: Store) => Store = (store) => store,
): Promise<World> {
  const clock = { now: START };
  const [store, ...others] = await open();
  const serve = (handle: Store) =>
    defineAuth({
      store: wrap(handle),
      passwords: [hasher],
      touchInterval: null,
      passwordRules: [],
      now: () => clock.now,
      ...options,
    });
  const auth = serve(store);
  return { clock, auth, auths: [auth, ...others.map(serve)], store };
}

let users = 0;

/** Adds a user with {@link PASSWORD} and a name of its own, without a hash for each. */
export async function addUser(store: Store): Promise<User> {
  const id = `user${users++}`;
  const user = { id, username: `name-${id}`, isActive: true, isStaff: false, isSuperuser: false };
  const rest = { password: await encoded, createdAt: START, epoch: 0 };
  if (!await store.insertUser({ ...user, ...rest })) throw new Error(`Cannot add ${id}`);
  return { ...user, epoch: 0 };
}

/** What happens around every verb of a store. */
export type Around = (verb: string, run: () => Promise<unknown>) => Promise<unknown>;

/** A store whose verbs all run inside `around`. */
export function surround(store: Store, around: Around): Store {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...rest: readonly unknown[]) =>
        around(String(name), async () => await Reflect.apply(member, target, rest));
    },
  });
}

/** Starts all tasks together and waits for all of them. */
export async function race<Value>(
  tasks: readonly (() => Promise<Value>)[],
): Promise<readonly PromiseSettledResult<Value>[]> {
  const gate: { open: () => void } = { open: () => {} };
  const opened = new Promise<void>((resolve) => (gate.open = resolve));
  const racing = tasks.map(async (task) => {
    await opened;
    return await task();
  });
  gate.open();
  return await Promise.allSettled(racing);
}

/** The values of tasks of which none may fail. */
export async function raceAll<Value>(
  tasks: readonly (() => Promise<Value>)[],
): Promise<readonly Value[]> {
  return (await race(tasks)).map((settled) => {
    if (settled.status === "rejected") throw settled.reason;
    return settled.value;
  });
}

/** Fewer where the same suite has run before. */
const ROUNDS = Number(readVariable("RACE_ROUNDS") ?? 200);

/**
 * Runs a race many times, each verb of each store after a random number of turns.
 *
 * What fails names the round and the seed; `LIFE_SEED` runs it again.
 */
export async function runRounds(
  open: OpenStores,
  options: Partial<AuthOptions>,
  round: (world: World, draw: (limit: number) => number) => Promise<void>,
): Promise<void> {
  const seed = Number(readVariable("LIFE_SEED") ?? systemRandom(4).join("")) >>> 0;
  const draw = seededNumbers(seed);
  const world = await openWorld(open, options, (store) =>
    surround(store, async (_verb, run) => {
      for (let turns = draw(6); turns > 0; turns--) await Promise.resolve();
      return await run();
    }));
  for (let count = 0; count < ROUNDS; count++) {
    try {
      await round(world, draw);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(`round ${count} of LIFE_SEED=${seed}: ${message}`, { cause: error });
    }
  }
}

/** Workers have no environment. */
function readVariable(name: string): string | undefined {
  const process: unknown = Reflect.get(globalThis, "process");
  const env: unknown = typeof process === "object" && process !== null
    ? Reflect.get(process, "env")
    : undefined;
  const value: unknown = typeof env === "object" && env !== null
    ? Reflect.get(env, name)
    : undefined;
  return typeof value === "string" && value !== "" ? value : undefined;
}
