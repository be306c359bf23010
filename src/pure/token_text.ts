const REDACTED = "[token]";

/**
 * The text of a new token: the one moment at which the library has it.
 *
 * Logged or serialised it reads `[token]`, inspected it shows nothing; only
 * {@link reveal} gives the text. Show it to its owner once and keep no copy.
 *
 * @example
 * ```ts
 * import { TokenText } from "latchkey";
 *
 * const text = new TokenText("lk_secret");
 * console.log(`${text}`, JSON.stringify({ text })); // [token] {"text":"[token]"}
 * console.log(text.reveal()); // lk_secret
 * ```
 */
export class TokenText {
  readonly #text: string;

  /** Wraps the text of a token. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The text itself. */
  reveal(): string {
    return this.#text;
  }

  /** Always `[token]`. */
  toString(): string {
    return REDACTED;
  }

  /** Always `[token]`. */
  toJSON(): string {
    return REDACTED;
  }
}
