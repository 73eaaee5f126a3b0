import type { ExecutionContext } from '@nestjs/common';

import { createMeter } from '../../policy/limit-meter.js';
import { MAX_LIMIT, MAX_WINDOW_MS, MIN_WINDOW_MS } from '../../policy/limit-spec.js';
import type {
  ComputedLimits,
  RateLimitRule,
  RateLimitSubject,
  ResolvedLimits,
} from '../../policy/route-policy.js';
import { staticNumber } from './static-number.js';
import { registerThrottled } from './throttled-meter.js';
import type { ThrottledLimit, ThrottledMessage } from './throttler-setup.js';

/** One limit with a function, and the rule that its numbers go into. */
export interface ThrottledTemplate {
  readonly throttled: ThrottledLimit;
  /** Its limit and window stand for numbers that are computed. */
  readonly template: RateLimitRule;
}

/** The numbers of one limit in one request, and whom it counts. */
interface Resolved {
  readonly index: number;
  readonly limit: number;
  readonly windowMs: number;
  readonly blockMs: number;
  readonly key: string | undefined;
}

/** Different sets of numbers that are kept for one route; functions that compute ever new ones cost time, not memory. */
const MAX_LISTS = 256;

/**
 * The throttler's limits of a route of which some ask a function about each request: for their numbers, for whom to count, or whether to count at
 * all. The policy stays frozen; rules are made when numbers are new, and kept.
 */
export class ThrottledLimits implements ComputedLimits {
  readonly names: readonly string[];
  readonly #lists = new Map<string, readonly RateLimitRule[]>();

  /** @param kept further limits of the route, without functions of the throttler */
  constructor(
    private readonly templates: readonly ThrottledTemplate[],
    private readonly kept: readonly RateLimitRule[],
    private readonly message: ThrottledMessage | undefined,
  ) {
    this.names = [...kept, ...templates.map(({ template }) => template)].map(({ name }) => name);
  }

  /** @throws TypeError if a function computes no number: a request of unknown limit must not pass */
  async resolve(context: ExecutionContext, caller: RateLimitSubject): Promise<ResolvedLimits> {
    const resolved: Resolved[] = [];
    for (const [index, { throttled }] of this.templates.entries()) {
      if ((await throttled.skipIf?.(context)) === true) continue;
      resolved.push({
        index,
        ...(await numbersOf(throttled, context)),
        key: await keyOf(throttled, context, caller),
      });
    }
    const list = this.#list(resolved);
    const keys = new Map<RateLimitRule, string>();
    for (const [place, { key }] of resolved.entries())
      if (key !== undefined) keys.set(list[this.kept.length + place]!, key);
    const { message } = this;
    return {
      rules: { early: list, late: [] },
      keys,
      refusal:
        typeof message === 'function'
          ? (rule, retryAfter) => message(context, detailOf(rule, retryAfter, keys.get(rule)))
          : undefined,
    };
  }

  #list(resolved: readonly Resolved[]): readonly RateLimitRule[] {
    const numbers = resolved.map(({ index, limit, windowMs, blockMs }) => [index, limit, windowMs, blockMs]);
    const name = numbers.join(';');
    let list = this.#lists.get(name);
    if (list === undefined) {
      list = Object.freeze([...this.kept, ...resolved.map((one) => ruleOf(this.templates[one.index]!, one))]);
      // The oldest goes first, in the order in which a Map keeps them.
      if (this.#lists.size >= MAX_LISTS) this.#lists.delete(this.#lists.keys().next().value!);
      this.#lists.set(name, list);
    }
    return list;
  }
}

function ruleOf(
  { template, throttled }: ThrottledTemplate,
  { limit, windowMs, blockMs }: Resolved,
): RateLimitRule {
  // A limit of nothing: no request fits into a limit of one at a cost of two.
  const nothing = limit < 1;
  const units = nothing ? 1 : limit;
  const meter = createMeter({ ...template.meter, limit: units, burst: units, windowMs });
  registerThrottled(meter, throttled.name, blockMs);
  return Object.freeze({ ...template, meter, cost: nothing ? 2 : template.cost });
}

async function numbersOf(
  { limit, ttl, blockDuration, name }: ThrottledLimit,
  context: ExecutionContext,
): Promise<Pick<Resolved, 'limit' | 'windowMs' | 'blockMs'>> {
  const numberOf = async (value: unknown, option: string) => {
    const number = staticNumber(typeof value === 'function' ? await (value as Ask)(context) : value);
    if (typeof number !== 'number' || Number.isNaN(number))
      throw new TypeError(`the ${option} of the limit ${name} is no number`);
    return number;
  };
  return {
    limit: Math.min(MAX_LIMIT, Math.max(0, Math.floor(await numberOf(limit, 'limit')))),
    windowMs: Math.max(MIN_WINDOW_MS, wholeMs(await numberOf(ttl, 'ttl'))),
    blockMs: wholeMs(await numberOf(blockDuration ?? 0, 'blockDuration')),
  };
}

type Ask = (context: ExecutionContext) => unknown;

/** Redis takes no fraction (PITFALL R4). */
function wholeMs(ms: number): number {
  return Math.min(MAX_WINDOW_MS, Math.max(0, Math.ceil(ms)));
}

/** Undefined where no function has a usable answer: then the caller's address stands in (PITFALL T7). */
async function keyOf(
  { getTracker, generateKey, name }: ThrottledLimit,
  context: ExecutionContext,
  caller: RateLimitSubject,
): Promise<string | undefined> {
  const request = context.switchToHttp().getRequest<Record<string, unknown>>();
  const tracker = getTracker && textOf(await getTracker(request, context));
  if (!generateKey) return tracker;
  const who = getTracker ? (tracker ?? caller.address) : (caller.principal ?? caller.address);
  return textOf(generateKey(context, who, name));
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'bigint' || Number.isFinite(value) ? String(value) : undefined;
}

/** What the throttler tells its `errorMessage`. */
function detailOf({ meter }: RateLimitRule, retryAfter: number, tracker = '') {
  const { limit, windowMs, bucket } = meter;
  return {
    limit,
    ttl: windowMs,
    key: bucket,
    tracker,
    totalHits: limit + 1,
    timeToExpire: retryAfter,
    isBlocked: true,
    timeToBlockExpire: retryAfter,
  };
}
