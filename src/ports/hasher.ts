import type { RandomSource } from "../data/random.ts";

/**
 * Reads the stored passwords of one algorithm.
 *
 * A verifier alone serves texts that an older system wrote: they verify once
 * more and are rewritten by the first configured {@link Hasher} at that login.
 */
export interface PasswordVerifier {
  /** The algorithm's name, for messages to the developer. */
  readonly name: string;
  /** Whether the stored text names this algorithm. Looks at its beginning only; never throws. */
  recognizes(encoded: string): boolean;
  /**
   * Whether `password` is the one `encoded` was made from.
   *
   * The text comes from a database: malformed, truncated or hostile parameters
   * answer `false` before any memory or time is spent on them. Never throws on them.
   */
  verify(password: string, encoded: string): Promise<boolean>;
}

/** Writes and reads the stored passwords of one algorithm. */
export interface Hasher extends PasswordVerifier {
  /** Makes the text to store. It names the algorithm and its parameters. */
  hash(password: string, random: RandomSource): Promise<string>;
  /**
   * Whether a text this hasher recognizes is at least as strong as one it would write now.
   *
   * `false` makes the next successful login rewrite it; a stronger text is kept.
   */
  isCurrent(encoded: string): boolean;
}
