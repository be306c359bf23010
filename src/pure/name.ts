/** The longest name of a token, in code points. */
export const MAX_NAME = 100;

/**
 * Whether a text can be the name of a token: at most 100 code points, none of
 * them a control character, a line break or half of a surrogate pair, so that
 * it can stand in a log line.
 */
export function isTokenName(name: string): boolean {
  return typeof name === "string" && name.length <= 2 * MAX_NAME && [...name].length <= MAX_NAME &&
    !/[\p{Cc}\p{Surrogate}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(name);
}
