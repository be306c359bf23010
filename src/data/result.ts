/** A success that carries its value. */
export interface Ok<Value> {
  /** Always `true`: what tells a success from a failure. */
  readonly ok: true;
  /** What was asked for. */
  readonly value: Value;
}

/** An expected failure that carries its reason as a value. */
export interface Fail<Failure> {
  /** Always `false`: what tells a failure from a success. */
  readonly ok: false;
  /** Why there is no value. */
  readonly failure: Failure;
}

/**
 * Either a value or an expected failure, never an exception.
 *
 * Bad credentials are ordinary outcomes and arrive as a `Result`; a broken
 * store throws instead, so that an outage cannot be mistaken for "not logged in".
 *
 * @example
 * ```ts
 * import { fail, ok, type Result } from "latchkey";
 *
 * function half(value: number): Result<number, "odd"> {
 *   return value % 2 === 0 ? ok(value / 2) : fail("odd");
 * }
 * const result = half(4);
 * console.log(result.ok ? result.value : result.failure); // 2
 * ```
 */
export type Result<Value, Failure> = Ok<Value> | Fail<Failure>;

/** Wraps a value as a success. */
export function ok<Value>(value: Value): Ok<Value> {
  return { ok: true, value };
}

/** Wraps a reason as an expected failure. */
export function fail<Failure>(failure: Failure): Fail<Failure> {
  return { ok: false, failure };
}
