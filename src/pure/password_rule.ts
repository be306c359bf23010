import { MAX_PASSWORD_BYTES } from "./password.ts";

/** What a rule may know of the user whose password it is. */
export interface PasswordContext {
  /** As it is stored; empty when there is none yet. */
  readonly username: string;
  /** The whole e-mail address. */
  readonly email?: string;
  /** The first name. */
  readonly firstName?: string;
  /** The last name. */
  readonly lastName?: string;
}

/** Why a rule refuses a password. */
export interface PasswordProblem {
  /** What is wrong, for a program: stable `snake_case`, such as `password_too_short`. */
  readonly code: string;
  /** What is wrong, for the person: a sentence that never quotes the password. */
  readonly message: string;
}

/**
 * Looks at a new password; `null` when it has nothing against it.
 *
 * A rule sees the password as it was typed. What it throws, or rejects with,
 * stops the operation: a rule that asks a service decides by itself what an
 * outage means.
 *
 * @example
 * ```ts
 * import type { PasswordRule } from "latchkey";
 *
 * const notOurSlogan: PasswordRule = (password) =>
 *   password.toLowerCase() === "we ship what we promise"
 *     ? { code: "password_too_common", message: "This password is our slogan." }
 *     : null;
 * console.log(notOurSlogan("We ship what we promise", { username: "ada" }) !== null); // true
 * ```
 */
export type PasswordRule = (
  password: string,
  context: PasswordContext,
) => PasswordProblem | null | Promise<PasswordProblem | null>;

/** No password may be shorter, and no more than this may be spared by a known word in it. */
const FLOOR = 8;

/** The shortest word to look for: shorter ones are in too many good passwords. */
const SHORTEST_WORD = 4;

/** What people type in a row: the alphabet, the digits, and the rows of three keyboards. */
const ROWS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ 01234567890 QWERTYUIOP ASDFGHJKL ZXCVBNM " +
  "QWERTZUIOP YXCVBNM AZERTYUIOP QSDFGHJKLM WXCVBN";

/**
 * Refuses a password of fewer code points, with the code `password_too_short`.
 *
 * 15 by default, as NIST SP 800-63B-4 §3.1.1.2 asks of a password that is the only
 * factor; 8, the least of all, is for applications with a second one.
 *
 * @throws {RangeError} when `length` is not a whole number from 8 to 4,096
 *
 * @example
 * ```ts
 * import { minLength } from "latchkey";
 *
 * const rule = minLength();
 * console.log(await rule("open sesame", { username: "ada" }));
 * // { code: "password_too_short", message: "This password is too short: use at least 15 characters." }
 * console.log(await rule("open sesame, open", { username: "ada" })); // null
 * ```
 */
export function minLength(length = 15): PasswordRule {
  if (!Number.isInteger(length) || length < FLOOR || length > MAX_PASSWORD_BYTES) {
    throw new RangeError(
      `Cannot ask for passwords of at least ${length} characters: ` +
        `choose a whole number from ${FLOOR} to ${MAX_PASSWORD_BYTES}, best 15`,
    );
  }
  const problem: PasswordProblem = {
    code: "password_too_short",
    message: `This password is too short: use at least ${length} characters.`,
  };
  return (password) => [...password].length < length ? problem : null;
}

/**
 * Refuses a password that is little more than words an attacker tries first, with the code
 * `password_too_similar`.
 *
 * Those words are the username, the e-mail address, the names, and the application's own
 * `words`: its name, its maker's, its products' (OWASP ASVS 5, 6.1.2 and 6.2.11). Each counts as
 * a whole, without its separators, and in its parts between them, from 4 characters on; neither
 * case nor accents make a difference.
 *
 * The whole password decides, as NIST SP 800-63B-4 §3.1.1.2 asks: it is refused only when it
 * holds such a word and fewer than 8 characters are left without all of them. Characters that
 * only continue a repetition or a sequence (`123`) are not counted. So a long passphrase may
 * hold the application's name. Spellings such as `4cm3` for `acme` are not seen through.
 *
 * @throws {RangeError} when one of `words` has no part of at least 4 characters
 *
 * @example
 * ```ts
 * import { noContext } from "latchkey";
 *
 * const rule = noContext(["Acme Cloud"]);
 * const context = { username: "shivam.kumar" };
 * console.log(await rule("ShivamKumar123456", context) === null); // false
 * console.log(await rule("acmecloud-2026!", context) === null); // false
 * console.log(await rule("seven herons above acme", context) === null); // true
 * ```
 */
