import type { Auth } from "../core/auth.ts";
import { drawIdentifier } from "../core/identifier.ts";
import { checkIssueOptions, draftToken, viewToken } from "../core/issue.ts";
import { drawBytes } from "../data/random.ts";
import { drf } from "../http/drf.ts";
import type { Revocation, Store } from "../ports/store.ts";
import { SECRET_SIZE } from "../pure/format.ts";
import type { OwnedToken, Principal } from "../pure/record.ts";
import type { User } from "../pure/user.ts";
import { toToken } from "../pure/verify.ts";

/** Whom a test acts as, and what the token may do. */
export interface ActAsOptions<Scope extends string = string> {
  /** The id of the user, and the owner of the token; one that nobody has when absent. */
  readonly id?: string;
  /** `"somebody"` when absent. */
  readonly username?: string;
  /** `false` when absent. */
  readonly isStaff?: boolean;
  /** `false` when absent. */
  readonly isSuperuser?: boolean;
  /** What the token may do; nothing that asks for a scope when absent. */
  readonly scopes?: readonly Scope[];
}

/** Somebody whom a test acts as. */
export interface Acting<Scope extends string = string> {
  /** The configuration to build the application with: it knows the token. */
  readonly auth: Auth<Scope>;
  /** What a request sends: `Authorization`, in the scheme of the dialect. */
  readonly headers: { readonly Authorization: string };
  /** Who the request then comes from. */
  readonly principal: Principal<Scope>;
}

/**
 * Acts as a user in a test, without a database, a password or a login.
 *
 * The configuration that it returns is the given one, which stays as it is,
 * with one more token: it is found without a call to the store or to
 * `findUser`, never expires, and its use is not written down. Logging out with
 * it, or revoking it, ends it and reaches no store either. It cannot be rotated.
 * Everything else goes on to the given store, also what the user does beyond
 * that, such as making or listing tokens. For two users at once, act as the
 * second with the configuration of the first.
 *
 * @throws {TypeError | RangeError} when the id is empty or a scope is not declared
 *
 * @example
 * ```ts
 * import { createGuard, defineAuth, hasScopes } from "latchkey";
 * import { memoryStore } from "latchkey/memory";
 * import { pbkdf2 } from "latchkey/pbkdf2";
 * import { actAs } from "latchkey/testing";
 *
 * const scopes = ["notes:read", "notes:write"];
 * const auth = defineAuth({ store: memoryStore(), passwords: [pbkdf2()], scopes });
 *
 * const ada = actAs(auth, { username: "ada", scopes: ["notes:read"] });
 * const guard = createGuard(ada.auth, { permissions: [hasScopes(["notes:write"])] });
 * const result = await guard(new Request("https://example.com/", { headers: ada.headers }));
 * console.log(result.ok ? "passed" : result.failure.status); // 403
 * ```
 */
export function actAs<Scope extends string>(
  auth: Auth<Scope>,
  options: ActAsOptions<NoInfer<Scope>> = {},
): Acting<Scope> {
  const { id = drawIdentifier(auth.random), username = "somebody", scopes = [] } = options;
  const { isStaff = false, isSuperuser = false } = options;
  const user: User = { id, username, isActive: true, isStaff, isSuperuser };
  const text = auth.formats[0].encode(drawBytes(auth.random, SECRET_SIZE));
  const terms = checkIssueOptions(auth, { scopes, expiresIn: null, idleTimeout: null });
  const draft = draftToken(auth, drawIdentifier(auth.random), id, text, terms);
  const token = { ...draft, epoch: 0 };
  const { findUser } = auth;
  return {
    auth: {
      ...auth,
      store: overlayToken(auth.store, { token, user, epoch: token.epoch, successor: null }),
      findUser: findUser && (async (owner) => owner === id ? user : await findUser(owner)),
      // Those who use the given configuration would write down the use of the token.
      uses: { latest: new Map(), writing: null },
    },
    headers: { Authorization: `${(auth.dialect ?? drf()).scheme} ${text}` },
    principal: { user, token: viewToken(auth, toToken(token)) },
  };
}

/** Puts one more token in front of those of a store, and keeps from it whatever concerns that token alone. */
function overlayToken(store: Store, { token, ...found }: OwnedToken): Store {
  const { id, owner, digest, family } = token;
  let ended: Revocation | null = null;
  /** Whether this call ended the token. */
  const end = (revocation: Revocation): boolean => {
    const isFirst = ended === null;
    ended ??= revocation;
    return isFirst;
  };
  const revoked = () => ({
    revokedAt: ended === null ? null : ended.at,
    revokedReason: ended === null ? null : ended.reason,
  });
  return {
    ...store,
    async findToken(digests) {
      return digests.includes(digest)
        ? { ...found, token: { ...token, ...revoked() } }
        : await store.findToken(digests);
    },
    async revokeToken(revokedId, revocation, ownerId) {
      if (revokedId !== id) return await store.revokeToken(revokedId, revocation, ownerId);
      return (ownerId === undefined || ownerId === owner) && end(revocation);
    },
    async revokeFamily(revokedFamily, revocation) {
      if (revokedFamily !== family) return await store.revokeFamily(revokedFamily, revocation);
      return end(revocation) ? 1 : 0;
    },
    async revokeTokens(ownerId, revocation, except) {
      const count = await store.revokeTokens(ownerId, revocation, except);
      return ownerId === owner && except !== id && end(revocation) ? count + 1 : count;
    },
    async touchTokens(uses) {
      const others = uses.filter((use) => use.id !== id);
      if (others.length > 0) await store.touchTokens(others);
    },
  };
}
