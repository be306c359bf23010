import { fail, ok, type Result } from "../data/result.ts";
import { checkPassword, findVerifier } from "../pure/password.ts";
import { toUser, type User, type UserRecord } from "../pure/user.ts";
import type { Auth } from "./auth.ts";
import { grantToken } from "./grant.ts";
import type { IssuedToken, IssueOptions } from "./issue.ts";

/** A username and a password as a client sent them. */
export interface PasswordCredentials {
  /** Compared exactly with the stored usernames. */
  readonly username: string;
  /** Taken as it is, never trimmed. */
  readonly password: string;
}

/** Why a login failed. For the log; a client must be told the same for all of them. */
export type LoginReason =
  | "unknown_user"
  | "no_password"
  | "wrong_password"
  | "inactive_user"
  | "malformed_credentials";

/** A login that failed. */
export interface LoginFailure {
  /** What was wrong. */
  readonly reason: LoginReason;
}

/** A login that succeeded: who it is, and the token to hand out. */
export interface Login<Scope extends string = string> extends IssuedToken<Scope> {
  /** Whose username and password they were. */
  readonly user: User;
}

/**
 * Checks a username and password, and gives a token by the configured policy.
 *
 * The same as {@link verifyPassword} and then `grantToken`: take those two for a
 * login with criteria of your own.
 *
 * @throws {RangeError} when a scope is not declared
 * @throws {StoreError} when the store fails
 */
export async function login<Scope extends string>(
  auth: Auth<Scope>,
  credentials: PasswordCredentials,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<Result<Login<Scope>, LoginFailure>> {
  const verified = await verifyPassword(auth, credentials);
  if (!verified.ok) return verified;
  const user = verified.value;
  return ok({ user, ...await grantToken(auth, user.id, options) });
}

/**
 * Decides whether a username and password are those of an active user.
 *
 * The username is compared exactly, the password as it was given. An unknown
 * user, one without a password and one with an unreadable stored text cost the
 * same one hash as a wrong password. When the stored text is of another
 * algorithm than the first configured, or weaker, it is rewritten, unless the
 * password was changed meanwhile.
 *
 * @returns the user, or a reason that must not reach the client
 * @throws {StoreError} when the store fails
 */
export async function verifyPassword<Scope extends string>(
  auth: Auth<Scope>,
  { username, password }: PasswordCredentials,
): Promise<Result<User, LoginFailure>> {
  if (
    typeof username !== "string" || typeof password !== "string" ||
    checkPassword(password) !== null
  ) {
    return fail({ reason: "malformed_credentials" });
  }
  const record = await auth.store.findUserByName(username);
  const encoded = record?.password ?? null;
  const verifier = findVerifier(auth.passwords, encoded);
  if (record === null || encoded === null || verifier === null) {
    await auth.passwords[0].hash(password, auth.random);
    return fail({ reason: record === null ? "unknown_user" : "no_password" });
  }
  if (!await verifier.verify(password, encoded)) return fail({ reason: "wrong_password" });
  if (record.isActive !== true) return fail({ reason: "inactive_user" });
  await strengthen(auth, record, password, encoded);
  return ok(toUser(record));
}

/** Rewrites a stored password that the first hasher would write better. */
async function strengthen<Scope extends string>(
  auth: Auth<Scope>,
  { id }: UserRecord,
  password: string,
  encoded: string,
): Promise<void> {
  const [hasher] = auth.passwords;
  if (hasher.recognizes(encoded) && hasher.isCurrent(encoded)) return;
  await auth.store.replacePassword(id, await hasher.hash(password, auth.random), encoded);
}
