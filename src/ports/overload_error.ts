/**
 * There is more to hash than the server may have under way at once.
 *
 * Thrown, never returned, as it says nothing about a credential: the endpoints
 * answer 503 with `Retry-After`. Nothing was done; the same call may be repeated.
 */
export class OverloadError extends Error {
  /** Always `OverloadError`. */
  override readonly name = "OverloadError";

  constructor() {
    super("Cannot hash a password now: too many are waiting");
  }
}
