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
export type { AuthEvent, AuthEventType, EventSink, LoginReason } from "./pure/event.ts";
export { hexFormat, prefixedFormat, type TokenFormat } from "./pure/format.ts";
export type { CheckedLimit, Limit, Throttled } from "./pure/limit.ts";
export type { Rate, RatePeriod } from "./pure/rate.ts";
export type { CheckedLoginLimits, LoginLimits } from "./pure/login_limits.ts";
export type { PasswordReason } from "./pure/password.ts";
export {
  defaultPasswordRules,
  minLength,
  noContext,
  notRepetitive,
  type PasswordContext,
  type PasswordProblem,
  type PasswordRule,
} from "./pure/password_rule.ts";
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
export type {
  OwnedToken,
  Principal,
  RevokedReason,
  Rotation,
  Successor,
  Token,
  TokenDraft,
  TokenRecord,
} from "./pure/record.ts";
export { TokenText } from "./pure/token_text.ts";
export {
  normalizeUsername,
  type Owner,
  type User,
  type UsernameReason,
  type UserRecord,
} from "./pure/user.ts";
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
export type {
  AttemptLimit,
  AttemptStore,
  AttemptWindow,
  EventStore,
  PasswordChange,
  Revocation,
  Store,
  TokenLimit,
  TokenPage,
  TokenStore,
  TokenUse,
  UserChange,
  UserStore,
} from "./ports/store.ts";
export type { RevocationBus, TokenChange } from "./ports/revocation_bus.ts";
export { OverloadError } from "./ports/overload_error.ts";
export { StoreError, type StoreErrorCode } from "./ports/store_error.ts";

export { auditSink } from "./core/audit.ts";
export {
  type Auth,
  type AuthOptions,
  defineAuth,
  type HashingOptions,
  type PendingHashes,
  type PendingUses,
  type RevokeOn,
} from "./core/auth.ts";
export { grantToken } from "./core/grant.ts";
export {
  type IssuedToken,
  type IssueFailure,
  type IssueOptions,
  issueToken,
  mintToken,
} from "./core/issue.ts";
export { localBus } from "./core/local_bus.ts";
export {
  type ListedToken,
  type ListFailure,
  type ListOptions,
  listTokens,
  type TokenList,
  type TokenStatus,
} from "./core/list.ts";
export {
  type Login,
  login,
  type LoginFailure,
  type PasswordCredentials,
  type PasswordFailure,
  type RefusedPassword,
  verifyPassword,
} from "./core/login.ts";
export { findProblems } from "./core/password_rules.ts";
export { type PruneOptions, pruneTokens } from "./core/prune.ts";
export { renameToken } from "./core/rename.ts";
export {
  logout,
  revokeAllTokens,
  type RevokeOptions,
  revokeOtherTokens,
  revokeToken,
} from "./core/revoke.ts";
export { type RotateOptions, rotateToken } from "./core/rotate.ts";
export { flushUses } from "./core/use.ts";
export {
  changePassword,
  type ChangePasswordFailure,
  createSuperuser,
  createUser,
  deleteUser,
  type NewPasswordFailure,
  type NewUser,
  type PasswordReplacement,
  setActive,
  setPassword,
  type SetPasswordFailure,
  type UserFailure,
} from "./core/users.ts";
export {
  type VerificationCache,
  verificationCache,
  type VerificationCacheOptions,
} from "./core/verification_cache.ts";
export { type VerifyOptions, verifyToken } from "./core/verify.ts";

export { jsonAnswer, toResponse, withHeaders } from "./http/answer.ts";
export { type Credentials, readAuthorization } from "./http/authorization.ts";
export { type AddressedRequest, findClientAddress } from "./http/client_address.ts";
export {
  type CarriedCredentials,
  type CookieOptions,
  type CookieTransport,
  cookieTransport,
} from "./http/cookie.ts";
export { type BodyFailure, type EndpointRequest, readBody } from "./http/body.ts";
export { bearer, type BearerOptions } from "./http/bearer.ts";
export { drf } from "./http/drf.ts";
export {
  defineEndpoint,
  type Endpoint,
  type EndpointLimits,
  type EndpointOptions,
} from "./http/endpoint.ts";
export { type CharField, charField, type CharFieldOptions, toInputErrors } from "./http/field.ts";
export {
  type AuthenticatedGuardOptions,
  createGuard,
  type Guard,
  type GuardOptions,
} from "./http/guard.ts";
export type { GuardRequest } from "./http/guard_request.ts";
export { createLogout } from "./http/logout.ts";
export { createObtainToken, type ObtainTokenOptions } from "./http/obtain_token.ts";
export { type Throttle, throttle, type ThrottleRates } from "./http/throttle.ts";
export type { Route } from "./http/route.ts";
export {
  createSelfService,
  type SelfService,
  type SelfServiceOptions,
} from "./http/self_service.ts";
