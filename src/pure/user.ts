import { fail, ok, type Result } from "../data/result.ts";

/** A user as an authenticated request sees it: never with the password. */
export interface User {
  /** Opaque text, unique; the `owner` of the user's tokens. */
  readonly id: string;
  /** Unique, compared exactly: case-sensitive and without normalisation. */
  readonly username: string;
  /** Whether the user may log in and use tokens. */
  readonly isActive: boolean;
  /** Whether `isAdminUser` lets the user pass. */
  readonly isStaff: boolean;
  /** Whether the user holds every permission of the application. */
  readonly isSuperuser: boolean;
  /**
   * A number that moves forward when all tokens of the user are revoked at
   * once. Absent for users of the application's own.
   */
  readonly epoch?: number;
}

/** Whose a token shall be: a user, or the id of one. A user of the store binds the token to its epoch. */
export type Owner = string | Pick<User, "id" | "epoch">;

/** A user as a store keeps it. */
export interface UserRecord extends User {
  /** The text a hasher wrote, or `null` when the user cannot log in with a password. */
  readonly password: string | null;
  /** When the user was made, in milliseconds since the epoch. */
  readonly createdAt: number;
  /** The current epoch; begins at 0. */
  readonly epoch: number;
}

/** Why a username was refused. */
export type UsernameReason = "username_blank" | "username_too_long" | "username_invalid";

const MAX_USERNAME = 150;
const USERNAME = /^[\p{L}\p{N}_.@+-]+$/u;

/**
 * Normalises a username to NFKC and checks it against Django's rules.
 *
 * Letters and digits of any script and `@ . + - _`, at most 150 code points.
 * The rules see the normalised form, which is also the one to store: checking
 * first and normalising later is how look-alike accounts come to be. A login
 * does not normalise, as in Django.
 *
 * @example
 * ```ts
 * import { normalizeUsername } from "latchkey";
 *
 * console.log(normalizeUsername("ﬁnn")); // { ok: true, value: "finn" }
 * console.log(normalizeUsername("a b")); // { ok: false, failure: "username_invalid" }
 * ```
 */
export function normalizeUsername(username: string): Result<string, UsernameReason> {
  const normalized = username.normalize("NFKC");
  if (normalized === "") return fail("username_blank");
  if ([...normalized].length > MAX_USERNAME) return fail("username_too_long");
  return USERNAME.test(normalized) ? ok(normalized) : fail("username_invalid");
}

/** Leaves out everything of a stored user that an application must not see. */
export function toUser(record: UserRecord): User {
  const { id, username, isActive, isStaff, isSuperuser, epoch } = record;
  return { id, username, isActive, isStaff, isSuperuser, epoch };
}

/**
 * One text for all spellings of a username that a person may take for the same:
 * NFKC, without case and without outer spaces. For counting, never for finding.
 */
export function normalizeAccount(username: string): string {
  // Upper case first: only so are all forms of one letter, such as the Greek sigmas, the same.
  return username.normalize("NFKC").trim().toUpperCase().toLowerCase().normalize("NFKC");
}
