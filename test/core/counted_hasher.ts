import type { Hasher } from "latchkey";
import { pbkdf2 } from "latchkey/pbkdf2";

/** A real but quick hasher that tells how often it ran, and how many runs there were at once. */
export interface CountedHasher extends Hasher {
  /** How often a password was hashed. */
  readonly hashes: () => number;
  /** How often a password was verified. */
  readonly verifications: () => number;
  /** The most runs of either kind that were under way at once. */
  readonly peak: () => number;
}

/** Makes a hasher that counts; `before` is waited for in every run. */
export function countedHasher(
  { hasher = pbkdf2({ iterations: 1_000 }), before = async () => {} }: {
    readonly hasher?: Hasher;
    readonly before?: () => Promise<void>;
  } = {},
): CountedHasher {
  let [hashes, verifications, running, peak] = [0, 0, 0, 0];
  async function run<Value>(work: () => Promise<Value>): Promise<Value> {
    peak = Math.max(peak, ++running);
    try {
      await before();
      return await work();
    } finally {
      running--;
    }
  }
  return {
    ...hasher,
    hash: (password, random) => (hashes++, run(() => hasher.hash(password, random))),
    verify: (password, encoded) => (verifications++, run(() => hasher.verify(password, encoded))),
    hashes: () => hashes,
    verifications: () => verifications,
    peak: () => peak,
  };
}
