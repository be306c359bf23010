import type { AttemptLimit, AttemptWindow, TokenPage } from "../ports/store.ts";
import { StoreError } from "../ports/store_error.ts";
import type { OwnedToken, Rotation, Successor, TokenDraft, TokenRecord } from "../pure/record.ts";
import type { User, UserRecord } from "../pure/user.ts";

/*
 * What a store answers, read before anything is decided by it: a copy of exactly what the port
 * promises, or an error. Types end where a driver begins, so nothing here relies on them; each
 * member is read once, so what is checked is what is used.
 */

/**
 * Waits for an answer and reads it.
 *
 * @throws {StoreError} when the store fails, or answers something else than it must
 */
export async function ask<Answer, Value>(
  answer: Promise<Answer>,
  read: (answer: Answer) => Value,
): Promise<Value> {
  const given = await answer;
  try {
    return read(given);
  } catch {
    throw new StoreError("read the answer of the store", "unavailable", "MALFORMED_ANSWER");
  }
}

/** Reads an answer that may be that there is none. */
export function readOptional<Value>(
  answer: Value | null,
  read: (answer: Value) => Value,
): Value | null {
  return answer === null ? null : read(answer);
}

/** The token that was to be added, as it was added. */
export function readAdded(answer: TokenRecord, { id, owner, digest }: TokenDraft): TokenRecord {
  const token = readToken(answer);
  demand(token.id === id && token.owner === owner && token.digest === digest);
  return token;
}

/** The successor of the token that was to be rotated: the one drafted or the one there was. */
export function readSuccessor(
  answer: TokenRecord,
  { owner, rotation }: TokenRecord & { readonly rotation: object },
): TokenRecord {
  const token = readToken(answer);
  demand(token.owner === owner && token.rotation?.predecessor === rotation.predecessor);
  return token;
}

/** The token in the slot that was asked for. */
export function readSlot(answer: OwnedToken, { owner, slot }: TokenDraft): OwnedToken {
  const found = readOwned(answer);
  demand(found.token.owner === owner && found.token.slot === slot);
  return found;
}

/** Tokens of one owner, no more than were asked for. */
export function readList(
  answer: readonly OwnedToken[],
  owner: string,
  { limit }: TokenPage,
): readonly OwnedToken[] {
  const list = [...answer];
  demand(list.length <= limit);
  return list.map((one) => {
    const found = readOwned(one);
    demand(found.token.owner === owner);
    return found;
  });
}

/** The user of an id or of a username. */
export function readUserRecord(
  answer: UserRecord,
  asked: Partial<Pick<UserRecord, "id" | "username">>,
): UserRecord {
  const { password, createdAt, epoch } = answer;
  const user = readUser(answer);
  demand(isTextOrNull(password) && isInteger(createdAt) && isInteger(epoch));
  demand(asked.id === undefined || asked.id === user.id);
  demand(asked.username === undefined || asked.username === user.username);
  return { ...user, password, createdAt, epoch };
}

/** A user, without anything else that is known of one. */
export function readUser(answer: User): User {
  const { id, username, isActive, isStaff, isSuperuser, epoch } = answer;
  demand(isText(id) && isText(username) && (epoch === undefined || isInteger(epoch)));
  demand([isActive, isStaff, isSuperuser].every((flag) => typeof flag === "boolean"));
  const user = { id, username, isActive, isStaff, isSuperuser };
  return epoch === undefined ? user : { ...user, epoch };
}

/** Whether something was done. */
export function readFlag(answer: boolean): boolean {
  demand(typeof answer === "boolean");
  return answer;
}

/** How many there were, of at most `most`. */
export function readCount(answer: number, most: number = Infinity): number {
  demand(isInteger(answer) && answer >= 0 && answer <= most);
  return answer;
}

/** A window of each of the limits, in their order, with an attempt in it. */
export function readTaken(
  answer: readonly AttemptWindow[],
  limits: readonly AttemptLimit[],
): readonly AttemptWindow[] {
  const windows = [...answer].map(readWindow);
  demand(windows.length === limits.length);
  demand(limits.every(({ key, max }, index) => {
    const window = windows[index];
    return window?.key === key && window.count >= 1 && window.count <= max;
  }));
  return windows;
}

/** Windows of some of the keys. */
export function readWindows(
  answer: readonly AttemptWindow[],
  keys: readonly string[],
): readonly AttemptWindow[] {
  const windows = [...answer].map(readWindow);
  demand(windows.every(({ key }) => keys.includes(key)));
  return windows;
}

function readWindow({ key, count, endsAt }: AttemptWindow): AttemptWindow {
  demand(isText(key) && isInteger(count) && count >= 0 && isInteger(endsAt));
  return { key, count, endsAt };
}

function readOwned({ token, user, epoch, successor }: OwnedToken): OwnedToken {
  const read = {
    token: readToken(token),
    user: user === null ? null : readUser(user),
    epoch,
    successor: successor === null ? null : readSuccessorEnd(successor),
  };
  // Without the owner's epoch no token of an epoch that has passed would be known as revoked.
  demand(read.user === null ? epoch === null : isInteger(epoch));
  demand(read.user === null || read.user.id === read.token.owner);
  demand(read.user?.epoch === undefined || read.user.epoch === epoch);
  return read;
}

function readSuccessorEnd({ id, overlapUntil }: Successor): Successor {
  demand(isText(id) && isInteger(overlapUntil));
  return { id, overlapUntil };
}

function readToken(answer: TokenRecord): TokenRecord {
  const { id, owner, epoch, digest, pepper, name, hint, family, slot, rotation } = answer;
  const { createdAt, expiresAt, idleTimeout, lastUsedAt, revokedAt, revokedReason } = answer;
  const scopes = [...answer.scopes];
  demand([id, owner, digest, name, hint, family, ...scopes].every(isText));
  demand([pepper, slot, revokedReason].every(isTextOrNull));
  demand([epoch, createdAt].every(isInteger));
  demand([expiresAt, idleTimeout, lastUsedAt, revokedAt].every(isIntegerOrNull));
  return {
    ...{ id, owner, epoch, digest, pepper, name, hint, scopes, slot, family },
    ...{ createdAt, expiresAt, idleTimeout, lastUsedAt, revokedAt, revokedReason },
    rotation: rotation === null ? null : readRotation(rotation),
  };
}

function readRotation({ predecessor, overlapUntil, nonce }: Rotation): Rotation {
  demand(isText(predecessor) && isInteger(overlapUntil) && isText(nonce));
  return { predecessor, overlapUntil, nonce };
}

function isText(value: unknown): boolean {
  return typeof value === "string";
}

function isTextOrNull(value: unknown): boolean {
  return value === null || isText(value);
}

function isInteger(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

function isIntegerOrNull(value: unknown): boolean {
  return value === null || isInteger(value);
}

function demand(holds: boolean): void {
  if (!holds) throw new TypeError();
}
