import * as v from "valibot";
import type { Denial, InputErrors } from "../ports/dialect.ts";

/** How a text field is read. */
export interface CharFieldOptions {
  /** Whether white space around the text is cut off first; `true` when absent. */
  readonly trim?: boolean;
  /** The most code points the text may have; no limit when absent. */
  readonly maxLength?: number;
}

/** What a description of the API tells of a text field, as valibot metadata. */
export interface CharFieldRules {
  /** Whether white space around the text is cut off first. */
  readonly trim: boolean;
  /** The most code points the text may have; `null` for no limit. */
  readonly maxLength: number | null;
  /** Whether control characters and line breaks are refused too. */
  readonly singleLine: boolean;
}

/** A valibot schema that turns a submitted value into text. */
export type CharField = v.SchemaWithPipe<
  readonly [
    v.UnknownSchema,
    // Spelled out, so that what is public names nothing that is not: it is `CharFieldRules`.
    v.MetadataAction<unknown, {
      readonly charField: {
        readonly trim: boolean;
        readonly maxLength: number | null;
        readonly singleLine: boolean;
      };
    }>,
    v.RawTransformAction<unknown, string>,
  ]
>;

/** What Python's `str.strip` takes for white space. It is not what JavaScript's `trim` does. */
const SPACE =
  "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const LEADING = new RegExp(`^${SPACE}+`);
const IS_SPACE = new RegExp(SPACE);

/**
 * A text field with the rules and sentences of Django REST framework's `CharField`.
 *
 * Numbers become text; booleans, lists, objects and files are refused, and so
 * are null, blank text, NUL and lone surrogates. For use inside a valibot
 * `object` schema, beside any other schema.
 *
 * @example
 * ```ts
 * import { charField } from "latchkey";
 * import * as v from "valibot";
 *
 * const Login = v.object({ username: charField({ maxLength: 20 }), password: charField() });
 * console.log(v.parse(Login, { username: " ada ", password: 12345 }).username); // ada
 * ```
 */
export function charField(options: CharFieldOptions = {}): CharField {
  const { trim = true, maxLength = Infinity } = options;
  const rules = { trim, maxLength: options.maxLength ?? null, singleLine: false };
  return v.pipe(
    v.unknown(),
    v.metadata({ charField: rules }),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const refuse = (message: string): never => {
        addIssue({ message });
        return NEVER;
      };
      const { value } = dataset;
      if (value === null) return refuse("This field may not be null.");
      if (typeof value !== "string" && typeof value !== "number") {
        return refuse("Not a valid string.");
      }
      const text = trim ? trimSpace(String(value)) : String(value);
      if (text === "") return refuse("This field may not be blank.");
      const messages = findErrors(text, maxLength);
      for (const message of messages) addIssue({ message });
      return messages.length > 0 ? NEVER : text;
    }),
  );
}

function findErrors(text: string, maxLength: number): readonly string[] {
  const messages: string[] = [];
  if (text.length > maxLength && [...text].length > maxLength) {
    messages.push(`Ensure this field has no more than ${maxLength} characters.`);
  }
  if (text.includes("\0")) messages.push("Null characters are not allowed.");
  const surrogate = /\p{Surrogate}/u.exec(text)?.[0].charCodeAt(0).toString(16).toUpperCase();
  if (surrogate !== undefined) {
    messages.push(`Surrogate characters are not allowed: U+${surrogate}.`);
  }
  return messages;
}

/** Cuts from the end by hand: a pattern for it would be quadratic. */
function trimSpace(text: string): string {
  const started = text.replace(LEADING, "");
  let end = started.length;
  while (end > 0 && IS_SPACE.test(started.charAt(end - 1))) end--;
  return started.slice(0, end);
}

/**
 * Sorts the issues of a failed valibot parse by field.
 *
 * A missing key reads "This field is required."; every other message is the
 * schema's own, once per field.
 */
export function toInputErrors(issues: readonly v.BaseIssue<unknown>[]): InputErrors {
  const fields = new Map<string, string[]>();
  const form: string[] = [];
  for (const { path, message, input } of issues) {
    const field = path?.[0]?.key;
    const text = input === undefined ? "This field is required." : message;
    if (typeof field !== "string") form.push(message);
    else {
      // Of a long list each item may have the same issue: once is enough, and linear.
      const known = fields.get(field) ?? [];
      if (!known.includes(text)) fields.set(field, [...known, text]);
    }
  }
  return { fields: Object.fromEntries(fields), form };
}

/** The denial of an input in which one field is wrong. */
export function refuseField(field: string, ...messages: readonly string[]): Denial {
  return { reason: "invalid_input", errors: { fields: { [field]: messages }, form: [] } };
}
