import type { ThrottlerModuleOptions, ThrottlerOptions } from '@nestjs/throttler';

import { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import type { LimitObject } from '../../policy/limit-spec.js';
import type { RateLimitOptions } from '../rate-limit.options.js';
import { staticNumber } from './static-number.js';
import { type ThrottledLimit, type ThrottlerScope, withThrottlerSetup } from './throttler-setup.js';

/** What the throttler has no option for. */
export type FromThrottlerSettings = Partial<Omit<ThrottlerScope, 'message'>>;

type ThrottlerModuleObject = Exclude<ThrottlerModuleOptions, readonly ThrottlerOptions[]>;

const WHERE = 'fromThrottlerOptions()';

/**
 * Turns the options of `ThrottlerModule` into those of `rateLimit`: an application swaps the module and keeps its limits, decorators and
 * storage. Each limit keeps its name, its counter for each route, its functions, its `blockDuration` and its `errorMessage`.
 *
 * @param settings `scope`: `'route'` by default; `algorithm`: `'sliding-window'` by default, `'fixed-window'` lets up to twice the limit through
 *   where two windows meet
 * @throws SecurityConfigurationError for what cannot be kept: `ignoreUserAgents` (R-RL-21) and `setHeaders: false` (R-RL-01)
 *
 * @example
 * SecurityModule.forRoot({ rateLimit: fromThrottlerOptions([{ name: 'short', ttl: seconds(1), limit: 3 }]) })
 */
export function fromThrottlerOptions(
  options: ThrottlerModuleOptions,
  { scope = 'route', algorithm = 'sliding-window' }: FromThrottlerSettings = {},
): RateLimitOptions {
  const module: ThrottlerModuleObject = Array.isArray(options) ? { throttlers: options } : options;
  const problems = new ConfigurationProblems();
  const limits = module.throttlers.map((one) => limitOf(one, module));
  checkNames(limits, problems);
  for (const one of [module, ...module.throttlers]) checkKept(one, problems);
  const { storage, errorMessage: message, ipv6SubnetPrefix: prefix = 64 } = module;
  if (prefix !== 64 && prefix !== 56 && prefix !== 48) {
    problems.add(
      'throttler.ipv6-prefix',
      WHERE,
      'groups IPv6 addresses by an odd prefix',
      'use 64, 56 or 48',
    );
  }
  problems.throwIfAny();
  const shared = limits.flatMap((limit) => fixedSpec(limit, algorithm));
  return withThrottlerSetup(
    {
      // What no route takes counts too (PITFALL T5), and the limit by address follows from these.
      ...(shared.length > 0 ? { read: shared, write: shared } : {}),
      ...(storage ? { storage } : {}),
      ipv6Prefix: prefix as 48 | 56 | 64,
    },
    { limits, scope, algorithm, message },
  );
}

/** A limit's own function goes before the module's. */
function limitOf(own: ThrottlerOptions, module: ThrottlerModuleObject): ThrottledLimit {
  const { name = 'default', limit, ttl, blockDuration } = own;
  const getTracker = own.getTracker ?? module.getTracker;
  const generateKey = own.generateKey ?? module.generateKey;
  const skipIf = own.skipIf ?? module.skipIf;
  return Object.freeze({
    name,
    limit,
    ttl,
    ...(blockDuration === undefined ? {} : { blockDuration }),
    ...(getTracker ? { getTracker } : {}),
    ...(generateKey ? { generateKey } : {}),
    ...(skipIf ? { skipIf } : {}),
  });
}

function checkNames(limits: readonly ThrottledLimit[], problems: ConfigurationProblems): void {
  const names = limits.map(({ name }) => name);
  for (const name of new Set(names.filter((one, index) => names.indexOf(one) < index))) {
    const problem = `has two limits with the name ${JSON.stringify(name)}`;
    problems.add('throttler.duplicate-name', WHERE, problem, 'give each a name of its own');
  }
}

function checkKept(
  { ignoreUserAgents, setHeaders }: ThrottlerModuleObject | ThrottlerOptions,
  problems: ConfigurationProblems,
): void {
  if (ignoreUserAgents !== undefined) {
    problems.add(
      'throttler.ignore-user-agents',
      WHERE,
      'has ignoreUserAgents, which lifts the limits for whoever sends such a header',
      'remove it; put @SkipThrottle() on the routes that monitors call',
    );
  }
  if (setHeaders === false) {
    problems.add(
      'throttler.set-headers',
      WHERE,
      'has setHeaders: false, but every response of a limited route tells its limit',
      'remove it',
    );
  }
}

/** A limit without functions, for all that belongs to no route. */
function fixedSpec(
  { name, limit, ttl }: ThrottledLimit,
  algorithm: ThrottlerScope['algorithm'],
): LimitObject[] {
  if (typeof limit === 'function' || typeof ttl === 'function') return [];
  return [{ name, limit: staticNumber(limit), window: staticNumber(ttl), algorithm }];
}
