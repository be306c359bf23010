/**
 * The contract of the store port as tests for any runner.
 *
 * @module
 */
import type { StoreLaw } from "./law.ts";
import { tokenLaws } from "./token_laws.ts";
import { userLaws } from "./user_laws.ts";

export type { StoreLaw } from "./law.ts";

/**
 * Returns the contract of a `Store`, one law for each thing it promises.
 *
 * For whoever writes a store: one that keeps every law behaves like those that
 * come with the library, in races and with hostile text too. Each law opens
 * one or more stores and expects them fresh and empty; closing what was opened
 * is the runner's work. A law that is broken rejects with an `Error` that says
 * what was expected. No test framework is imported.
 *
 * @example With vitest, and with every runner that has an `it`:
 * ```ts ignore
 * for (const law of storeContract()) it(law.name, () => law.run(openStore));
 * ```
 *
 * @example Without a runner:
 * ```ts
 * import { memoryStore } from "latchkey/memory";
 * import { storeContract } from "latchkey/testing";
 *
 * for (const law of storeContract()) await law.run(async () => memoryStore());
 * console.log("Every law is kept");
 * ```
 */
export function storeContract(): readonly StoreLaw[] {
  return [...tokenLaws, ...userLaws];
}
