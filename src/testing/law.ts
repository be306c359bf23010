import type { Store } from "../ports/store.ts";

/** One sentence of the store's contract, as a test. */
export interface StoreLaw {
  /** The sentence. */
  readonly name: string;
  /**
   * Tries the law on fresh, empty stores.
   *
   * Rejects with an `Error` that says what was expected and what came, or with
   * whatever the store itself rejected with.
   */
  run(open: () => Promise<Store>): Promise<void>;
}

/** Makes a law that needs one store. */
export function law(name: string, test: (store: Store) => Promise<void>): StoreLaw {
  return { name, run: async (open) => await test(await open()) };
}
