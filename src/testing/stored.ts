import type { Store } from "../ports/store.ts";
import type { OwnedToken, TokenRecord } from "../pure/record.ts";
import { expectEqual } from "./expectation.ts";

/** A token that was never rotated, whose owner is no user of the store. */
export function unowned(token: TokenRecord): OwnedToken {
  return { token, user: null, epoch: null, successor: null };
}

/** The first tokens are stored exactly as given, and the digests of the others are not stored. */
export async function expectOnly(
  store: Store,
  stored: readonly TokenRecord[],
  absent: readonly TokenRecord[],
  what = "the tokens stored",
): Promise<void> {
  for (const token of stored) {
    expectEqual((await store.findToken([token.digest]))?.token, token, what);
  }
  for (const token of absent) {
    expectEqual(await store.findToken([token.digest]), null, `${what}: the token ${token.id}`);
  }
}

/** Changes what is not frozen. */
export function spoil(token: TokenRecord | null | undefined): void {
  if (token === undefined || token === null) return;
  Reflect.set(token.scopes, 0, "spoiled");
  Reflect.set(token, "owner", "spoiled");
  Reflect.set(token, "revokedAt", 1);
  if (token.rotation !== null) Reflect.set(token.rotation, "overlapUntil", 9);
}
