/** A scope by the grammar of RFC 6749 §3.3. */
export const SCOPE: RegExp = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;
/** The most scopes that a token can have. */
export const MAX_SCOPES = 64;

/**
 * Checks a list of scopes and returns it without repetitions.
 *
 * A scope is an exact string of the grammar of RFC 6749 §3.3: printable ASCII
 * without space, `"` and `\`. There is no wildcard: `*` is a scope like any other.
 *
 * @throws {RangeError} when a scope has another form, is not in `declared`, or there are more than 64
 */
export function checkScopes<Scope extends string>(
  scopes: readonly Scope[],
  declared: readonly string[] | null,
): readonly Scope[] {
  const unique = [...new Set(scopes)];
  if (unique.length > MAX_SCOPES) {
    throw new RangeError(`Cannot use these scopes: more than ${MAX_SCOPES}`);
  }
  for (const scope of unique) {
    if (typeof scope !== "string" || !SCOPE.test(scope)) {
      throw new RangeError(
        "Cannot use this scope: expected printable ASCII without space, quote and backslash",
      );
    }
    if (declared !== null && !declared.includes(scope)) {
      throw new RangeError(
        `Cannot use the scope ${scope}: it is not declared in defineAuth({ scopes })`,
      );
    }
  }
  return unique;
}
