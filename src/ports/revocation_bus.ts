/**
 * What no longer is as it was: one token, all tokens of a family, or an owner
 * with all tokens. Ids only, which are no credentials.
 */
export interface TokenChange {
  /** What the id names. */
  readonly of: "token" | "family" | "owner";
  /** The id. */
  readonly id: string;
}

/**
 * Carries changes of tokens to every process that keeps some of them in memory.
 *
 * Whatever the bus does, a cache serves nothing for longer than its staleness:
 * a message that is late, repeated, out of order or lost costs time and nothing
 * else. So it need not be reliable, only quick. Messages name ids; whoever can
 * send forged ones can make caches forget, never remember.
 *
 * What a bus promises, and a test of one should try between two processes: a change
 * of each kind reaches every listener of every process, also several in one; its id
 * arrives as it was, whatever text it is; a listener that throws keeps it from no
 * other; a process may hear its own changes or not. `localBus` is such a bus within one.
 */
export interface RevocationBus {
  /**
   * Sends a change to all listeners, in this process and in others.
   *
   * Called after the change is stored. Nothing waits for it; what it throws or
   * rejects with is ignored.
   */
  publish(change: TokenChange): unknown;
  /**
   * Calls `listener` with every change that arrives from now on.
   *
   * A cache's listener never throws. A message that it cannot understand, such as
   * `null` or one of a later version, makes it forget everything: pass on what came.
   */
  subscribe(listener: (change: TokenChange) => void): void;
}
