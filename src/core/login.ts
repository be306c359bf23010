import { fail, ok, type Result } from "../data/result.ts";
import type { LoginReason } from "../pure/event.ts";
import type { Throttled } from "../pure/limit.ts";
import { checkPassword, findVerifier } from "../pure/password.ts";
import { toUser, type User, type UserRecord } from "../pure/user.ts";
import type { Auth } from "./auth.ts";
import { emit } from "./emit.ts";
import { grantToken } from "./grant.ts";
import { hashInTurn } from "./hash_gate.ts";
import type { IssuedToken, IssueFailure, IssueOptions } from "./issue.ts";
import { limitLogin } from "./login_limit.ts";
import { ask, readFlag, readOptional, readUserRecord } from "./store_answer.ts";

/** A username and a password as a client sent them. */
export interface PasswordCredentials {
  /** Compared exactly with the stored usernames. */
  readonly username: string;
  /** Taken as it is, never trimmed. */
  readonly password: string;
  /**
   * Where they came from, as `findClientAddress` tells it; unknown when absent or
   * `null`. Attempts are then limited by account alone, and all together.
   */
  readonly address?: string | null;
}

/**
 * A password that was refused, or not even looked at because there were too many attempts.
 *
 * A client must be told the same for all reasons but `throttled`.
 */
export type PasswordFailure = RefusedPassword | Throttled;

/** A password that was refused. */
export interface RefusedPassword {
  /** What was wrong, for the log. */
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
 * @throws {OverloadError} when too many passwords are being hashed
 */
export async function login<Scope extends string>(
  auth: Auth<Scope>,
  credentials: PasswordCredentials,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<Result<Login<Scope>, LoginFailure>> {
  const verified = await verifyPassword(auth, credentials);
  if (!verified.ok) return verified;
  const user = verified.value;
  return finishLogin(auth, user, await grantToken(auth, user, options));
}

/** Tells of a login that was given its token, and says whose it is. */
export function finishLogin<Scope extends string>(
  auth: Auth<Scope>,
  user: User,
  granted: Result<IssuedToken<Scope>, IssueFailure>,
): Result<Login<Scope>, LoginFailure> {
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
 * password was changed meanwhile; a wrong password for such a text costs as much.
 * Attempts are counted first, see `LoginLimits`: one too many is refused as
 * `throttled`, for an unknown user as for any other.
 *
 * @returns the user, or a reason that must not reach the client
 * @throws {StoreError} when the store fails
 * @throws {OverloadError} when too many passwords are being hashed
 */
export async function verifyPassword<Scope extends string>(
  auth: Auth<Scope>,
  { username, password, address = null }: PasswordCredentials,
): Promise<Result<User, PasswordFailure>> {
  const isHashable = typeof password === "string" && checkPassword(password) === null;
  if (typeof username !== "string" || !isHashable) {
    return refuse(auth, "malformed_credentials", null);
  }
  return await limitLogin(auth, { username, address }, async () => {
    const record = await ask(
      auth.store.findUserByName(username),
      (answer) => readOptional(answer, (user) => readUserRecord(user, { username })),
    );
    const verified = await verifyRecord(auth, record, password);
    if (!verified.ok) return verified;
    await strengthen(auth, verified.value, password);
    return ok(toUser(verified.value));
  });
}

/** Decides whether a password is that of a stored user, after one derivation whatever is stored. */
export async function verifyRecord<Scope extends string>(
  auth: Auth<Scope>,
  record: UserRecord | null,
  password: string,
): Promise<Result<UserRecord & { readonly password: string }, RefusedPassword>> {
  const encoded = record?.password ?? null;
  const verifier = findVerifier(auth.passwords, encoded);
  if (record === null || encoded === null || verifier === null) {
    await hashPassword(auth, password);
    return refuse(auth, record === null ? "unknown_user" : "no_password", record);
  }
  const matches = await hashInTurn(auth, () => verifier.verify(password, encoded)) === true;
  if (matches && record.isActive === true) return ok({ ...record, password: encoded });
  // A success would rewrite the text now: a failure takes as long.
  if (isStale(auth, encoded)) await hashPassword(auth, password);
  return refuse(auth, matches ? "inactive_user" : "wrong_password", record);
}

/** Hashes a password with the first hasher, in its turn. */
export function hashPassword<Scope extends string>(
  auth: Auth<Scope>,
  password: string,
): Promise<string> {
  return hashInTurn(auth, () => auth.passwords[0].hash(password, auth.random));
}

/** Whether the first hasher would write a stored password better. */
function isStale<Scope extends string>({ passwords: [hasher] }: Auth<Scope>, encoded: string) {
  return !hasher.recognizes(encoded) || !hasher.isCurrent(encoded);
}

function refuse<Scope extends string>(
  auth: Auth<Scope>,
  reason: LoginReason,
  record: UserRecord | null,
): Result<never, RefusedPassword> {
  emit(auth, { type: "login_refused", at: auth.now(), owner: record?.id ?? null, reason });
  return fail({ reason });
}

/** Rewrites a stored password that the first hasher would write better. */
async function strengthen<Scope extends string>(
  auth: Auth<Scope>,
  { id, password: encoded }: UserRecord & { readonly password: string },
  password: string,
): Promise<void> {
  if (!isStale(auth, encoded)) return;
  const text = await hashPassword(auth, password);
  const change = { expected: encoded, newEpoch: false };
  await ask(auth.store.replacePassword(id, text, change), readFlag);
}
