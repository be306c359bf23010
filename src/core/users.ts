import { fail, ok, type Result } from "../data/result.ts";
import { checkPassword, type PasswordReason } from "../pure/password.ts";
import { normalizeUsername, toUser, type User, type UsernameReason } from "../pure/user.ts";
import type { Auth } from "./auth.ts";
import { drawIdentifier } from "./identifier.ts";
import { type PasswordFailure, verifyRecord } from "./login.ts";
import { markRevoked } from "./revoke.ts";

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

/** Why a user was not made. */
export interface UserFailure {
  /** What was wrong. */
  readonly reason: UsernameReason | PasswordReason | "username_taken";
}

/**
 * Makes a user.
 *
 * Of several calls with one username exactly one succeeds. The password is
 * checked for nothing but that it can be hashed.
 *
 * @throws {StoreError} when the store fails
 *
 * @example
 * ```ts
 * import { createUser, defineAuth } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const created = await createUser(auth, { username: "ada", password: "correct horse" });
 * console.log(created.ok ? created.value.username : created.failure.reason); // ada
 * ```
 */
export async function createUser<Scope extends string>(
  auth: Auth<Scope>,
  { username, password, isActive = true, isStaff = false, isSuperuser = false }: NewUser,
): Promise<Result<User, UserFailure>> {
  const name = normalizeUsername(username);
  if (!name.ok) return fail({ reason: name.failure });
  const hashed = await hashPassword(auth, password ?? null);
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
  return await auth.store.insertUser(record)
    ? ok(toUser(record))
    : fail({ reason: "username_taken" });
}

/**
 * Makes an active user who is staff and superuser. The same as {@link createUser} otherwise.
 *
 * @throws {StoreError} when the store fails
 */
export function createSuperuser<Scope extends string>(
  auth: Auth<Scope>,
  { username, password }: Required<Pick<NewUser, "username" | "password">>,
): Promise<Result<User, UserFailure>> {
  return createUser(auth, { username, password, isStaff: true, isSuperuser: true });
}

/** Why a password was not set. */
export interface SetPasswordFailure {
  /** What was wrong. */
  readonly reason: PasswordReason | "unknown_user";
}

/**
 * Sets a user's password, whatever it was; `null` takes it away, and with it the login.
 *
 * All tokens of the user end with the old password, in the same statement,
 * unless `revokeOn.passwordChange` is `false`.
 *
 * @throws {StoreError} when the store fails; repeat the call
 */
export async function setPassword<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  password: string | null,
): Promise<Result<null, SetPasswordFailure>> {
  const hashed = await hashPassword(auth, password);
  if (!hashed.ok) return hashed;
  const newEpoch = auth.revokeOn.passwordChange;
  const replaced = await auth.store.replacePassword(userId, hashed.value, { newEpoch });
  if (!replaced) return fail({ reason: "unknown_user" });
  if (newEpoch) await markRevoked(auth, userId, "password_changed");
  return ok(null);
}

/** Why a password was not changed. */
export interface ChangePasswordFailure {
  /** What was wrong. */
  readonly reason: PasswordReason | PasswordFailure["reason"] | "changed_meanwhile";
}

/**
 * Changes a password for whoever knows the current one.
 *
 * Of several changes at once, from one current password, exactly one succeeds.
 * Tokens end as with {@link setPassword}, also the one that made the request:
 * give the user that is returned another. Should all tokens be revoked once more
 * meanwhile, that one does not hold.
 *
 * @throws {StoreError} when the store fails; repeat the call
 */
export async function changePassword<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  passwords: { readonly current: string; readonly next: string },
): Promise<Result<User, ChangePasswordFailure>> {
  const { current, next } = passwords;
  if (checkPassword(current) !== null) return fail({ reason: "malformed_credentials" });
  const verified = await verifyRecord(auth, await auth.store.findUser(userId), current);
  if (!verified.ok) return verified;
  const hashed = await hashPassword(auth, next);
  if (!hashed.ok) return hashed;
  const newEpoch = auth.revokeOn.passwordChange;
  const change = { expected: verified.value.password, newEpoch };
  if (!await auth.store.replacePassword(userId, hashed.value, change)) {
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
  const found = await auth.store.setActive(userId, isActive, { newEpoch });
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
  const deleted = await auth.store.deleteUser(userId);
  await markRevoked(auth, userId, "user_deleted");
  return deleted;
}

async function hashPassword<Scope extends string>(
  auth: Auth<Scope>,
  password: string | null,
): Promise<Result<string | null, { readonly reason: PasswordReason }>> {
  if (password === null) return ok(null);
  const reason = checkPassword(password);
  return reason === null
    ? ok(await auth.passwords[0].hash(password, auth.random))
    : fail({ reason });
}
