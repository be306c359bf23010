/**
 * Opaque-token authentication for any framework, runtime and database.
 *
 * This entry holds the operations and the HTTP layer, made of ECMAScript and Web
 * types only. Frameworks, stores and password hashers have entries of their own.
 *
 * @module
 */
export { type Fail, fail, type Ok, ok, type Result } from "./data/result.ts";
export { type RandomSource, systemRandom } from "./data/random.ts";

export type { Digest, Pepper, PepperRing } from "./pure/digest.ts";
export type { Duration } from "./pure/duration.ts";
export { hexFormat, prefixedFormat, type TokenFormat } from "./pure/format.ts";
export type { PasswordReason } from "./pure/password.ts";
export {
  allowAny,
  and,
  type AuthenticatedPermission,
  hasScopes,
  isAdminUser,
  isAuthenticated,
  isAuthenticatedOrReadOnly,
  not,
  or,
  type Permission,
  permission,
  type PermissionRequest,
  type Refusal,
} from "./pure/permission.ts";
export type { OwnedToken, Principal, Token, TokenRecord } from "./pure/record.ts";
export { TokenText } from "./pure/token_text.ts";
export { normalizeUsername, type User, type UsernameReason, type UserRecord } from "./pure/user.ts";
export type { TokenFailure, TokenReason } from "./pure/verify.ts";

export type {
  Answer,
  Denial,
  Dialect,
  EndpointDescription,
  FieldDescription,
  HeaderReason,
  InputErrors,
} from "./ports/dialect.ts";
export type { Hasher, PasswordVerifier } from "./ports/hasher.ts";
export type { Store, TokenStore, UserStore } from "./ports/store.ts";
export { StoreError, type StoreErrorCode } from "./ports/store_error.ts";

export { type Auth, type AuthOptions, defineAuth } from "./core/auth.ts";
export { grantToken } from "./core/grant.ts";
export { type IssuedToken, type IssueOptions, issueToken } from "./core/issue.ts";
export {
  type Login,
  login,
  type LoginFailure,
  type LoginReason,
  type PasswordCredentials,
  verifyPassword,
} from "./core/login.ts";
export { logout, revokeToken } from "./core/revoke.ts";
export {
  createSuperuser,
  createUser,
  type NewUser,
  setActive,
  setPassword,
  type SetPasswordFailure,
  type UserFailure,
} from "./core/users.ts";
export { verifyToken } from "./core/verify.ts";

export { jsonAnswer, toResponse, withHeaders } from "./http/answer.ts";
export { type Credentials, readAuthorization } from "./http/authorization.ts";
export { type BodyFailure, type EndpointRequest, readBody } from "./http/body.ts";
export { drf } from "./http/drf.ts";
export { defineEndpoint, type Endpoint, type EndpointOptions } from "./http/endpoint.ts";
export { type CharField, charField, type CharFieldOptions, toInputErrors } from "./http/field.ts";
export {
  type AuthenticatedGuardOptions,
  createGuard,
  type Guard,
  type GuardOptions,
} from "./http/guard.ts";
export { createLogout } from "./http/logout.ts";
export { createObtainToken, type ObtainTokenOptions } from "./http/obtain_token.ts";
