import type { ExecutionContext } from '@nestjs/common';
import { GUARDS_METADATA } from '@nestjs/common/constants.js';
import { ThrottlerGuard } from '@nestjs/throttler';

import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import type { RouteMetadata } from '../../policy/metadata.js';
import type { ThrottledLimit, ThrottlerSetup } from './throttler-setup.js';

/** Methods that applications override in guards of their own, and that are asked here too. */
type AdoptedMethod = 'getTracker' | 'generateKey' | 'shouldSkip';

const ADOPTED: readonly AdoptedMethod[] = ['getTracker', 'generateKey', 'shouldSkip'];
/** Those that nobody calls any more: what they were to do must not get lost in silence. */
const LOST = ['handleRequest', 'throwThrottlingException', 'getErrorMessage'] as const;

const FIX =
  'use getTracker, generateKey, skipIf or errorMessage of fromThrottlerOptions(), or an exception filter';

/**
 * Asks a global guard that an application has made of `ThrottlerGuard` for whom to count, as the throttler did: behind what routes and options
 * say themselves.
 *
 * @param guards the application's global guards
 */
export function adoptGuards(
  setup: ThrottlerSetup,
  guards: readonly unknown[],
  problems: ConfigurationProblems,
): ThrottlerSetup {
  let adopted = setup;
  for (const guard of guards) {
    if (!(guard instanceof ThrottlerGuard)) continue;
    const { name } = guard.constructor;
    for (const method of LOST)
      if (overrides(guard, method))
        problems.add('throttler.guard', name, `overrides ${method}(), which is not asked here`, FIX);
    const limits = adopted.limits.map((limit) => asking(limit, guard));
    adopted = Object.freeze({ ...adopted, limits });
  }
  return adopted;
}

/** Reports guards of routes that count in a way of their own: only a global one is asked. */
export function checkRouteGuards(
  { controller, handler }: RouteMetadata,
  where: string,
  problems: ConfigurationProblems,
): void {
  for (const target of [controller, handler]) {
    for (const guard of (Reflect.getMetadata(GUARDS_METADATA, target) ?? []) as unknown[]) {
      const prototype: unknown = typeof guard === 'function' ? guard.prototype : guard;
      if (!(prototype instanceof ThrottlerGuard)) continue;
      const method = [...ADOPTED, ...LOST].find((one) => overrides(prototype, one));
      if (method === undefined) continue;
      const problem = `has a guard of its own that overrides ${method}(), which is not asked here`;
      problems.add('throttler.guard', where, problem, `${FIX}, or getTracker and generateKey of @Throttle()`);
    }
  }
}

function asking(limit: ThrottledLimit, guard: ThrottlerGuard): ThrottledLimit {
  const { skipIf } = limit;
  const { getTracker, generateKey, shouldSkip } = Object.fromEntries(
    ADOPTED.filter((method) => overrides(guard, method)).map((method) => [method, bound(guard, method)]),
  ) as Partial<Record<AdoptedMethod, (...args: readonly unknown[]) => unknown>>;
  return Object.freeze({
    ...(getTracker ? { getTracker: getTracker as NonNullable<ThrottledLimit['getTracker']> } : {}),
    ...(generateKey ? { generateKey: generateKey as NonNullable<ThrottledLimit['generateKey']> } : {}),
    ...limit,
    ...(shouldSkip
      ? {
          skipIf: async (context: ExecutionContext) =>
            (await shouldSkip(context)) === true || (await skipIf?.(context)) === true,
        }
      : {}),
  });
}

/** Its methods are protected: a guard's own affair, and ours, since we stand in for the class. */
function methodOf(guard: object, method: string): unknown {
  return (guard as Record<string, unknown>)[method];
}

function overrides(guard: object, method: string): boolean {
  return methodOf(guard, method) !== methodOf(ThrottlerGuard.prototype, method);
}

function bound(guard: object, method: AdoptedMethod): (...args: readonly unknown[]) => unknown {
  return (methodOf(guard, method) as (...args: readonly unknown[]) => unknown).bind(guard);
}
