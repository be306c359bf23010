import { StoreError } from "../../src/ports/store_error.ts";
import type { AttemptLimit, AttemptWindow, Revocation, TokenUse } from "../../src/ports/store.ts";
import type { AuthEvent } from "../../src/pure/event.ts";
import type { OwnedToken, RevokedReason, TokenDraft, TokenRecord } from "../../src/pure/record.ts";
import type { User, UserRecord } from "../../src/pure/user.ts";
import type { Row } from "./libsql_connection.ts";

/*
 * The boundary between SQLite, where any column can hold any type, and records.
 * Outwards, a value that would come back changed is refused; inwards, a row
 * that is not a whole record is. Both are a StoreError, so neither can pass
 * for an answer.
 */

/**
 * Whether text comes back from libSQL as it went in.
 *
 * The driver cuts text at a NUL when it reads it, and replaces a lone
 * surrogate when it writes it, which would make different names equal.
 * Nothing of that kind is ever stored, so nothing of that kind is ever found.
 */
export function isStorable(text: string): boolean {
  return typeof text === "string" && !text.includes("\0") && !LONE_SURROGATE.test(text);
}

/** The arguments that insert a token, by column. */
export function writeToken(token: TokenDraft, verb: string): Readonly<Record<string, Column>> {
  if (!token.scopes.every(isStorableScope)) throw unstorable(verb);
  const { rotation } = token;
  return {
    id: writeText(token.id, verb),
    owner: writeText(token.owner, verb),
    epoch: writeOptional(token.epoch, writeInteger, verb),
    digest: writeText(token.digest, verb),
    pepper: writeOptional(token.pepper, writeText, verb),
    name: writeText(token.name, verb),
    hint: writeText(token.hint, verb),
    scopes: token.scopes.join(" "),
    slot: writeOptional(token.slot, writeText, verb),
    created_at: writeInteger(token.createdAt, verb),
    expires_at: writeOptional(token.expiresAt, writeInteger, verb),
    idle_timeout: writeOptional(token.idleTimeout, writeInteger, verb),
    last_used_at: writeOptional(token.lastUsedAt, writeInteger, verb),
    revoked_at: writeOptional(token.revokedAt, writeInteger, verb),
    revoked_reason: writeOptional(token.revokedReason, writeReason, verb),
    family: writeText(token.family, verb),
    predecessor: rotation === null ? null : writeText(rotation.predecessor, verb),
    overlap_until: rotation === null ? null : writeInteger(rotation.overlapUntil, verb),
    nonce: rotation === null ? null : writeText(rotation.nonce, verb),
  };
}

/** The arguments that insert a user, by column. */
export function writeUser(user: UserRecord, verb: string): Readonly<Record<string, Column>> {
  return {
    id: writeText(user.id, verb),
    username: writeText(user.username, verb),
    is_active: writeFlag(user.isActive, verb),
    is_staff: writeFlag(user.isStaff, verb),
    is_superuser: writeFlag(user.isSuperuser, verb),
    epoch: writeInteger(user.epoch, verb),
    password: writeOptional(user.password, writeText, verb),
    created_at: writeInteger(user.createdAt, verb),
  };
}

/** The arguments of a revocation. */
export function writeRevocation(
  { at, reason }: Revocation,
  verb: string,
): { readonly at: number; readonly reason: string } {
  return { at: writeInteger(at, verb), reason: writeReason(reason, verb) };
}

/** Uses as JSON, for one argument. Ids that cannot be stored are left out: no token has them. */
export function writeUses(uses: readonly TokenUse[], verb: string): string {
  const pairs = uses.map(({ id, usedAt }): readonly [string, number] => [
    id,
    writeInteger(usedAt, verb),
  ]);
  return JSON.stringify(pairs.filter(([id]) => isStorable(id)));
}

/** Limits as JSON, for one argument. An end of a window that no number holds exactly is refused too. */
export function writeLimits(
  limits: readonly AttemptLimit[],
  now: number,
  verb: string,
): string {
  return JSON.stringify(limits.map(({ key, max, window, longest }) => {
    for (const length of [window, longest]) writeInteger(now + writeInteger(length, verb), verb);
    return [writeText(key, verb), writeInteger(max, verb), window, longest];
  }));
}

