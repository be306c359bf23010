import { ok, type Result } from "../data/result.ts";
import { StoreError } from "../ports/store_error.ts";
import type { OwnedToken } from "../pure/record.ts";
import { TokenText } from "../pure/token_text.ts";
import type { Owner } from "../pure/user.ts";
import { endOf, toToken } from "../pure/verify.ts";
import type { Auth } from "./auth.ts";
import { findDerivedText } from "./derived_text.ts";
import { emit } from "./emit.ts";
import { drawIdentifier } from "./identifier.ts";
import {
  checkIssueOptions,
  draftToken,
  type IssuedToken,
  type IssueFailure,
  type IssueOptions,
  issueToken,
  viewToken,
} from "./issue.ts";
import { ask, readSlot } from "./store_answer.ts";

/** The slot of the one token that a login reuses. */
const LOGIN_SLOT = "login";
const ATTEMPTS = 5;

/**
 * Gives an owner the token of a login, by the configured policy.
 *
 * With `onLogin: "new"` the same as {@link issueToken}. With `"reuse"` the one
 * reusable token of the owner: made when there is none, shown again while it
 * holds, and not counted against `tokenLimit`. Parallel calls receive the same
 * text. The options count when it is made, not when it is shown again. Once it
 * was rotated, the next login ends it, also during its overlap, and makes another one.
 *
 * @throws {TypeError | RangeError} as {@link issueToken}
 * @throws {StoreError} when the store fails; with the code `conflict` when a user was given whose tokens
 * were all revoked since the user was looked up
 */
export async function grantToken<Scope extends string>(
  auth: Auth<Scope>,
  owner: Owner,
  options: IssueOptions<NoInfer<Scope>> = {},
): Promise<Result<IssuedToken<Scope>, IssueFailure>> {
  const { derive } = auth;
  if (auth.onLogin === "new" || derive === null) return await issueToken(auth, owner, options);
  const terms = checkIssueOptions(auth, options);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const id = drawIdentifier(auth.random);
    const draft = draftToken(auth, id, owner, auth.formats[0].encode(derive(id)), terms);
    const wanted = { ...draft, slot: LOGIN_SLOT };
    const found = await ask(auth.store.ensureToken(wanted), (one) => readSlot(one, wanted));
    const { token } = found;
    checkEpoch(owner, found);
    const text = findDerivedText(auth, derive(token.id), token);
    const at = auth.now();
    if (text !== null && endOf(found, at) === null && found.successor === null) {
      if (token.id === id) emit(auth, { type: "token_issued", at, owner: token.owner, token: id });
      return ok({ text: new TokenText(text), token: viewToken(auth, toToken(token)) });
    }
    // It has ended, or was derived under a secret that is gone: it cannot be shown again, so it makes room.
    await auth.store.revokeToken(token.id, { at, reason: "superseded" });
  }
  throw new StoreError("ensure the token", "conflict");
}

/** Whoever was verified before all tokens were revoked must not be handed the token made after it. */
function checkEpoch(owner: Owner, { epoch }: OwnedToken): void {
  const known = typeof owner === "string" ? undefined : owner.epoch;
  if (known !== undefined && epoch !== null && known !== epoch) {
    throw new StoreError("ensure the token", "conflict");
  }
}
