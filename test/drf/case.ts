/** What a recording looks like. */
import { readFileSync } from "node:fs";
import process from "node:process";
import * as v from "valibot";

/** A request as recorded: each character of a header value is one byte. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: RecordedBody;
}

/** Text is sent as UTF-8. */
export type RecordedBody =
  | null
  | string
  | { readonly base64: string }
  | {
    readonly repeat: {
      readonly prefix: string;
      readonly char: string;
      readonly count: number;
      readonly suffix: string;
    };
  };

/** A change of the database before the request, or another request. */
export interface Setup {
  readonly op: string;
  readonly user?: string | undefined;
  readonly request?: RecordedRequest | undefined;
  readonly [name: string]: unknown;
}

/** A fact about the database after the request. */
export interface After {
  readonly check: string;
  readonly user: string;
  readonly value?: unknown;
  readonly [name: string]: unknown;
}

/** What Django REST framework answered, and how much of it counts. */
export interface RecordedResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly headers_absent: readonly string[];
  readonly headers_regex: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly body_prefix?: string | undefined;
  readonly body_regex?: string | undefined;
  readonly json?: unknown;
}

/** One request with the answer that Django REST framework gave. */
export interface Case {
  readonly id: string;
  readonly group: string;
  readonly note: string;
  readonly setup: readonly Setup[];
  readonly request: RecordedRequest;
  readonly response: RecordedResponse;
  readonly match: "exact" | "json-parse-error" | "token-new" | "regex" | "no-body" | "status";
  readonly raw_exact: boolean;
  readonly after: readonly After[];
  readonly server_specific?: unknown;
  readonly quirk?: unknown;
}

/** The users, passwords, tokens and sessions that every case starts from. */
export interface Fixtures {
  readonly users: readonly {
    readonly id: number | string;
    readonly username: string;
    readonly encoded: string | null;
    readonly is_active: boolean;
    readonly is_staff: boolean;
    readonly is_superuser: boolean;
    readonly token: string | null;
    readonly note: string;
  }[];
  readonly sessions: Readonly<Record<string, string>>;
}

const requestSchema: v.GenericSchema<unknown, RecordedRequest> = v.object({
  method: v.string(),
  path: v.string(),
  headers: v.array(v.tuple([v.string(), v.string()])),
  body: v.optional(
    v.union([
      v.null(),
      v.string(),
      v.object({ base64: v.string() }),
      v.object({
        repeat: v.object({
          prefix: v.string(),
          char: v.string(),
          count: v.number(),
          suffix: v.string(),
        }),
      }),
    ]),
    null,
  ),
});

const caseSchema: v.GenericSchema<unknown, Case> = v.object({
  id: v.string(),
  group: v.string(),
  note: v.optional(v.string(), ""),
  setup: v.optional(
    v.array(v.looseObject({
      op: v.string(),
      user: v.optional(v.string()),
      request: v.optional(requestSchema),
    })),
    [],
  ),
  request: requestSchema,
  response: v.object({
    status: v.number(),
    headers: v.optional(v.record(v.string(), v.string()), {}),
    headers_absent: v.optional(v.array(v.string()), []),
    headers_regex: v.optional(v.record(v.string(), v.string()), {}),
    body: v.optional(v.nullable(v.string()), null),
    body_prefix: v.optional(v.string()),
    body_regex: v.optional(v.string()),
    json: v.optional(v.unknown()),
  }),
  match: v.picklist(["exact", "json-parse-error", "token-new", "regex", "no-body", "status"]),
  raw_exact: v.optional(v.boolean(), false),
  after: v.optional(v.array(v.looseObject({ check: v.string(), user: v.string() })), []),
  server_specific: v.optional(v.unknown()),
  quirk: v.optional(v.unknown()),
});

const fixturesSchema: v.GenericSchema<unknown, Fixtures> = v.object({
  users: v.array(v.object({
    id: v.union([v.number(), v.string()]),
    username: v.string(),
    encoded: v.nullable(v.string()),
    is_active: v.boolean(),
    is_staff: v.boolean(),
    is_superuser: v.boolean(),
    token: v.nullable(v.string()),
    note: v.optional(v.string(), ""),
  })),
  sessions: v.optional(v.record(v.string(), v.string()), {}),
});

/** Reads the recordings: those of the repository, or the file that `DRF_CASES` names. */
export function readCases(): readonly Case[] {
  return v.parse(v.array(caseSchema), readJson("DRF_CASES", "cases.json"));
}

/**
 * Reads cases that nobody recorded.
 *
 * They are written by hand from what is known of the recorded system, in the same form, for
 * operations, deviations and bytes that no recording in the repository has.
 */
export function readRehearsal(): readonly Case[] {
  const file = new URL("rehearsal.json", import.meta.url);
  return v.parse(v.array(caseSchema), JSON.parse(readFileSync(file, "utf8")));
}

/** Reads the state they start from: that of the repository, or the file that `DRF_FIXTURES` names. */
export function readFixtures(): Fixtures {
  return v.parse(fixturesSchema, readJson("DRF_FIXTURES", "fixtures.json"));
}

function readJson(variable: string, name: string): unknown {
  const file = process.env[variable] || new URL(`../fixtures/drf/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8"));
}
