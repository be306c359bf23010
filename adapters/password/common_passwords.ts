import type { PasswordProblem, PasswordRule } from "../../src/pure/password_rule.ts";
import { commonPasswordList } from "./common_password_list.ts";

/** What Python's `strip` takes for white space. */
const SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005" +
  "\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000";

const SEPARATORS = /^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu;

/** Two passwords of the list, which have 21 characters at most, and some separators. */
const LONGEST_PAIR = 50;

let commonPasswords: ReadonlySet<string> | undefined;

/**
 * Whether a password is on Django's list of 19,727 common ones.
 *
 * As Django compares: in lower case and without white space around it. The list is read at the
 * first call.
 *
 * @example
 * ```ts
 * import { isCommon } from "latchkey/common-passwords";
 *
 * console.log(isCommon(" Password1 ")); // true
 * console.log(isCommon("correct horse battery staple")); // false
 * ```
 */
export function isCommon(password: string): boolean {
  return isListed(normalize(password));
}

/**
 * Refuses a common password, and two of them side by side, with the code `password_too_common`.
 *
 * Common are those of {@link isCommon}. Few of them, 42, have 15 characters or more, so that the
 * list alone hardly ever meets a password that `minLength()` lets pass; two of them in a row,
 * such as `sunshine-superman1`, are what it takes to fill that length, and an attacker's next
 * guess. Spaces and signs around and between the two make no difference. The whole password is
 * compared, never a part of it: three words are a passphrase and none of this rule's business.
 *
 * @example
 * ```ts
 * import { notCommon } from "latchkey/common-passwords";
 *
 * const rule = notCommon();
 * console.log(await rule("Sunshine-Superman1", { username: "ada" }));
 * // { code: "password_too_common", message: "This password is among the first that others would try." }
 * console.log(await rule("sunshine over quiet hills", { username: "ada" })); // null
 * ```
 */
export function notCommon(): PasswordRule {
  const problem: PasswordProblem = {
    code: "password_too_common",
    message: "This password is among the first that others would try.",
  };
  return (password) => {
    const text = normalize(password);
    return isListed(text) || isListedPair(text) ? problem : null;
  };
}

function isListedPair(text: string): boolean {
  if (text.length > LONGEST_PAIR) return false;
  const bare = (part: string) => isListed(part) || isListed(part.replace(SEPARATORS, ""));
  for (let end = 1; end < text.length; end++) {
    if (bare(text.slice(0, end)) && bare(text.slice(end))) return true;
  }
  return false;
}

function isListed(text: string): boolean {
  commonPasswords ??= new Set(commonPasswordList.trim().split(/[|\n]/));
  return commonPasswords.has(text);
}

function normalize(password: string): string {
  let start = 0;
  let end = password.length;
  while (start < end && SPACES.includes(password.charAt(start))) start += 1;
  while (start < end && SPACES.includes(password.charAt(end - 1))) end -= 1;
  return password.slice(start, end).toLowerCase();
}
