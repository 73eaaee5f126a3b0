import {
  THROTTLER_LIMIT,
  THROTTLER_SKIP,
  THROTTLER_TTL,
} from '@nestjs/throttler/dist/throttler.constants.js';

import type { RouteMetadata } from '../policy/metadata.js';

/** One limit as `@Throttle()` wrote it. */
export interface ThrottledLimit {
  readonly name: string;
  readonly limit: unknown;
  readonly ttl: unknown;
}

/** What the decorators of @nestjs/throttler say about a route, so that they keep working here. */
export interface ThrottlerMetadata {
  readonly limits: readonly ThrottledLimit[];
  /** Any `@SkipThrottle()` with a true entry: skip means skip, whatever the limits are called. */
  readonly skip: boolean;
}

/** Reads `@Throttle()` and `@SkipThrottle()`: the handler's, or else the controller's. */
export function readThrottlerMetadata({ handler, controller }: RouteMetadata): ThrottlerMetadata {
  const ofHandler = read(handler);
  return ofHandler.limits.length > 0 || ofHandler.skip !== undefined
    ? { limits: ofHandler.limits, skip: ofHandler.skip ?? false }
    : { ...read(controller), skip: read(controller).skip ?? false };
}

function read(target: object): { limits: ThrottledLimit[]; skip: boolean | undefined } {
  const limits: ThrottledLimit[] = [];
  let skip: boolean | undefined;
  for (const key of Reflect.getMetadataKeys(target) as unknown[]) {
    if (typeof key !== 'string') continue;
    if (key.startsWith(THROTTLER_LIMIT)) {
      const name = key.slice(THROTTLER_LIMIT.length);
      const limit = Reflect.getMetadata(key, target) as unknown;
      limits.push({ name, limit, ttl: Reflect.getMetadata(THROTTLER_TTL + name, target) as unknown });
    } else if (key.startsWith(THROTTLER_SKIP)) {
      skip = skip === true || Reflect.getMetadata(key, target) === true;
    }
  }
  return { limits, skip };
}
