import { isTokenName } from "../pure/name.ts";
import type { Auth } from "./auth.ts";
import { ask, readFlag } from "./store_answer.ts";

/**
 * Gives an owner's token another name.
 *
 * `false` when the owner has no such token or it is revoked.
 *
 * @throws {RangeError} when the name is longer than 100 code points or has control characters
 * @throws {StoreError} when the store fails
 */
export async function renameToken<Scope extends string>(
  auth: Auth<Scope>,
  owner: string,
  id: string,
  name: string,
): Promise<boolean> {
  if (!isTokenName(name)) {
    throw new RangeError("Cannot use this name: expected up to 100 characters, none for control");
  }
  return await ask(auth.store.renameToken(owner, id, name), readFlag);
}
