import type { ThrottlerStorage } from '@nestjs/throttler';

import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import { parseDuration } from '../configuration/units.js';
import type { SecurityEvents } from '../events/security-events.js';
import { LoadShedder } from '../load/load-shedder.js';
import { FailedAttempts } from '../pipeline/failed-attempts.js';
import { MemoryRateLimitStorage } from '../rate-limit/memory/memory-rate-limit-storage.js';
import { PlanResolver } from '../rate-limit/plans/plan-resolver.js';
import { RateLimitPlans } from '../rate-limit/plans/rate-limit-plans.js';
import { RateLimitHeaders } from '../rate-limit/rate-limit-headers.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import { DEFAULT_PLAN_CACHE, type RateLimitOptions } from '../rate-limit/rate-limit.options.js';
import { RateLimiter } from '../rate-limit/rate-limiter.js';
import { ResilientStorage } from '../rate-limit/resilient-storage.js';
import { PenaltyStorage } from '../rate-limit/throttler/penalty-storage.js';
import { ThrottlerStorageAdapter } from '../rate-limit/throttler/throttler-storage-adapter.js';
import type { SecurityConfiguration } from './security-configuration.js';

/** How long a shared storage may take to let go. */
const CLOSE_MS = 1_000;
const NO_ATTEMPT_LIMIT: AttemptLimiter = { check: () => undefined, record: () => undefined };

/** Everything that limits. */
export interface LimitsRuntime {
  /** For limits of routes, in the storage of the application. */
  readonly limiter: RateLimiter;
  /** In this process's memory: what stands in front of routing must decide at once. */
  readonly addressLimiter: RateLimiter;
  readonly attempts: AttemptLimiter;
  /** Where limits are counted that are no route's; one that can look without counting. */
  readonly storage: RateLimitStorage;
  /** There if a storage is shared. */
  readonly shared: ResilientStorage | undefined;
  readonly plans: RateLimitPlans;
  readonly resolver: PlanResolver;
  readonly load: LoadShedder | undefined;
  /** For guards of @nestjs/throttler that the application may still have. */
  readonly throttlerStorage: ThrottlerStorage;
  close(): Promise<void>;
}

export function buildLimits(configuration: SecurityConfiguration, events: SecurityEvents): LimitsRuntime {
  const { clock, failedRule: failed, options } = configuration;
  const { storage: given, headers: mode = 'legacy', maxKeys } = options.rateLimit ?? {};
  const memory = new MemoryRateLimitStorage({ clock, ...(maxKeys ? { maxKeys } : {}) });
  const shared = given && guarded(given, memory, configuration, events);
  // A third party's storage can add a hit, but not look without one.
  const looking = given === undefined || !('consume' in given) ? memory : shared!;
  const headers = new RateLimitHeaders(mode);
  const plans = new RateLimitPlans(configuration.plans);
  const load = configuration.load && new LoadShedder(configuration.load, events);
  return {
    limiter: new RateLimiter(new PenaltyStorage(shared ?? memory), headers, clock, events),
    addressLimiter: new RateLimiter(memory, headers, clock, events),
    attempts: failed
      ? new FailedAttempts(looking, looking === memory, failed, headers, clock, events)
      : NO_ATTEMPT_LIMIT,
    storage: looking,
    shared,
    plans,
    resolver: planResolver(plans, configuration, events),
    load,
    throttlerStorage: given !== undefined && 'increment' in given ? given : memory,
    async close() {
      load?.close();
      await letGo(shared);
      memory.close();
    },
  };
}

/** Whether requests can give back what they have taken. */
export function takesRefunds({ storage }: RateLimitOptions = {}): boolean {
  return storage === undefined || ('refund' in storage && typeof storage.refund === 'function');
}

function guarded(
  given: RateLimitStorage | ThrottlerStorage,
  memory: MemoryRateLimitStorage,
  { clock, options }: SecurityConfiguration,
  events: SecurityEvents,
): ResilientStorage {
  const { onStoreFailure, storeTimeout, nodes } = options.rateLimit ?? {};
  const storage = 'consume' in given ? given : new ThrottlerStorageAdapter(given);
  return new ResilientStorage(storage, memory, {
    timeoutMs: parseDuration(storeTimeout),
    onStoreFailure,
    nodes,
    clock,
    onFailure: (error) => events.emit('rate-limit.store-failed', { message: messageOf(error) }),
    onRecovery: (afterMs) => events.emit('rate-limit.store-recovered', { afterMs }),
  });
}

function planResolver(
  plans: RateLimitPlans,
  { clock, options }: SecurityConfiguration,
  events: SecurityEvents,
): PlanResolver {
  const { planOf, planCacheFor = DEFAULT_PLAN_CACHE } = options.rateLimit ?? {};
  const failed = (error: unknown) => events.emit('rate-limit.plan-failed', { message: messageOf(error) });
  return new PlanResolver(plans, planOf, parseDuration(planCacheFor)!, clock, failed);
}

/** A storage that cannot be reached any more must not keep the others from closing. */
async function letGo(shared: ResilientStorage | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([shared?.close().catch(() => undefined), late]);
  clearTimeout(timer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
