import type { Result } from "../data/result.ts";
import type { Auth } from "./auth.ts";
import { type IssueOptions, issueToken } from "./issue.ts";
import {
  finishLogin,
  type Login,
  type LoginFailure,
  type PasswordCredentials,
  verifyPassword,
} from "./login.ts";
import { logout } from "./revoke.ts";
import { verifyToken } from "./verify.ts";

/**
 * Logs in with a token that nobody had before, whatever `onLogin` says, and ends the one
 * that the client had: whosever it was, with its line of rotations, once the password has proved right.
 */
export async function startSession<Scope extends string>(
  auth: Auth<Scope>,
  credentials: PasswordCredentials,
  former: string | null,
  options: IssueOptions<NoInfer<Scope>>,
): Promise<Result<Login<Scope>, LoginFailure>> {
  const verified = await verifyPassword(auth, credentials);
  if (!verified.ok) return verified;
  const user = verified.value;
  // It ends before the new one is made, so that it makes room where there is a `tokenLimit`.
  const held = former === null ? null : await verifyToken(auth, former);
  if (held?.ok) await logout(auth, held.value);
  return finishLogin(auth, user, await issueToken(auth, user, options));
}