/** Keys and ends as JSON, for one argument. Keys that cannot be stored are left out: no window has them. */
export function writeWindows(windows: readonly AttemptWindow[], verb: string): string {
  const pairs = windows.map(({ key, endsAt }): readonly [string, number] => [
    key,
    writeInteger(endsAt, verb),
  ]);
  return JSON.stringify(pairs.filter(([key]) => isStorable(key)));
}

/** Events as JSON, for one argument: of each the columns in their order, the last one JSON itself. */
export function writeEvents(events: readonly AuthEvent[], verb: string): string {
  return JSON.stringify(events.map((event) => {
    if (Object.values<unknown>(event).includes(undefined)) throw unstorable(verb);
    const { at, type, owner = null, token = null, ...detail }: EventFields = event;
    for (const value of Object.values(detail)) {
      if (typeof value === "number") writeInteger(value, verb);
      else writeText(value ?? "", verb);
    }
    return [
      writeInteger(at, verb),
      writeText(type, verb),
      writeOptional(owner, writeText, verb),
      writeOptional(token, writeText, verb),
      JSON.stringify(detail),
    ];
  }));
}

/** Refuses text that {@link isStorable} refuses. */
export function writeText(text: string, verb: string): string {
  if (!isStorable(text)) throw unstorable(verb);
  return text;
}

/** Refuses everything but an integer that a number holds exactly. */
export function writeInteger(value: number, verb: string): number {
  if (!Number.isSafeInteger(value)) throw unstorable(verb);
  return value;
}

/** `true` is 1 and `false` is 0. */
export function writeFlag(value: boolean, verb: string): number {
  if (typeof value !== "boolean") throw unstorable(verb);
  return value ? 1 : 0;
}

/** Reads the one column of a lookup, which holds all others as JSON. */
export function readFoundToken(row: Row, verb: string): OwnedToken {
  const columns: unknown = JSON.parse(readText(row[0], verb));
  if (!Array.isArray(columns)) throw malformed(verb);
  return readOwnedToken(columns, verb);
}

/** Reads the columns of a token and, behind them, those of its owner and its successor. */
export function readOwnedToken(row: Row, verb: string): OwnedToken {
  const user = row[19] === null ? null : readUser(row, 19, verb);
  return {
    token: readToken(row, verb),
    user,
    epoch: user?.epoch ?? null,
    successor: row[25] === null
      ? null
      : { id: readText(row[25], verb), overlapUntil: readInteger(row[26], verb) },
  };
}

/** Reads the columns of a token. */
export function readToken(row: Row, verb: string): TokenRecord {
  const id = readText(row[0], verb);
  const revokedAt = readOptional(row[13], readInteger, verb);
  const family = readText(row[15], verb);
  return {
    id,
    owner: readText(row[1], verb),
    epoch: readInteger(row[2], verb),
    digest: readText(row[3], verb),
    pepper: readOptional(row[4], readText, verb),
    name: readText(row[5], verb),
    hint: readText(row[6], verb),
    scopes: readScopes(row[7], verb),
    slot: readOptional(row[8], readText, verb),
    createdAt: readInteger(row[9], verb),
    expiresAt: readOptional(row[10], readInteger, verb),
    idleTimeout: readOptional(row[11], readInteger, verb),
    lastUsedAt: readOptional(row[12], readInteger, verb),
    revokedAt,
    revokedReason: revokedAt === null ? null : readReason(row[14], verb),
    // A program of the version before, still running during an upgrade, names no family.
    family: family === "" ? id : family,
    rotation: row[16] === null ? null : {
      predecessor: readText(row[16], verb),
      overlapUntil: readInteger(row[17], verb),
      nonce: readText(row[18], verb),
    },
  };
}

/** Reads the columns of a user with the stored password. */
export function readUserRecord(row: Row, verb: string): UserRecord {
  return {
    ...readUser(row, 0, verb),
    password: readOptional(row[6], readText, verb),
    createdAt: readInteger(row[7], verb),
  };
}

