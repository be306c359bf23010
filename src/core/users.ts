import { fail, ok, type Result } from "../data/result.ts";
import { checkPassword, type PasswordReason } from "../pure/password.ts";
import { defaultPasswordRules, type PasswordProblem } from "../pure/password_rule.ts";
import {
  normalizeUsername,
  toUser,
  type User,
  type UsernameReason,
  type UserRecord,
} from "../pure/user.ts";
import type { Auth } from "./auth.ts";
import { drawIdentifier } from "./identifier.ts";
import { hashPassword, type PasswordFailure, verifyRecord } from "./login.ts";
import { limitLogin } from "./login_limit.ts";
import { findProblems } from "./password_rules.ts";
import { markRevoked } from "./revoke.ts";
import { ask, readFlag, readOptional, readUserRecord } from "./store_answer.ts";

/** A user to make. */
export interface NewUser {
  /** Normalised to NFKC, then checked by Django's rules. */
  readonly username: string;
  /** Without one the user cannot log in with a password. */
  readonly password?: string;
  /** `true` when absent. */
  readonly isActive?: boolean;
  /** `false` when absent. */
  readonly isStaff?: boolean;
  /** `false` when absent. */
  readonly isSuperuser?: boolean;
}

/** Why a new password was refused: it cannot be hashed, or it breaks rules. */
export type NewPasswordFailure = { readonly reason: PasswordReason } | {
  /** It breaks at least one of the rules. */
  readonly reason: "password_refused";
  /** What they have against it, in their order, in sentences for the person. */
  readonly problems: readonly PasswordProblem[];
};

/** Why a user was not made. */
export type UserFailure = NewPasswordFailure | {
  /** What was wrong. */
  readonly reason: UsernameReason | "username_taken";
};

/**
 * Makes a user.
 *
 * Of several calls with one username exactly one succeeds. The password must
 * fulfil the `passwordRules` of the configuration.
 *
 * @throws {StoreError} when the store fails
 * @throws {OverloadError} when too many passwords are being hashed
 *
 * @example
 * ```ts
 * import { createUser, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const created = await createUser(auth, { username: "ada", password: "correct horse battery" });
 * console.log(created.ok ? created.value.username : created.failure.reason); // ada
 * ```
 */
export async function createUser<Scope extends string>(
  auth: Auth<Scope>,
  { username, password, isActive = true, isStaff = false, isSuperuser = false }: NewUser,
): Promise<Result<User, UserFailure>> {
  const name = normalizeUsername(username);
  if (!name.ok) return fail({ reason: name.failure });
  const hashed = await hashNewPassword(auth, name.value, password ?? null);
  if (!hashed.ok) return hashed;
  const record = {
    id: drawIdentifier(auth.random),
    username: name.value,
    password: hashed.value,
    isActive,
    isStaff,
    isSuperuser,
    createdAt: auth.now(),
    epoch: 0,
  };
  return await ask(auth.store.insertUser(record), readFlag)
    ? ok(toUser(record))
    : fail({ reason: "username_taken" });
}

/**
 * Makes an active user who is staff and superuser. The same as {@link createUser} otherwise.
 *
 * @throws {StoreError} when the store fails
 * @throws {OverloadError} when too many passwords are being hashed
 */
export function createSuperuser<Scope extends string>(
  auth: Auth<Scope>,
  { username, password }: Required<Pick<NewUser, "username" | "password">>,
): Promise<Result<User, UserFailure>> {
  return createUser(auth, { username, password, isStaff: true, isSuperuser: true });
}

/** Why a password was not set. */
export type SetPasswordFailure = NewPasswordFailure | {
  /** There is no such user. */
  readonly reason: "unknown_user";
};

/**
 * Sets a user's password, whatever it was; `null` takes it away, and with it the login.
 *
 * All tokens of the user end with the old password, in the same statement,
 * unless `revokeOn.passwordChange` is `false`.
 *
 * @throws {StoreError} when the store fails; repeat the call
 * @throws {OverloadError} when too many passwords are being hashed
 */
