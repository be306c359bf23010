import { toJsonSchema } from "@valibot/to-json-schema";
import type * as v from "valibot";
import type { CharFieldRules } from "../../src/http/field.ts";
import { type JsonObject, toJson } from "./json.ts";

/** The JSON Schema of what a valibot schema takes. Throws for one that JSON Schema cannot describe. */
export function describeInput(schema: v.GenericSchema): JsonObject {
  const described = toJsonSchema(schema, {
    target: "draft-2020-12",
    typeMode: "input",
    errorMode: "throw",
    overrideAction({ valibotAction }) {
      const metadata = valibotAction.type === "metadata" && "metadata" in valibotAction
        ? valibotAction.metadata
        : null;
      return hasRules(metadata) ? describeText(metadata.charField) : null;
    },
  });
  const { $schema: _dialect, ...rest } = toJson(described);
  return rest;
}

function hasRules(metadata: unknown): metadata is { readonly charField: CharFieldRules } {
  return typeof metadata === "object" && metadata !== null && "charField" in metadata;
}

// Inside a character class; as escapes, so that the description is printable ASCII.
const SURROGATES = "\\ud800-\\udfff";
const CONTROLS = "\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069";
const SPACES = "\\s\\u001c-\\u001f\\u0085";

/**
 * What a client should send for a text. (Numbers are taken for texts as well,
 * and white space around a text does not count: a description need not invite that.)
 */
function describeText({ trim, maxLength, singleLine }: CharFieldRules) {
  const refused = `${singleLine ? CONTROLS : "\\u0000"}${SURROGATES}`;
  const visible = `[^${refused}${SPACES}]`;
  return {
    type: "string" as const,
    minLength: 1,
    ...(maxLength === null ? {} : { maxLength }),
    pattern: trim ? `^[^${refused}]*${visible}[^${refused}]*$` : `^[^${refused}]+$`,
  };
}
