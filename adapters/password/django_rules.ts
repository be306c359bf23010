import type {
  PasswordContext,
  PasswordProblem,
  PasswordRule,
} from "../../src/pure/password_rule.ts";
import { isCommon } from "./common_passwords.ts";

const MAX_SIMILARITY = 0.7;

/** What the texts call an attribute of the user, in the order in which they are compared. */
const ATTRIBUTES: readonly (readonly [keyof PasswordContext, string])[] = [
  ["username", "username"],
  ["firstName", "first name"],
  ["lastName", "last name"],
  ["email", "email address"],
];

/** Characters that Python's `str.isdigit` knows: decimal digits, and digits in another dress. */
const DIGITS = new RegExp(
  "^[\\p{Nd}\\u00b2\\u00b3\\u00b9\\u1369-\\u1371\\u19da\\u2070\\u2074-\\u2079\\u2080-\\u2089" +
    "\\u2460-\\u2468\\u2474-\\u247c\\u2488-\\u2490\\u24ea\\u24f5-\\u24fd\\u24ff\\u2776-\\u277e" +
    "\\u2780-\\u2788\\u278a-\\u2792\\u{10a40}-\\u{10a43}\\u{10e60}-\\u{10e68}" +
    "\\u{11052}-\\u{1105a}\\u{1f100}-\\u{1f10a}]+$",
  "u",
);

/**
 * The four password validators of Django in their default order, with its codes and English texts.
 *
 * For applications whose users and clients know them; NIST SP 800-63B-4 and OWASP ASVS 5 ask for
 * what `defaultPasswordRules` does instead. They refuse a password that is
 *
 * 1. at least 0.7 similar to the username, a name or the e-mail address, or to a part of one
 *    (`password_too_similar`; an empty or absent one is not compared);
 * 2. shorter than 8 code points (`password_too_short`);
 * 3. on Django's list of common passwords (`password_too_common`);
 * 4. nothing but digits, of any script, also `²` and `①` (`password_entirely_numeric`).
 *
 * Similar means: with this share of their characters in common, in whatever order. It was tried
 * against Django 3.2; which characters are letters and digits is the runtime's Unicode version.
 *
 * @example
 * ```ts
 * import { djangoPasswordRules } from "latchkey/django-rules";
 *
 * for (const rule of djangoPasswordRules()) {
 *   const problem = await rule("1234567", { username: "shivam.kumar" });
 *   if (problem !== null) console.log(problem.message);
 * }
 * // This password is too short. It must contain at least 8 characters.
 * // This password is too common.
 * // This password is entirely numeric.
 * ```
 */
export function djangoPasswordRules(): readonly PasswordRule[] {
  return [refuseSimilar, refuseShort, refuseCommon, refuseNumeric];
}

function refuseSimilar(password: string, context: PasswordContext): PasswordProblem | null {
  const characters = [...password.toLowerCase()];
  const found = ATTRIBUTES.find(([attribute]) => {
    const value = context[attribute]?.toLowerCase() ?? "";
    if (value === "") return false;
    return [...value.split(/[^\p{L}\p{N}_]+/u), value].some((part) => {
      const other = [...part];
      return !differInLength(characters.length, other.length) &&
        measureSimilarity(characters, other) >= MAX_SIMILARITY;
    });
  });
  if (found === undefined) return null;
  return {
    code: "password_too_similar",
    message: `The password is too similar to the ${found[1]}.`,
  };
}

function refuseShort(password: string): PasswordProblem | null {
  if ([...password].length >= 8) return null;
  return {
    code: "password_too_short",
    message: "This password is too short. It must contain at least 8 characters.",
  };
}

function refuseCommon(password: string): PasswordProblem | null {
  if (!isCommon(password)) return null;
  return { code: "password_too_common", message: "This password is too common." };
}

function refuseNumeric(password: string): PasswordProblem | null {
  if (!DIGITS.test(password)) return null;
  return { code: "password_entirely_numeric", message: "This password is entirely numeric." };
}

/** Whether a password is so much longer than a value that they need not be compared. */
function differInLength(password: number, value: number): boolean {
  return password >= 10 * value && value < MAX_SIMILARITY / 2 * password;
}

/** The share of the characters of both that have a partner in the other: `quick_ratio` of Python. */
function measureSimilarity(one: readonly string[], other: readonly string[]): number {
  const available = new Map<string, number>();
  for (const character of other) available.set(character, (available.get(character) ?? 0) + 1);
  let matches = 0;
  for (const character of one) {
    const count = available.get(character) ?? 0;
    if (count === 0) continue;
    available.set(character, count - 1);
    matches += 1;
  }
  const total = one.length + other.length;
  return total === 0 ? 1 : 2 * matches / total;
}
