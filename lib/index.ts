export { ApiKeyAuth } from './authentication/api-key/api-key-auth.decorator.js';
export type { ApiKeyOptions, ExposedApiKey, OwnerRights } from './authentication/api-key/api-key.options.js';
export {
  type ApiKeyInfo,
  ApiKeyService,
  type ApiKeyUsage,
  type IssueApiKey,
  type IssuedApiKey,
  type UpdateApiKey,
} from './authentication/api-key/api-key.service.js';
export type {
  ApiKeyChange,
  ApiKeyChanges,
  ApiKeyDay,
  ApiKeyPage,
  ApiKeyRecord,
  ApiKeyStore,
  ApiKeyUse,
  KeyLimit,
} from './authentication/api-key/api-key-store.js';
export { type ApiKeyEntry, createApiKeyEntry } from './authentication/api-key/api-key-entry.js';
export type { KeyLimitSpec } from './authentication/api-key/key-limits.js';
export { type KeyGrant, MANAGE_KEYS_SCOPE } from './authentication/api-key/key-grant.js';
export { API_KEY_PATTERN, type KeyEnvironment } from './authentication/api-key/key-format.js';
export { MemoryApiKeyStore } from './authentication/api-key/memory-api-key-store.js';
export { JwtAuth } from './authentication/jwt/jwt-auth.decorator.js';
export type { JwtAlgorithm } from './authentication/jwt/algorithms.js';
export type { JwtIssuerOptions, JwtOptions } from './authentication/jwt/jwt.options.js';
export type { KeyRingStore, StoredKeyRing } from './authentication/jwt/key-ring-store.js';
export type { ManagedAlgorithm } from './authentication/jwt/key-ring.js';
export { MemoryTokenStore } from './authentication/jwt/memory-token-store.js';
export type { Revocation, RevocationPage, RevocationStore } from './authentication/jwt/revocation-store.js';
export type {
  RefreshTokenDigests,
  Rotation,
  RotationGrace,
  RotationOutcome,
  SessionStore,
  SubjectRights,
  TokenSession,
} from './authentication/jwt/session-store.js';
export type { TokenStore } from './authentication/jwt/token-store.js';
export {
  type RefreshConditions,
  type SessionInfo,
  type TokenGrant,
  type TokenPair,
  TokenService,
} from './authentication/jwt/token.service.js';
export type { SigningKeyOptions, TokenOptions } from './authentication/jwt/token.options.js';
export type { CurrentRights, UserRights } from './authentication/oauth2/delegated-rights.js';
export type { DpopOptions } from './authentication/oauth2/dpop/dpop.options.js';
export type { DpopAlgorithm } from './authentication/oauth2/dpop/dpop-proof.js';
export type { DpopReplayStore } from './authentication/oauth2/dpop/dpop-replay-store.js';
export { RequireDpop } from './authentication/oauth2/dpop/require-dpop.decorator.js';
export type { IntrospectionOptions } from './authentication/oauth2/introspection/introspection.options.js';
export type { MtlsOptions } from './authentication/oauth2/mtls.options.js';
export { OAuth2Auth } from './authentication/oauth2/oauth2-auth.decorator.js';
export type { OAuth2IssuerOptions, OAuth2Options } from './authentication/oauth2/oauth2.options.js';
export { Public } from './authentication/public.decorator.js';
export { RequireRoles } from './authorization/require-roles.decorator.js';
export { StepUp, type StepUpOptions } from './authorization/step-up.decorator.js';
export { defineScopes, type ScopeDescriptions } from './authorization/scope-descriptions.js';
export { RequireScopes } from './authorization/require-scopes.decorator.js';
export { UserOnly } from './authorization/user-only.decorator.js';
export { type SecurityClock, systemClock } from './clock.js';
export {
  type ConfigurationProblem,
  SecurityConfigurationError,
} from './configuration/configuration-problems.js';
export type { ByteSize, Duration } from './configuration/units.js';
export type { SecurityErrorCode } from './errors/error-code.js';
export type { ErrorOptions } from './errors/errors.options.js';
export { type ErrorDetail, SecurityError, type SecurityErrorExtras } from './errors/security-error.js';
export type {
  SecurityEvent,
  SecurityEventContext,
  SecurityEventMap,
  SecurityEventType,
} from './events/security-event.js';
export { SECURITY_EVENTS_CHANNEL, SecurityEvents } from './events/security-events.js';
export type { HeadersOptions } from './headers/headers.options.js';
export { SecurityHeaders } from './headers/security-headers.decorator.js';
export { BodyLimit, type BodyLimitOptions } from './http/body-limit.decorator.js';
export type { AnswerOptions } from './http/answers.options.js';
export type { BodyEncoding, BodyOptions } from './http/body.options.js';
export type { JsonLimitOptions } from './http/json/json-limits.js';
export type { HttpOptions } from './http/http.options.js';
export type { ProxyOptions } from './http/proxy-trust.js';
export { PolicyRegistry } from './policy/policy-registry.js';
export type {
  AcceptedScheme,
  AuthenticationPolicy,
  AuthorizationPolicy,
  BodyPolicy,
  ComputedLimits,
  CredentialScheme,
  RateLimitBy,
  RateLimitCost,
  RateLimitKey,
  RateLimitPolicy,
  RateLimitRule,
  RateLimitRules,
  RateLimitSubject,
  ResolvedLimits,
  RouteLocation,
  RoutePolicy,
  SchemeChallenge,
} from './policy/route-policy.js';
export { CurrentPrincipal } from './principal/current-principal.decorator.js';
export {
  createMeter,
  type LimitAlgorithm,
  type LimitMeter,
  type LimitMeterInit,
  type StoreFailurePolicy,
} from './policy/limit-meter.js';
export type { Principal, SenderBinding } from './principal/principal.js';
export type { LimitObject, LimitSpec, LimitText } from './policy/limit-spec.js';
export { MemoryRateLimitStorage } from './rate-limit/memory/memory-rate-limit-storage.js';
export {
  RateLimit,
  type RateLimitDecoratorOptions,
  SkipRateLimit,
} from './rate-limit/rate-limit.decorator.js';
export type { PlanOf } from './rate-limit/plans/plan-resolver.js';
export { type PlanLimits, RateLimitPlans } from './rate-limit/plans/rate-limit-plans.js';
export type { LimitSetting, RateLimitOptions } from './rate-limit/rate-limit.options.js';
export {
  fromThrottlerOptions,
  type FromThrottlerSettings,
} from './rate-limit/throttler/from-throttler-options.js';
export {
  type LimitDecisionMessage,
  type LimitLayer,
  RATE_LIMIT_CHANNEL,
} from './rate-limit/limit-decisions.js';
export type {
  LimitCharge,
  LimitDecision,
  LimitState,
  RateLimitStorage,
} from './rate-limit/rate-limit-storage.js';
export { type ReadinessPart, type ReadinessReport, SecurityReadiness } from './boot/security-readiness.js';
export type { LoadOptions } from './load/load.options.js';
export { SecurityModule } from './security.module.js';
export type { SecurityAsyncOptions, SecurityOptions } from './security-options.js';
export type { TransportOptions } from './transport/transport.options.js';
export { AnyNames } from './validation/any-names.decorator.js';
export { ClientSettable } from './validation/audit/client-settable.decorator.js';
export { Unbounded } from './validation/audit/unbounded.decorator.js';
export { CsvList, type CsvItem, type CsvListOptions } from './validation/converters/csv-list.decorator.js';
export { type BigIntOptions, ToBigInt } from './validation/converters/to-big-int.decorator.js';
export { partialOf } from './validation/derived/partial-of.js';
export { ValidationGroups } from './validation/derived/validation-groups.decorator.js';
export { PageQuery } from './validation/page/page-query.decorator.js';
export type { PageOf, PageOptions, PageSort } from './validation/page/page.options.js';
export { oneOf, OneOfPipe, type OneOfOptions } from './validation/union/one-of.js';
export { arrayOf, type ArrayOfOptions, type ItemType } from './validation/array-of.js';
export { type Base64UrlOptions, IsBase64Url, isBase64Url } from './validation/formats/base64url.js';
export {
  type CurrencyCodeOptions,
  IsCurrencyCode,
  isCurrencyCode,
  IsLanguageTag,
  isLanguageTag,
  type LanguageTagOptions,
} from './validation/formats/codes.js';
export { IsEmailAddress, isEmailAddress } from './validation/formats/email-address.js';
export { type HostnameOptions, IsHostname, isHostname } from './validation/formats/hostname.js';
export { Identifier, type IdentifierOptions, isIdentifier } from './validation/formats/identifier.js';
export { identifierKey } from './validation/formats/identifier-key.js';
export {
  type CidrOptions,
  type IpAddressOptions,
  IsCidr,
  isCidr,
  IsIpAddress,
  isIpAddress,
} from './validation/formats/ip-address.js';
export {
  type BigIntStringOptions,
  type DecimalStringOptions,
  IsBigIntString,
  isBigIntString,
  IsDecimalString,
  isDecimalString,
  IsE164,
  isE164,
} from './validation/formats/number-text.js';
export {
  IsFullDate,
  isFullDate,
  IsFullTime,
  isFullTime,
  IsRfc3339,
  isRfc3339,
} from './validation/formats/rfc3339.js';
export { IsStrictUrl, isStrictUrl, type StrictUrlOptions } from './validation/formats/strict-url.js';
export { IsStrictUuid, isStrictUuid, type StrictUuidOptions } from './validation/formats/strict-uuid.js';
export { IsNullable } from './validation/is-nullable.decorator.js';
export { contentDisposition, safeFileName, safeHeaderValue } from './validation/sanitize/header-text.js';
export {
  escapeHtml,
  isPlainText,
  PlainText,
  type PlainTextOptions,
} from './validation/sanitize/plain-text.js';
export {
  fetchPublicUrl,
  type PublicAnswer,
  type PublicFetchOptions,
} from './validation/sanitize/public-fetch.js';
export {
  type AddressLookup,
  assertPublicUrl,
  type PublicUrl,
  type PublicUrlOptions,
} from './validation/sanitize/public-url.js';
export { safeRedirect } from './validation/sanitize/safe-redirect.js';
export { isSafeUrl, SafeUrl, type SafeUrlOptions } from './validation/sanitize/safe-url.js';
export { escapeLike, sqlIdentifier } from './validation/sanitize/sql-text.js';
export { NormalizeUnicode, Trim, type UnicodeForm } from './validation/sanitize/text-transform.js';
export { Secret, type SecretOptions } from './validation/secret.decorator.js';
export {
  StrictValidationPipe,
  type StrictValidationPipeOptions,
} from './validation/strict-validation.pipe.js';
export type { DetailTranslator } from './validation/translation.js';
export type { ValidationOptions } from './validation/validation.options.js';
