import type { ThrottlerOptions } from '@nestjs/throttler';
import {
  THROTTLER_BLOCK_DURATION,
  THROTTLER_KEY_GENERATOR,
  THROTTLER_LIMIT,
  THROTTLER_SKIP,
  THROTTLER_TRACKER,
  THROTTLER_TTL,
} from '@nestjs/throttler/dist/throttler.constants.js';

import type { RouteMetadata } from '../../policy/metadata.js';

/** What `@Throttle()` may say about one limit; what it leaves out is undefined. */
export type ThrottledFields = {
  readonly [F in keyof typeof FIELDS]?: ThrottlerOptions[F] | undefined;
};

/** What the decorators of @nestjs/throttler say about a route, so that they keep working here. */
export interface ThrottlerMetadata {
  /** `@Throttle()` by the limit's name: the handler's word before the controller's, field by field. */
  readonly limits: ReadonlyMap<string, ThrottledFields>;
  /** `@SkipThrottle()` by the limit's name, likewise. */
  readonly skips: ReadonlyMap<string, boolean>;
  /** The handler has a `@SkipThrottle()` of its own that lifts something. */
  readonly skippedByHandler: boolean;
}

const FIELDS = {
  limit: THROTTLER_LIMIT,
  ttl: THROTTLER_TTL,
  blockDuration: THROTTLER_BLOCK_DURATION,
  getTracker: THROTTLER_TRACKER,
  generateKey: THROTTLER_KEY_GENERATOR,
} as const;

/** Reads `@Throttle()` and `@SkipThrottle()` as the throttler's own guard does: for each name by itself. */
export function readThrottlerMetadata({ handler, controller }: RouteMetadata): ThrottlerMetadata {
  const targets = [handler, controller];
  const first = (key: string): unknown =>
    targets.map((target) => Reflect.getMetadata(key, target) as unknown).find((value) => value !== undefined);
  const limits = new Map<string, ThrottledFields>();
  for (const name of targets.flatMap((target) => namesIn(target, THROTTLER_LIMIT))) {
    const fields = Object.entries(FIELDS).map(([field, key]) => [field, first(key + name)]);
    limits.set(name, Object.fromEntries(fields) as ThrottledFields);
  }
  const skips = new Map<string, boolean>();
  for (const name of targets.flatMap((target) => namesIn(target, THROTTLER_SKIP)))
    skips.set(name, first(THROTTLER_SKIP + name) === true);
  return {
    limits,
    skips,
    skippedByHandler: namesIn(handler, THROTTLER_SKIP).some((name) => skips.get(name) === true),
  };
}

function namesIn(target: object, prefix: string): string[] {
  const keys = Reflect.getMetadataKeys(target) as unknown[];
  return keys.flatMap((key) =>
    typeof key === 'string' && key.startsWith(prefix) ? [key.slice(prefix.length)] : [],
  );
}
