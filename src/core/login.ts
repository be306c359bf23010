import { fail, ok, type Result } from "../data/result.ts";
import type { LoginReason } from "../pure/event.ts";
import { checkPassword, findVerifier } from "../pure/password.ts";
import { toUser, type User, type UserRecord } from "../pure/user.ts";
import type { Auth } from "./auth.ts";
import { emit } from "./emit.ts";
import { grantToken } from "./grant.ts";
import type { IssuedToken, IssueFailure, IssueOptions } from "./issue.ts";

/** A username and a password as a client sent them. */
export interface PasswordCredentials {
  /** Compared exactly with the stored usernames. */
  readonly username: string;
  /** Taken as it is, never trimmed. */
  readonly password: string;
}

/** A password that was refused. For the log; a client must be told the same for all reasons. */
export interface PasswordFailure {
  /** What was wrong. */
  readonly reason: LoginReason;
}

/** A login that failed: a password that was refused, or no room for another token. */
export type LoginFailure = PasswordFailure | IssueFailure;

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
  const granted = await grantToken(auth, user, options);
  if (!granted.ok) return granted;
  const token = granted.value.token.id;
  emit(auth, { type: "logged_in", at: auth.now(), owner: user.id, token });
  return ok({ user, ...granted.value });
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
): Promise<Result<User, PasswordFailure>> {
  const isHashable = typeof password === "string" && checkPassword(password) === null;
  if (typeof username !== "string" || !isHashable) {
    return refuse(auth, "malformed_credentials", null);
  }
  const record = await auth.store.findUserByName(username);
  const verified = await verifyRecord(auth, record, password);
  if (!verified.ok) return verified;
  await strengthen(auth, verified.value, password);
  return ok(toUser(verified.value));
}

/** Decides whether a password is that of a stored user, after one derivation whatever is stored. */
export async function verifyRecord<Scope extends string>(
  auth: Auth<Scope>,
  record: UserRecord | null,
  password: string,
): Promise<Result<UserRecord & { readonly password: string }, PasswordFailure>> {
  const encoded = record?.password ?? null;
  const verifier = findVerifier(auth.passwords, encoded);
  if (record === null || encoded === null || verifier === null) {
    await auth.passwords[0].hash(password, auth.random);
    return refuse(auth, record === null ? "unknown_user" : "no_password", record);
  }
  if (!await verifier.verify(password, encoded)) return refuse(auth, "wrong_password", record);
  if (record.isActive !== true) return refuse(auth, "inactive_user", record);
  return ok({ ...record, password: encoded });
}

function refuse<Scope extends string>(
  auth: Auth<Scope>,
  reason: LoginReason,
  record: UserRecord | null,
): Result<never, PasswordFailure> {
  emit(auth, { type: "login_refused", at: auth.now(), owner: record?.id ?? null, reason });
  return fail({ reason });
}

/** Rewrites a stored password that the first hasher would write better. */
async function strengthen<Scope extends string>(
  auth: Auth<Scope>,
  { id, password: encoded }: UserRecord & { readonly password: string },
  password: string,
): Promise<void> {
  const [hasher] = auth.passwords;
  if (hasher.recognizes(encoded) && hasher.isCurrent(encoded)) return;
  const text = await hasher.hash(password, auth.random);
  await auth.store.replacePassword(id, text, { expected: encoded, newEpoch: false });
}
