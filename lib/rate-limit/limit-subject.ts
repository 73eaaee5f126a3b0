import type { RequestState } from '../http/request-state.js';
import type { RateLimitBy, RateLimitKey, RateLimitRule, RateLimitSubject } from '../policy/route-policy.js';

/** The parts of a request that a limit with a function may look at. */
export interface LimitedRequest {
  readonly params?: Record<string, string>;
  readonly body?: unknown;
  /** Whom a rule counts, where that was found out for this request already. */
  readonly keys?: ReadonlyMap<RateLimitRule, string>;
  /** What a refusal by a rule is told, in place of the rule's own message. */
  readonly refusal?: ((rule: RateLimitRule, retryAfter: number) => string) | undefined;
}

/** Whether a function of a limit looks at the request. */
export function asksRequest({ by, cost }: RateLimitRule): boolean {
  if (typeof cost === 'function' || typeof by === 'function') return true;
  return typeof by === 'object' && by.some((key) => typeof key === 'function');
}

/** What functions of limits are given; made once for a request, and only if a limit has one. */
export function subjectFor(state: RequestState, request: LimitedRequest | undefined): RateLimitSubject {
  return {
    address: state.addressKey,
    principal: state.principal?.limitKey,
    tenant: state.principal?.tenant,
    headers: state.request.headers,
    params: request?.params ?? {},
    body: request?.body,
  };
}

/**
 * Who is counted. Each kind of text begins in a way of its own: principals by their type and a colon, tenants and functions by a letter and a
 * colon, and nothing else is an address; so that no two of them can be one subject (R-RL-20).
 */
export function subjectOf(
  by: RateLimitBy,
  state: RequestState,
  subject: RateLimitSubject | undefined,
): string {
  if (typeof by !== 'object') return keyOf(by, state, subject);
  let combined = 'c:';
  for (const key of by) {
    const text = keyOf(key, state, subject);
    combined += `${text.length}:${text}`;
  }
  return combined;
}

function keyOf(by: RateLimitKey, state: RequestState, subject: RateLimitSubject | undefined): string {
  const { principal } = state;
  const caller = principal === undefined ? state.addressKey : principal.limitKey;
  switch (by) {
    case 'principal':
      return caller;
    case 'address':
      return state.addressKey;
    case 'api-key':
      return principal === undefined || principal.type === 'api-key' ? caller : state.addressKey;
    case 'tenant':
      return principal?.tenant === undefined ? caller : `t:${principal.tenant}`;
    default: {
      const own: unknown = by(subject!);
      // Without a usable key nobody may share one bucket with everybody (PITFALL T7): the address stands in.
      return typeof own === 'string' && own !== '' ? ownKey(own) : state.addressKey;
    }
  }
}

/** The subject of a key that a function has made. */
export function ownKey(key: string): string {
  return `f:${key}`;
}
