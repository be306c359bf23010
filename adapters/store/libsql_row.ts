import type { Row } from "@libsql/client";
import { StoreError } from "../../src/ports/store_error.ts";
import type { OwnedToken, TokenRecord } from "../../src/pure/record.ts";
import type { User, UserRecord } from "../../src/pure/user.ts";

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

/** The arguments that insert a token. */
export function writeToken(token: TokenRecord, verb: string): Record<keyof TokenRecord, Column> {
  if (!token.scopes.every(isStorableScope)) throw unstorable(verb);
  return {
    id: writeText(token.id, verb),
    owner: writeText(token.owner, verb),
    digest: writeText(token.digest, verb),
    pepper: token.pepper === null ? null : writeText(token.pepper, verb),
    scopes: token.scopes.join(" "),
    slot: token.slot === null ? null : writeText(token.slot, verb),
    createdAt: writeInteger(token.createdAt, verb),
    expiresAt: token.expiresAt === null ? null : writeInteger(token.expiresAt, verb),
    revokedAt: token.revokedAt === null ? null : writeInteger(token.revokedAt, verb),
  };
}

/** The arguments that insert a user. */
export function writeUser(user: UserRecord, verb: string): Record<keyof UserRecord, Column> {
  return {
    id: writeText(user.id, verb),
    username: writeText(user.username, verb),
    isActive: writeFlag(user.isActive, verb),
    isStaff: writeFlag(user.isStaff, verb),
    isSuperuser: writeFlag(user.isSuperuser, verb),
    password: user.password === null ? null : writeText(user.password, verb),
    createdAt: writeInteger(user.createdAt, verb),
  };
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

/** Reads the columns of a token and, behind them, those of its owner. */
export function readOwnedToken(row: Row, verb: string): OwnedToken {
  return { token: readToken(row, verb), user: row[9] === null ? null : readUser(row, 9, verb) };
}

/** Reads the columns of a token. */
export function readToken(row: Row, verb: string): TokenRecord {
  return {
    id: readText(row[0], verb),
    owner: readText(row[1], verb),
    digest: readText(row[2], verb),
    pepper: row[3] === null ? null : readText(row[3], verb),
    scopes: readScopes(row[4], verb),
    slot: row[5] === null ? null : readText(row[5], verb),
    createdAt: readInteger(row[6], verb),
    expiresAt: row[7] === null ? null : readInteger(row[7], verb),
    revokedAt: row[8] === null ? null : readInteger(row[8], verb),
  };
}

/** Reads the columns of a user with the stored password. */
export function readUserRecord(row: Row, verb: string): UserRecord {
  return {
    ...readUser(row, 0, verb),
    password: row[5] === null ? null : readText(row[5], verb),
    createdAt: readInteger(row[6], verb),
  };
}

type Column = string | number | null;

const LONE_SURROGATE = /\p{Surrogate}/u;
const INTEGER = /^(?:0|-?[1-9]\d{0,15})$/;

/** A space inside a scope, or a scope without a character, would be another list when read. */
function isStorableScope(scope: string): boolean {
  return isStorable(scope) && scope !== "" && !scope.includes(" ");
}

function readUser(row: Row, start: number, verb: string): User {
  return {
    id: readText(row[start], verb),
    username: readText(row[start + 1], verb),
    isActive: readFlag(row[start + 2], verb),
    isStaff: readFlag(row[start + 3], verb),
    isSuperuser: readFlag(row[start + 4], verb),
  };
}

function readScopes(value: unknown, verb: string): readonly string[] {
  const text = readText(value, verb);
  if (text === "") return [];
  const scopes = text.split(" ");
  if (scopes.includes("")) throw malformed(verb);
  return scopes;
}

function readText(value: unknown, verb: string): string {
  if (typeof value !== "string") throw malformed(verb);
  return value;
}

/** A client answers with numbers, bigints or decimal text, as its `intMode` says. */
function readInteger(value: unknown, verb: string): number {
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