/** Reads the columns of a window of attempts. */
export function readWindow(row: Row, verb: string): AttemptWindow {
  return {
    key: readText(row[0], verb),
    count: readInteger(row[1], verb),
    endsAt: readInteger(row[2], verb),
  };
}

/** Reads the windows of these keys, in the order of the keys; each has one. */
export function readWindows(
  rows: readonly Row[],
  keys: readonly string[],
  verb: string,
): readonly AttemptWindow[] {
  const windows = new Map(rows.map((row) => {
    const window = readWindow(row, verb);
    return [window.key, window];
  }));
  return keys.map((key) => {
    const window = windows.get(key);
    if (window === undefined) throw malformed(verb);
    return window;
  });
}

type Column = string | number | null;

/** What any event may hold, so that its columns can be told from the rest. */
interface EventFields {
  readonly at: number;
  readonly type: string;
  readonly owner?: string | null;
  readonly token?: string | null;
  readonly [detail: string]: string | number | null | undefined;
}

const REASONS: Readonly<Record<RevokedReason, true>> = {
  revoked: true,
  logged_out: true,
  superseded: true,
  reused: true,
  password_changed: true,
  user_deactivated: true,
  user_deleted: true,
};

const LONE_SURROGATE = /\p{Surrogate}/u;
const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** A space inside a scope, or a scope without a character, would be another list when read. */
function isStorableScope(scope: string): boolean {
  return isStorable(scope) && scope !== "" && !scope.includes(" ");
}

function readUser(row: Row, start: number, verb: string): User & { readonly epoch: number } {
  return {
    id: readText(row[start], verb),
    username: readText(row[start + 1], verb),
    isActive: readFlag(row[start + 2], verb),
    isStaff: readFlag(row[start + 3], verb),
    isSuperuser: readFlag(row[start + 4], verb),
    epoch: readInteger(row[start + 5], verb),
  };
}

function readScopes(value: unknown, verb: string): readonly string[] {
  const text = readText(value, verb);
  if (text === "") return [];
  const scopes = text.split(" ");
  if (scopes.includes("")) throw malformed(verb);
  return scopes;
}

function writeReason(reason: RevokedReason, verb: string): string {
  if (!isReason(reason)) throw unstorable(verb);
  return reason;
}

function writeOptional<T>(
  value: T | null,
  write: (value: T, verb: string) => Column,
  verb: string,
): Column {
  return value === null ? null : write(value, verb);
}

function readOptional<T>(
  value: unknown,
  read: (value: unknown, verb: string) => T,
  verb: string,
): T | null {
  return value === null ? null : read(value, verb);
}

/** A program of the version before, still running during an upgrade, names no reason. */
function readReason(value: unknown, verb: string): RevokedReason {
  if (value === null) return "revoked";
  if (!isReason(value)) throw malformed(verb);
  return value;
}

function isReason(value: unknown): value is RevokedReason {
  return typeof value === "string" && Object.hasOwn(REASONS, value);
}

function readText(value: unknown, verb: string): string {
  if (typeof value !== "string") throw malformed(verb);
  return value;
}

/** Reads an integer. A client answers with numbers, bigints or decimal text, by its `intMode`. */
export function readInteger(value: unknown, verb: string): number {
  const isOther = typeof value === "bigint" || (typeof value === "string" && INTEGER.test(value));
  const integer = isOther ? Number(value) : value;
  if (typeof integer !== "number" || !Number.isSafeInteger(integer)) throw malformed(verb);
  return integer;
}

function readFlag(value: unknown, verb: string): boolean {
  const integer = readInteger(value, verb);
  if (integer !== 0 && integer !== 1) throw malformed(verb);
  return integer === 1;
}

function unstorable(verb: string): StoreError {
  return new StoreError(verb, "unavailable", "UNSTORABLE_VALUE");
}

function malformed(verb: string): StoreError {
  return new StoreError(verb, "unavailable", "MALFORMED_ROW");
}
