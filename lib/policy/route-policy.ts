import type { IncomingHttpHeaders } from 'node:http';

import type { ExecutionContext } from '@nestjs/common';

import type { LimitMeter } from './limit-meter.js';

/** A way to prove who is calling; each has one decorator and one verifier. */
export type CredentialScheme = 'api-key' | 'jwt' | 'oauth2';

/** One scheme that a route accepts, with the scopes a credential of that scheme must carry. */
export interface AcceptedScheme {
  readonly scheme: CredentialScheme;
  readonly scopes: readonly string[];
}

/** The `WWW-Authenticate` values of one scheme on one route, each made at boot. */
export interface SchemeChallenge {
  /** Lower-cased scheme name on the wire. */
  readonly wireScheme: string;
  readonly missing: string;
  readonly invalid: string;
  readonly expired: string;
  readonly insufficientScope: string;
  /** There if the route demands a fresh or strong login (RFC 9470 §3). */
  readonly insufficientAuthentication?: string;
  /** Of DPoP alone: the proof is bad, or lacks a nonce (RFC 9449 §7.1). */
  readonly invalidProof?: string;
  readonly useNonce?: string;
}

/** Who may call: `required` needs a credential, `public` does not; a bad one is refused on both (R-AU-12). */
export interface AuthenticationPolicy {
  readonly mode: 'public' | 'required';
  /** The schemes that are read on this route. On a public route every configured scheme. */
  readonly schemes: readonly AcceptedScheme[];
  /** One challenge for each scheme on the wire that the route accepts. */
  readonly challenges: readonly SchemeChallenge[];
  /** Only tokens that are bound to a key and come with a proof. */
  readonly dpopRequired: boolean;
}

/** What an authenticated principal needs: all `scopes`, and one role of each group in `roles`. */
export interface AuthorizationPolicy {
  readonly scopes: readonly string[];
  readonly roles: readonly (readonly string[])[];
  /** `@UserOnly`-like restriction: API keys and OAuth clients are refused. */
  readonly userOnly: boolean;
  /** What the user's login must be, if anything is demanded of it. */
  readonly stepUp?: StepUpPolicy;
}

/** How fresh and strong a login must be (RFC 9470). */
export interface StepUpPolicy {
  /** Seconds since `auth_time`. */
  readonly maxAge: number | undefined;
  /** One of each group. */
  readonly acr: readonly (readonly string[])[];
  /** All of them. */
  readonly amr: readonly string[];
}

/** What a limit tells a function; the body is there only for limits that are checked after it was read. */
export interface RateLimitSubject {
  /** The client's address, grouped as configured (IPv6 by prefix). */
  readonly address: string;
  /** The principal's limit key, or `undefined` for an anonymous request. */
  readonly principal: string | undefined;
  readonly tenant: string | undefined;
  /** As Node gives them: names in lower case. */
  readonly headers: Readonly<IncomingHttpHeaders>;
  /** Path parameters as the router matched them. */
  readonly params: Readonly<Record<string, string>>;
  /** The parsed, not yet validated body. Treat it as hostile. */
  readonly body: unknown;
}

/** One thing that a limit may count by. A function makes a key of its own; what it returns is hashed, so its length does not matter. */
export type RateLimitKey =
  | 'principal'
  | 'api-key'
  | 'tenant'
  | 'address'
  | ((subject: RateLimitSubject) => string);

/** Whom a limit counts; several together count each combination. What a request lacks, such as a tenant, is counted as its principal, or else its address. */
export type RateLimitBy = RateLimitKey | readonly RateLimitKey[];

/** Units that one request takes: a whole number, or a function that computes one from the request. */
export type RateLimitCost = number | ((subject: RateLimitSubject) => number);

/** One compiled limit. */
export interface RateLimitRule {
  /** Stable name, shown in `RateLimit-Policy` and in events: never made from class names. */
  readonly name: string;
  /** What the storage counts. */
  readonly meter: LimitMeter;
  readonly cost: RateLimitCost;
  readonly by: RateLimitBy;
  /** Requests with the other outcome give back what they have taken: those below 400 with `failures`, the others with `successes`. */
  readonly countOnly: 'failures' | 'successes' | undefined;
  /** Routes that name the same one share a counter. */
  readonly group?: string;
  /** What a refusal is told in place of `Too many requests`. */
  readonly message?: string;
}

/** Limits by when they can be decided: those with a function wait for the body, the others do not. */
export interface RateLimitRules {
  readonly early: readonly RateLimitRule[];
  readonly late: readonly RateLimitRule[];
  /** Limits whose numbers are known only once there is a request; then they are all of the route's, and the lists are empty. */
  readonly computed?: ComputedLimits;
}

/** Limits that are made for each request, such as those of `@Throttle()` with functions. Decided after the body was read. */
export interface ComputedLimits {
  /** What each is called, for reports. */
  readonly names: readonly string[];
  resolve(context: ExecutionContext, caller: RateLimitSubject): Promise<ResolvedLimits>;
}

/** What {@link ComputedLimits} say of one request. */
export interface ResolvedLimits {
  /** All of them are in `early`. */
  readonly rules: RateLimitRules;
  /** Whom a rule counts, where a function has said so. */
  readonly keys: ReadonlyMap<RateLimitRule, string>;
  /** What a refusal by a rule is told, where a function says so. */
  readonly refusal: ((rule: RateLimitRule, retryAfter: number) => string) | undefined;
}

/** The limits of a route for safe methods (`GET`, `HEAD`, `OPTIONS`) and for the others. */
export interface RateLimitPolicy {
  readonly read: RateLimitRules;
  readonly write: RateLimitRules;
}

/** What a route accepts as content. */
export interface BodyPolicy {
  /** `true` if the handler takes a body (or `@Req()`), so that one is expected. */
  readonly declared: boolean;
  /** The members that the handler takes one by one: the body is an object with no others. */
  readonly members?: ReadonlySet<string>;
  readonly maxBytes: number;
  /** Accepted media types, lower case; anything but JSON and form is left unread for the handler. */
  readonly mediaTypes: readonly string[];
  /** The bytes are kept for the handler as they came. */
  readonly raw?: boolean;
}

/** The names of the query parameters a handler takes one by one; `undefined` where a DTO or nothing declares them. */
export type QueryPolicy = ReadonlySet<string> | undefined;

/** Headers that this route sets (a string) or removes (`null`), over the application's set. */
export type HeadersPolicy = ReadonlyMap<string, string | null>;

/** One address under which a handler is reachable. */
export interface RouteLocation {
  /** HTTP method in capitals, or `ALL`. */
  readonly method: string;
  /** Path template with prefix and version, such as `/v1/users/:id`. */
  readonly path: string;
  readonly version: string | undefined;
  readonly host: string | undefined;
}

/** Everything a request needs to know about its route; compiled once at boot and frozen. */
export interface RoutePolicy {
  /**
   * Method and first path template: `GET /users/:id`; type and field of a resolver: `Query.orders`; path and event of a gateway:
   * `WS /chat say`. Names the route in limits, events and reports.
   */
  readonly id: string;
  readonly locations: readonly RouteLocation[];
  /** `Class.method`, for people only. */
  readonly handler: string;
  readonly authentication: AuthenticationPolicy;
  readonly authorization: AuthorizationPolicy;
  readonly rateLimit: RateLimitPolicy;
  readonly body: BodyPolicy;
  readonly query: QueryPolicy;
  readonly headers: HeadersPolicy;
}
