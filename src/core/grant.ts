import { StoreError } from "../ports/store_error.ts";
import { matchesDigest } from "../pure/digest.ts";
import type { TokenRecord } from "../pure/record.ts";
import { TokenText } from "../pure/token_text.ts";
import { isExpired } from "../pure/verify.ts";
import type { Auth } from "./auth.ts";
import { drawIdentifier } from "./identifier.ts";
import { type IssuedToken, type IssueOptions, issueToken, makeRecord, viewToken } from "./issue.ts";

/** The slot of the one token that a login reuses. */
const LOGIN_SLOT = "login";
const ATTEMPTS = 5;

/**
 * Gives an owner the token of a login, by the configured policy.
 *
 * With `onLogin: "new"` the same as {@link issueToken}. With `"reuse"` the one
 * reusable token of the owner: made when there is none, shown again while it
 * holds. Parallel calls receive the same text. `scopes` and `expiresIn` count
 * when it is made, not when it is shown again.
 *
 * @throws {RangeError} as {@link issueToken}
 * @throws {StoreError} when the store fails
 */
export async function grantToken<Scope extends string>(
  auth: Auth<Scope>,
  owner: string,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<IssuedToken<Scope>> {
  const { derive } = auth;
  if (auth.onLogin === "new" || derive === null) return await issueToken(auth, owner, options);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const id = drawIdentifier(auth.random);
    const digest = auth.digest(auth.formats[0].encode(derive(id)));
    const made = makeRecord(auth, id, owner, digest, options);
    const record = await auth.store.ensureToken({ ...made, slot: LOGIN_SLOT });
    const text = deriveText(auth, derive, record);
    if (text !== null && !isExpired(record, auth.now())) {
      return { text: new TokenText(text), token: viewToken(auth, record) };
    }
    // Expired, or derived under a secret that is gone: it cannot be shown again, so it makes room.
    await auth.store.revokeToken(record.id, auth.now());
  }
  throw new StoreError("ensure the token", "conflict");
}

/** The text of a stored reusable token in the format it was made in; `null` when it is not derivable. */
function deriveText<Scope extends string>(
  auth: Auth<Scope>,
  derive: (id: string) => Uint8Array,
  record: TokenRecord,
): string | null {
  const secret = derive(record.id);
  const texts = auth.formats.map((format) => format.encode(secret));
  return texts.find((text) => matchesDigest(auth.candidates(text), record)) ?? null;
}
