import { StoreError } from "../../src/ports/store_error.ts";

/** What a failed statement means for the one who ran it. */
export interface Failure {
  /** `busy`: nothing was done and it may be repeated. `no_tables`: the schema is not there. */
  readonly kind: "busy" | "no_tables" | "conflict" | "other";
  /** The driver's most precise code. */
  readonly code: string | undefined;
}

/**
 * Sorts what a driver threw.
 *
 * A local driver tells the extended code, sometimes only in a cause; a remote
 * server tells the basic code, so there the message decides. The message is
 * read and never passed on.
 */
export function classifyFailure(error: unknown): Failure {
  const codes: string[] = [];
  let messages = "";
  let current = error;
  for (let depth = 0; depth < 4 && typeof current === "object" && current !== null; depth++) {
    if ("extendedCode" in current && typeof current.extendedCode === "string") {
      codes.push(current.extendedCode);
    }
    if ("code" in current && typeof current.code === "string") codes.push(current.code);
    if ("message" in current && typeof current.message === "string") messages += current.message;
    current = "cause" in current ? current.cause : null;
  }
  const code = codes.find((known) => EXTENDED.test(known)) ?? codes[0];
  if (codes.some((known) => UNIQUE.test(known))) return { kind: "conflict", code };
  if (codes.some((known) => BUSY.test(known))) return { kind: "busy", code };
  if (code === "SQLITE_CONSTRAINT" && messages.includes("UNIQUE constraint failed")) {
    return { kind: "conflict", code };
  }
  return { kind: NO_TABLES.test(messages) ? "no_tables" : "other", code };
}

/** The error for the caller: the verb, the kind and the code, nothing of the driver's own text. */
export function toStoreError(verb: string, failure: Failure): StoreError {
  return new StoreError(
    verb,
    failure.kind === "conflict" ? "conflict" : "unavailable",
    failure.code,
  );
}

const EXTENDED = /^SQLITE_[A-Z]+_/;
const UNIQUE = /^SQLITE_CONSTRAINT_(?:UNIQUE|PRIMARYKEY|ROWID)$/;
const BUSY = /^SQLITE_(?:BUSY|LOCKED)(?:_|$)/;
const NO_TABLES = /no such table: (?:main\.)?latchkey_(?:token|user|attempt|event|schema)\b/;
