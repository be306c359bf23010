import { fail, ok, type Result } from "../data/result.ts";
import type { Principal } from "../pure/record.ts";
import { decideToken, type TokenFailure } from "../pure/verify.ts";
import type { Auth } from "./auth.ts";
import { viewToken } from "./issue.ts";

/**
 * Decides whose a token is.
 *
 * A text of no accepted format is refused without I/O; any other costs one
 * round trip to the store. The clock is read after it, so a pause in between
 * cannot admit an expired token. Nothing is written.
 *
 * @returns the principal, or the reason why the token does not hold
 * @throws {StoreError} when the store fails, which is never a reason
 *
 * @example
 * ```ts
 * import { defineAuth, issueToken, verifyToken } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 *
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()] });
 * const result = await verifyToken(auth, "lk_typo");
 * console.log(result.ok ? result.value.user.username : result.failure.reason); // malformed_token
 * ```
 */
export async function verifyToken<Scope extends string>(
  auth: Auth<Scope>,
  text: string,
): Promise<Result<Principal<Scope>, TokenFailure>> {
  if (typeof text !== "string" || !auth.formats.some((format) => format.accepts(text))) {
    return fail({ reason: "malformed_token" });
  }
  const candidates = auth.candidates(text);
  const found = await auth.store.findToken(candidates.map(({ digest }) => digest));
  const decided = decideToken(found, candidates, auth.now());
  if (!decided.ok) return decided;
  const { user, token } = decided.value;
  return ok({ user, token: viewToken(auth, token) });
}
