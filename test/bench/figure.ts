/** What one figure compares, and what came out of it. */

/** One round: both sides measured one after the other, in the unit of the figure. */
export interface Round {
  readonly subject: number;
  readonly rival: number;
}

/** A target of a ratio, or of a difference where two things are too unlike to divide. */
export interface Target {
  readonly bound: "at least" | "at most";
  readonly value: number;
}

/** How a subject stands to its rival. */
export type Relation = "ratio" | "difference";

/** The functions that took the most time by themselves, the longest first. */
export interface HotSpot {
  readonly place: string;
  /** Of the whole profile, from 0 to 1. */
  readonly share: number;
}

/** What measuring a figure gave. */
export type Outcome =
  | {
    readonly kind: "measured";
    readonly rounds: readonly Round[];
    /** What a reader must know to judge it. */
    readonly note?: string;
  }
  | { readonly kind: "not built"; readonly reason: string }
  /** This machine has no such rival. */
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "failed"; readonly reason: string };

/** How much time there is. */
export interface Effort {
  /** Whether the whole run has two minutes. */
  readonly quick: boolean;
}

/** One line of the table. */
export interface Figure {
  /** Unique; what `--only` is compared with. */
  readonly name: string;
  readonly subject: string;
  readonly rival: string;
  /** Of both sides, such as `/s` or `µs`. */
  readonly unit: string;
  readonly relation: Relation;
  /** `null` for a figure that is only told. */
  readonly target: Target | null;
  /** Whether `--quick` leaves it out. */
  readonly isLong?: boolean;
  measure(effort: Effort): Promise<Outcome>;
  /** Runs the subject under the profiler, to say where the time of a missed target goes. */
  profile?(effort: Effort): Promise<readonly HotSpot[]>;
}

/** Something that this version of the library does not have. */
export class NotBuilt extends Error {
  override readonly name = "NotBuilt";
}

/** Something that this machine does not have. */
export class Missing extends Error {
  override readonly name = "Missing";
}
