import type { Store } from "latchkey";
import { describe, it } from "vitest";

/**
 * Opens handles of one new, empty database, as several servers would hold them.
 *
 * A test may ask for any number of databases; whoever opens them closes them.
 */
export type OpenStores = () => Promise<readonly [Store, ...Store[]]>;

/** What must be true of the library on every store. */
export interface LifeLaw {
  /** A sentence, with the ids of the threats it answers. */
  readonly name: string;
  readonly run: (open: OpenStores) => Promise<void>;
}

/** Makes tests of laws. */
export function testLaws(place: string, laws: readonly LifeLaw[], open: OpenStores): void {
  describe(`on ${place}`, () => {
    for (const { name, run } of laws) it(name, () => run(open));
  });
}
