/** Compares an answer with the recorded one. */
import { isDeepStrictEqual } from "node:util";
import type { Case } from "./case.ts";
import { SOME_CLASS } from "./views.ts";
import type { WireAnswer } from "./wire.ts";

/** Names of classes that the recorded views answer with, as far as they are the framework's own. */
const KNOWN_CLASSES: readonly unknown[] = [
  "TokenAuthentication",
  "SessionAuthentication",
  "BasicAuthentication",
  "BearerAuth",
];

/** What differs from the recording, one line each; none when the answer is the recorded one. */
export function findDifferences(recording: Case, answer: WireAnswer): readonly string[] {
  const { response } = recording;
  const differences: string[] = [];
  const expect = (what: string, expected: unknown, got: unknown, holds: boolean) => {
    if (!holds) differences.push(`${what}: expected ${show(expected)}, got ${show(got)}`);
  };

  expect("status", response.status, answer.status, response.status === answer.status);
  const patterns = new Map(
    Object.entries(response.headers_regex).map(([name, pattern]) => [name.toLowerCase(), pattern]),
  );
  for (const [name, expected] of Object.entries(response.headers)) {
    const got = answer.headers.get(name.toLowerCase());
    const pattern = patterns.get(name.toLowerCase());
    if (isIgnored(name)) continue;
    if (pattern === undefined) expect(name, expected, got, got === expected);
    else expect(name, pattern, got, got !== undefined && new RegExp(pattern).test(got));
  }
  for (const name of response.headers_absent) {
    const got = answer.headers.get(name.toLowerCase());
    if (!isIgnored(name)) expect(name, undefined, got, got === undefined);
  }
  expect("body", describeBody(recording), answer.body, matchesBody(recording, answer.body));
  return differences;
}

/** Which representations a view has is the application's. */
function isIgnored(name: string): boolean {
  return name.toLowerCase() === "vary";
}

function describeBody({ match, response, raw_exact }: Case): unknown {
  switch (match) {
    case "json-parse-error":
      return `${response.body_prefix}…`;
    case "token-new":
    case "regex":
      return response.body_regex;
    case "no-body":
      return "";
    default:
      return raw_exact ? response.body : response.json ?? response.body;
  }
}

function matchesBody({ match, response, raw_exact }: Case, body: string): boolean {
  switch (match) {
    case "status":
      return true;
    case "no-body":
      return body === "";
    case "json-parse-error":
      return response.body_prefix !== undefined && body.startsWith(response.body_prefix);
    case "token-new":
    case "regex":
      return response.body_regex !== undefined && new RegExp(response.body_regex).test(body);
    case "exact": {
      if (raw_exact || response.json === undefined) return body === (response.body ?? "");
      const got = parseJson(body);
      return isDeepStrictEqual(got, response.json) ||
        isDeepStrictEqual(got, hideUnknownClass(response.json));
    }
  }
}

/** The Python name of a class of the recorded application is not the library's to know. */
function hideUnknownClass(json: unknown): unknown {
  const hides = typeof json === "object" && json !== null && "authenticator" in json &&
    typeof json.authenticator === "string" && !KNOWN_CLASSES.includes(json.authenticator);
  return hides ? { ...json, authenticator: SOME_CLASS } : json;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function show(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}
