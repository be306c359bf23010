/**
 * The contract of the store port as tests for any runner, and a helper for an application's own tests.
 *
 * @module
 */
import { attemptLaws } from "./attempt_laws.ts";
import { epochLaws } from "./epoch_laws.ts";
import { eventLaws, type ReadEvents } from "./event_laws.ts";
import type { StoreLaw } from "./law.ts";
import { limitLaws } from "./limit_laws.ts";
import { listLaws } from "./list_laws.ts";
import { pruneLaws } from "./prune_laws.ts";
import { revocationLaws } from "./revocation_laws.ts";
import { rotationLaws } from "./rotation_laws.ts";
import { tokenLaws } from "./token_laws.ts";
import { useLaws } from "./use_laws.ts";
import { userLaws } from "./user_laws.ts";

export { actAs, type ActAsOptions, type Acting } from "./act_as.ts";
export type { ReadEvents } from "./event_laws.ts";
export type { StoreLaw } from "./law.ts";

/** Options of {@link storeContract}. */
export interface StoreContractOptions {
  /**
   * Reads the events of a store. The port only adds them, so without this the
   * laws of events are left out.
   */
  readonly readEvents?: ReadEvents;
}

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
export function storeContract(options: StoreContractOptions = {}): readonly StoreLaw[] {
  return [
    ...tokenLaws,
    ...limitLaws,
    ...listLaws,
    ...rotationLaws,
    ...revocationLaws,
    ...useLaws,
    ...pruneLaws,
    ...userLaws,
    ...epochLaws,
    ...attemptLaws,
    ...options.readEvents === undefined ? [] : eventLaws(options.readEvents),
  ];
}
