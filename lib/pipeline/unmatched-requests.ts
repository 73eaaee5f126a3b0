import { answerByStatus, type ErrorAnswer } from '../errors/error-answer.js';
import type { RequestState } from '../http/request-state.js';
import type { RouteIndex } from '../policy/route-index.js';
import type { RateLimitPolicy } from '../policy/route-policy.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';

/**
 * Requests that no route took: they share one bucket per address under the default limits (R-RL-11), and learn from
 * 405 and `Allow` if only the method was wrong (R-HP-05).
 */
export class UnmatchedRequests {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly limits: RateLimitPolicy,
    private readonly routes: () => RouteIndex,
  ) {}

  /** @throws SecurityError `RATE_LIMITED` */
  async answer(state: RequestState): Promise<ErrorAnswer> {
    const { method, url } = state.request;
    const rules =
      method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? this.limits.read : this.limits.write;
    await this.limiter.charge(state, rules.early, undefined);
    const allowed = this.routes().methodsOf(url ?? '/');
    // A path that has the method was refused for something else, such as a slash at its end.
    if (allowed.length === 0 || allowed.includes(method ?? '')) return answerByStatus(404);
    return { ...answerByStatus(405), extras: { headers: { Allow: allowed.join(', ') } } };
  }
}