export function noContext(words: readonly string[] = []): PasswordRule {
  const own = words.flatMap((word) => {
    const parts = listParts(word);
    if (parts.length > 0) return parts;
    throw new RangeError(
      `Cannot keep ${JSON.stringify(word)} out of passwords: ` +
        `leave it out, or give a word of at least ${SHORTEST_WORD} characters`,
    );
  });
  const problem: PasswordProblem = {
    code: "password_too_similar",
    message: "This password is little more than your name, your e-mail address or our name.",
  };
  return (password, { username, email = "", firstName = "", lastName = "" }) => {
    const personal = [username, email, firstName, lastName].flatMap(listParts);
    const text = fold(password);
    const left = [...own, ...personal]
      // The longest first, so that no part is taken out of a whole word.
      .sort((one, other) => other.length - one.length)
      .reduce((rest, word) => rest.replaceAll(word, ""), text);
    return left !== text && countUnforeseen(left) < FLOOR ? problem : null;
  };
}

/**
 * Refuses a password that is at least half repetition or sequence, with the code
 * `password_too_repetitive`.
 *
 * Repetitions are one character, or one text, again and again; sequences are three or more
 * characters in a row of the alphabet, the digits or a keyboard, in either direction. Case makes
 * no difference. Doubled letters and short runs in a longer password do no harm.
 *
 * @example
 * ```ts
 * import { notRepetitive } from "latchkey";
 *
 * const rule = notRepetitive();
 * console.log(await rule("123456789012345", { username: "ada" }) === null); // false
 * console.log(await rule("sunshine sunshine", { username: "ada" }) === null); // false
 * console.log(await rule("sunshine over 123 hills", { username: "ada" }) === null); // true
 * ```
 */
export function notRepetitive(): PasswordRule {
  const problem: PasswordProblem = {
    code: "password_too_repetitive",
    message: "This password repeats itself or follows a simple sequence.",
  };
  return (password) => {
    const text = fold(password);
    // One more character, because a separator between two copies is not repeated.
    const half = ([...text].length + 1) / 2;
    return text !== "" && countUnforeseen(findUnit(text)) <= half ? problem : null;
  };
}

/** The rules for new passwords that hold when an application names none. */
export const defaultPasswordRules: readonly PasswordRule[] = [
  minLength(),
  noContext(),
  notRepetitive(),
];

/**
 * One text for all spellings with the same letters, whatever their case and accents. Upper case,
 * because a Greek sigma has two lower-case forms.
 */
function fold(text: string): string {
  return text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").normalize("NFC").toUpperCase();
}

/** The words that a value is good for: itself, with and without its separators, and its parts. */
function listParts(value: string): readonly string[] {
  const text = fold(value);
  const parts = text.split(/[^\p{L}\p{M}\p{N}]+/u);
  return [text, parts.join(""), ...parts].filter((word) => [...word].length >= SHORTEST_WORD);
}

/**
 * What a text repeats; the whole text when it does not hold anything twice. Knuth, Morris and
 * Pratt's way, because comparing at every distance takes long with a long hostile password.
 */
function findUnit(text: string): string {
  // For each beginning of the text, how much of it is also its own end.
  const borders = [0];
  let border = 0;
  for (let index = 1; index < text.length; index++) {
    while (border > 0 && text.charAt(index) !== text.charAt(border)) {
      border = borders[border - 1] ?? 0;
    }
    if (text.charAt(index) === text.charAt(border)) border += 1;
    borders.push(border);
  }
  const size = text.length - border;
  return 2 * size <= text.length + 1 ? text.slice(0, size) : text;
}

/** Counts the characters but those that continue a run: 2 in `AAAAAA` and in `123456`. */
function countUnforeseen(text: string): number {
  const characters = [...text];
  const rows = [ROWS, [...ROWS].reverse().join("")];
  return characters.filter((character, index) => {
    const [first = "", second = ""] = characters.slice(Math.max(0, index - 2), index);
    const run = first + second + character;
    return second === "" ||
      !(run === character.repeat(3) || rows.some((row) => row.includes(run)));
  }).length;
}
