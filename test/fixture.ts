import {
  type Auth,
  type AuthOptions,
  createUser,
  defineAuth,
  type IssuedToken,
  type Principal,
  type Result,
  type User,
  verifyToken,
} from "latchkey";
import { memoryStore } from "latchkey/memory";
import { pbkdf2 } from "latchkey/pbkdf2";

/** The instant at which a test's clock stands until it is moved. */
export const START = 1_800_000_000_000;

/** 32 bytes that no test should ever see again in an answer. */
export const SECRET = "server-secret-server-secret-0000";

/** A clock that only a test moves. */
export interface Clock {
  now: number;
}

/** A configuration on a fresh memory store, with a clock to move and a real but quick hasher. */
export function makeAuth(
  options: Partial<AuthOptions> = {},
): { readonly auth: Auth; readonly clock: Clock } {
  const clock = { now: START };
  const auth = defineAuth({
    store: memoryStore(),
    passwords: [pbkdf2({ iterations: 1_000 })],
    now: () => clock.now,
    // Tests of rules name them; all others may have short passwords.
    passwordRules: [],
    ...options,
  });
  return { auth, clock };
}

/** The value of a success. Throws for a failure, with its reason. */
export function must<Value>(result: Result<Value, { readonly reason: string }>): Value {
  if (!result.ok) throw new Error(`Expected a success: ${result.failure.reason}`);
  return result.value;
}

/** `ok`, or why a token does not hold. */
export async function reasonOf(auth: Auth, text: string | IssuedToken): Promise<string> {
  const result = await verifyToken(auth, typeof text === "string" ? text : text.text.reveal());
  return result.ok ? "ok" : result.failure.reason;
}

/** Who holds a token. Throws for a token that does not hold. */
export async function principalOf(auth: Auth, { text }: IssuedToken): Promise<Principal> {
  return must(await verifyToken(auth, text.reveal()));
}

/** Makes a user whose password is `<username>-password`. */
export async function makeUser(auth: Auth, username: string, isStaff = false): Promise<User> {
  return must(await createUser(auth, { username, password: `${username}-password`, isStaff }));
}

/** A seeded source of numbers below `limit`, so that a random test can be run again. */
export function seededNumbers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