export async function setPassword<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  password: string | null,
): Promise<Result<null, SetPasswordFailure>> {
  const record = await findUser(auth, userId);
  if (record === null) return fail({ reason: "unknown_user" });
  const hashed = await hashNewPassword(auth, record.username, password);
  if (!hashed.ok) return hashed;
  const newEpoch = auth.revokeOn.passwordChange;
  const replaced = await ask(
    auth.store.replacePassword(userId, hashed.value, { newEpoch }),
    readFlag,
  );
  if (!replaced) return fail({ reason: "unknown_user" });
  if (newEpoch) await markRevoked(auth, userId, "password_changed");
  return ok(null);
}

/** The passwords of a change, and where they came from. */
export interface PasswordReplacement {
  /** The password there is, as the user typed it. */
  readonly current: string;
  /** The password there shall be. */
  readonly next: string;
  /** The client's address, for the limits of logins, which count a wrong current password too. */
  readonly address?: string | null;
}

/** Why a password was not changed. */
export type ChangePasswordFailure = PasswordFailure | NewPasswordFailure | {
  /** Somebody else changed it at the same time. */
  readonly reason: "changed_meanwhile";
};

/**
 * Changes a password for whoever knows the current one.
 *
 * Of several changes at once, from one current password, exactly one succeeds.
 * Tokens end as with {@link setPassword}, also the one that made the request:
 * give the user that is returned another. Should all tokens be revoked once more
 * meanwhile, that one does not hold.
 *
 * @throws {StoreError} when the store fails; repeat the call
 * @throws {OverloadError} when too many passwords are being hashed
 */
export async function changePassword<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  { current, next, address = null }: PasswordReplacement,
): Promise<Result<User, ChangePasswordFailure>> {
  if (checkPassword(current) !== null) return fail({ reason: "malformed_credentials" });
  const record = await findUser(auth, userId);
  const source = { username: record?.username ?? "", address };
  const verified = await limitLogin(auth, source, () => verifyRecord(auth, record, current));
  if (!verified.ok) return verified;
  const hashed = await hashNewPassword(auth, verified.value.username, next);
  if (!hashed.ok) return hashed;
  const newEpoch = auth.revokeOn.passwordChange;
  const change = { expected: verified.value.password, newEpoch };
  if (!await ask(auth.store.replacePassword(userId, hashed.value, change), readFlag)) {
    return fail({ reason: "changed_meanwhile" });
  }
  if (newEpoch) await markRevoked(auth, userId, "password_changed");
  // Not looked up again: a token for this user must not hold after a later revocation.
  const { epoch } = verified.value;
  return ok({ ...toUser(verified.value), epoch: newEpoch ? epoch + 1 : epoch });
}

/**
 * Activates or deactivates a user.
 *
 * From the next request on, an inactive user can neither log in nor use a
 * token. The tokens are revoked, unless `revokeOn.deactivation` is `false`:
 * then they hold again once the user is active. `false` when there is no such user.
 *
 * @throws {StoreError} when the store fails; repeat the call
 */
export async function setActive<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  isActive: boolean,
): Promise<boolean> {
  const newEpoch = !isActive && auth.revokeOn.deactivation;
  const found = await ask(auth.store.setActive(userId, isActive, { newEpoch }), readFlag);
  if (found && newEpoch) await markRevoked(auth, userId, "user_deactivated");
  return found;
}

/**
 * Deletes a user, and with it every token. `false` when there is no such user.
 *
 * The tokens stop holding with the user, in one statement; their records are
 * marked as revoked after it, and go when they are pruned.
 *
 * @throws {StoreError} when the store fails; repeat the call
 */
export async function deleteUser<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
): Promise<boolean> {
  const deleted = await ask(auth.store.deleteUser(userId), readFlag);
  await markRevoked(auth, userId, "user_deleted");
  return deleted;
}

async function findUser<Scope extends string>(
  { store }: Auth<Scope>,
  id: string,
): Promise<UserRecord | null> {
  return await ask(
    store.findUser(id),
    (answer) => readOptional(answer, (user) => readUserRecord(user, { id })),
  );
}

async function hashNewPassword<Scope extends string>(
  auth: Auth<Scope>,
  username: string,
  password: string | null,
): Promise<Result<string | null, NewPasswordFailure>> {
  if (password === null) return ok(null);
  const reason = checkPassword(password);
  if (reason !== null) return fail({ reason });
  const rules = auth.passwordRules ?? defaultPasswordRules;
  const problems = await findProblems(rules, password, { username });
  return problems.length === 0
    ? ok(await hashPassword(auth, password))
    : fail({ reason: "password_refused", problems });
}
