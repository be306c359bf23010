/**
 * The store failed: broken, slow, locked, or answering nonsense.
 *
 * Thrown, never returned, so that an outage cannot look like a bad token: the
 * guard and the endpoints answer 503 with `Retry-After`. The message names the
 * verb and nothing else. There is no `cause`, because database drivers put SQL
 * and bound parameters into theirs.
 */
export class StoreError extends Error {
  /** Always `StoreError`. */
  override readonly name = "StoreError";
  /** `conflict`: a unique value exists already. `unavailable`: everything else. */
  readonly code: StoreErrorCode;

  /**
   * Makes the error of one failed verb.
   *
   * @param verb What could not be done, such as `find token`
   * @param detail The driver's own error code, such as `SQLITE_BUSY`: anything but a short code is left out
   */
  constructor(verb: string, code: StoreErrorCode = "unavailable", detail?: unknown) {
    super(`Cannot ${verb}: ${MEANING[code]}${isCode(detail) ? ` (${detail})` : ""}`);
    this.code = code;
  }
}

/** What kind of failure a {@link StoreError} is. */
export type StoreErrorCode = "conflict" | "unavailable";

const MEANING: Readonly<Record<StoreErrorCode, string>> = {
  conflict: "a unique value exists already",
  unavailable: "the store failed",
};

/** A code has no room for SQL or data. */
function isCode(detail: unknown): detail is string {
  return typeof detail === "string" && /^[A-Z][A-Z0-9_]{0,39}$/.test(detail);
}
