import { sha1 } from "@oslojs/crypto/sha1";
import { encodeHexUpperCase } from "@oslojs/encoding";
import { withDeadline } from "../../src/data/deadline.ts";
import { type Duration, toMilliseconds } from "../../src/pure/duration.ts";
import type { PasswordProblem, PasswordRule } from "../../src/pure/password_rule.ts";

/** Where {@link notBreached} asks, and what it does without an answer. */
export interface BreachedOptions {
  /**
   * Where the ranges are, an absolute URL to which a slash and the five characters are added;
   * `https://api.pwnedpasswords.com/range`, the public service of Have I Been Pwned, by default.
   */
  readonly url?: string;
  /** How long the whole answer may take; 1 second by default. */
  readonly timeout?: Duration;
  /**
   * What becomes of a password that could not be looked up: `"accept"`, the default, because a
   * service that is down must not stop people from signing up, or `"refuse"`.
   */
  readonly onFailure?: "accept" | "refuse";
  /** What sends the request; the runtime's own `fetch` by default. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** Ten times what the public service answers with. */
const LONGEST_ANSWER = 1_000_000;

const LINE = /^([0-9A-F]{35}):([0-9]{1,15})$/;

/**
 * Refuses a password that is known from a data breach, with the code `password_breached`.
 *
 * Asks a range service in the form of Have I Been Pwned. Of the password, only the first five
 * hexadecimal characters of its SHA-1 leave this process, which it shares with about one in a
 * million of all passwords; the service answers with all hashes that begin so, and pads its answer
 * (`Add-Padding`), so that its length tells nothing either. The password is hashed as it was typed.
 *
 * No answer in time, a status other than 200, a redirection, an answer of more than a megabyte
 * (what follows is not read), and one in which any line is not of the expected form are all the
 * same: a failure, for which `onFailure` decides. With `"refuse"` the code is
 * `password_not_checked`. The rule itself never throws: who wants to know of failures gives a
 * `fetch` that tells them.
 *
 * @throws {TypeError} when `url` is not an absolute URL of http or https without user, query and
 * fragment, or `onFailure` is neither word
 * @throws {RangeError} when `timeout` is not a positive whole number of milliseconds
 *
 * @example
 * ```ts
 * import { notBreached } from "latchkey/breached-passwords";
 *
 * // Stands for the service: it has seen "correct horse battery staple" 200 times.
 * const rule = notBreached({
 *   fetch: async (url) => {
 *     console.log(url); // https://api.pwnedpasswords.com/range/ABF7A
 *     return new Response("AD6438836DBE526AA231ABDE2D0EEF74D42:200\r\n");
 *   },
 * });
 * console.log(await rule("correct horse battery staple", { username: "ada" }));
 * // { code: "password_breached", message: "This password is known from a data breach." }
 * ```
 */
export function notBreached(options: BreachedOptions = {}): PasswordRule {
  const url = checkUrl(options.url ?? "https://api.pwnedpasswords.com/range");
  const timeout = toMilliseconds(options.timeout ?? 1_000, "timeout");
  const onFailure = options.onFailure ?? "accept";
  if (onFailure !== "accept" && onFailure !== "refuse") {
    throw new TypeError('Cannot use onFailure: expected "accept" or "refuse"');
  }
  const send = options.fetch ?? ((target, init) => fetch(target, init));

  const breached: PasswordProblem = {
    code: "password_breached",
    message: "This password is known from a data breach.",
  };
  const unknown: PasswordProblem | null = onFailure === "accept" ? null : {
    code: "password_not_checked",
    message: "This password could not be checked. Try again later.",
  };

  return async (password) => {
    const digest = encodeHexUpperCase(sha1(new TextEncoder().encode(password)));
    const controller = new AbortController();
    const answer = readRange(send, `${url}/${digest.slice(0, 5)}`, controller.signal)
      .catch(() => null);
    // No deadline by the signal: a `fetch` need not listen to it, and some miss it at times.
    const range = await withDeadline(answer, timeout, () => null);
    // Whatever is still being sent is not wanted any more.
    controller.abort();
    if (range === null) return unknown;
    return range.has(digest.slice(5)) ? breached : null;
  };
}

/** The endings of the breached hashes in a range; `null` when the answer is not one. */
async function readRange(
  send: NonNullable<BreachedOptions["fetch"]>,
  url: string,
  signal: AbortSignal,
): Promise<ReadonlySet<string> | null> {
  const response = await send(url, {
    headers: { "Add-Padding": "true", "User-Agent": "latchkey" },
    // Not "error", which workerd refuses: a redirection is a status other than 200.
    redirect: "manual",
    signal,
  });
  if (response.status !== 200) return null;
  const text = await readText(response);
  return text === null ? null : parseRange(text);
}

/** The text of an answer, or `null` when it is too long; what is too much is not read. */
async function readText(response: Response): Promise<string | null> {
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  let text = "";
  let size = 0;
  while (reader !== undefined) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > LONGEST_ANSWER) return null;
    text += decoder.decode(value, { stream: true });
  }
  return text + decoder.decode();
}

/** Reads lines of an ending and how often it was seen; those seen 0 times are padding. */
function parseRange(text: string): ReadonlySet<string> | null {
  const endings = new Set<string>();
  for (const line of text.replace(/\r?\n$/, "").split(/\r?\n/)) {
    const [, ending, count] = LINE.exec(line) ?? [];
    if (ending === undefined) return null;
    if (Number(count) > 0) endings.add(ending);
  }
  return endings;
}

function checkUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined || !/^https?:$/.test(url.protocol) ||
    url.username + url.password + url.search + url.hash !== ""
  ) {
    throw new TypeError(
      "Cannot ask the service for breached passwords: " +
        "url must be absolute, of https or http, without user, query and fragment",
    );
  }
  return url.href.replace(/\/$/, "");
}
