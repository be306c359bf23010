import { fail, ok, type Result } from "../data/result.ts";
import { checkPassword, type PasswordReason } from "../pure/password.ts";
import { normalizeUsername, toUser, type User, type UsernameReason } from "../pure/user.ts";
import type { Auth } from "./auth.ts";
import { drawIdentifier } from "./identifier.ts";

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
 * Tokens stay valid, as in Django REST framework: revoke them where a password
 * is changed because it leaked.
 *
 * @throws {StoreError} when the store fails
 */
export async function setPassword<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  password: string | null,
): Promise<Result<null, SetPasswordFailure>> {
  const hashed = await hashPassword(auth, password);
  if (!hashed.ok) return hashed;
  const replaced = await auth.store.replacePassword(userId, hashed.value);
  return replaced ? ok(null) : fail({ reason: "unknown_user" });
}

/**
 * Activates or deactivates a user.
 *
 * From the next request on, an inactive user can neither log in nor use a
 * token; an activated one can use the same tokens again. `false` when there is
 * no such user.
 *
 * @throws {StoreError} when the store fails
 */
export async function setActive<Scope extends string>(
  auth: Auth<Scope>,
  userId: string,
  isActive: boolean,
): Promise<boolean> {
  return await auth.store.setActive(userId, isActive);
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
