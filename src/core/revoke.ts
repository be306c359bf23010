import type { Principal, RevokedReason } from "../pure/record.ts";
import type { Auth } from "./auth.ts";
import { emit } from "./emit.ts";
import { ask, readCount, readFlag } from "./store_answer.ts";

/** Whose token is revoked, and why. */
export interface RevokeOptions {
  /** Only a token of this owner; of any when absent. */
  readonly owner?: string;
  /** `revoked` when absent. */
  readonly reason?: RevokedReason;
}

/**
 * Revokes a token by its id, at once and for ever.
 *
 * `true` when this call revoked it; `false` when there is no such token, it was
 * revoked before, or it belongs to another owner than the one named. Of a
 * rotated token the successor lives on.
 *
 * @throws {StoreError} when the store fails
 */
export async function revokeToken<Scope extends string>(
  auth: Auth<Scope>,
  id: string,
  { owner, reason = "revoked" }: RevokeOptions = {},
): Promise<boolean> {
  const at = auth.now();
  const revoked = await ask(auth.store.revokeToken(id, { at, reason }, owner), readFlag);
  if (revoked) emit(auth, { type: "token_revoked", at, owner: owner ?? null, token: id, reason });
  return revoked;
}

/**
 * Ends the token that made the request, and with it the line of rotations that it belongs to.
 *
 * `true` when this call ended it; `false` when all of the line was revoked before.
 * With `onLogin: "reuse"` every device of the user holds that one token, and
 * all of them are logged out.
 *
 * @throws {StoreError} when the store fails
 */
export async function logout<Scope extends string>(
  auth: Auth<Scope>,
  { token }: Principal<NoInfer<Scope>>,
): Promise<boolean> {
  const { id, owner, family } = token;
  const [at, reason] = [auth.now(), "logged_out"] as const;
  const isRevoked = await ask(auth.store.revokeFamily(family, { at, reason }), readCount) > 0;
  if (isRevoked) emit(auth, { type: "token_revoked", at, owner, token: id, reason });
  return isRevoked;
}

/**
 * Revokes every token of an owner and returns how many were not revoked before.
 *
 * Nothing survives, not even a token that is being made or rotated meanwhile:
 * the owner's epoch changes first, in one statement, and that alone ends all of
 * them; marking each follows. (Owners who are users of the application's own
 * have no epoch: a token that is made in that very moment may survive.)
 *
 * @throws {StoreError} when the store fails; repeat the call
 */
export async function revokeAllTokens<Scope extends string>(
  auth: Auth<Scope>,
  owner: string,
  reason: RevokedReason = "revoked",
): Promise<number> {
  await ask(auth.store.startEpoch(owner), readFlag);
  return await markRevoked(auth, owner, reason);
}

/**
 * Revokes every token of the principal's user but the one in use; returns how many.
 *
 * @throws {StoreError} when the store fails; repeat the call
 */
export async function revokeOtherTokens<Scope extends string>(
  auth: Auth<Scope>,
  { token }: Principal<NoInfer<Scope>>,
): Promise<number> {
  return await markRevoked(auth, token.owner, "revoked", token.id);
}

/** Marks the tokens of an owner as revoked, for the list and the log. */
export async function markRevoked<Scope extends string>(
  auth: Auth<Scope>,
  owner: string,
  reason: RevokedReason,
  except?: string,
): Promise<number> {
  const at = auth.now();
  const count = await ask(auth.store.revokeTokens(owner, { at, reason }, except), readCount);
  emit(auth, { type: "tokens_revoked", at, owner, reason, count });
  return count;
}
