import { type Auth, defineAuth, type Store } from "latchkey";
import { pbkdf2 } from "latchkey/pbkdf2";

const DAY = 24 * 60 * 60 * 1000;

/** How many tokens that hold a user may have, besides the reusable one. */
export const TOKEN_LIMIT = 20;

/** The configuration of every process: only what a login gives differs. */
export function configure(
  store: Store,
  onLogin: "new" | "reuse",
  touchInterval: number | null,
): Auth {
  return defineAuth({
    store,
    passwords: [pbkdf2({ iterations: 1_000 })],
    passwordRules: [],
    onLogin,
    secret: "a secret of the crash test, 32 bytes or more",
    tokenLimit: TOKEN_LIMIT,
    // Long enough that no token ends by itself.
    rotationOverlap: DAY,
    touchInterval,
  });
}

/** A seeded source of numbers below `limit`. */
export type Numbers = (limit: number) => number;

/** Makes numbers that are the same for the same seed. */
export function seedNumbers(seed: number): Numbers {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return Math.floor((((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32) * limit);
  };
}
