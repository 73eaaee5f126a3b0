import { Controller, Get } from '@nestjs/common';
import { SkipThrottle, Throttle } from '@nestjs/throttler';
import { PolicyRegistry, Public, RateLimit, type RateLimitRules, SkipRateLimit } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { closeApps } from '../../support/bare-app.js';
import { startSecured } from '../../support/secured-app.js';

const MINUTE = 60_000;

@Controller()
@Public()
class NamedRoutes {
  @Get('plain') plain() {
    return {};
  }

  @Throttle({ short: { limit: 7 } }) @Get('short') short() {
    return {};
  }

  @Throttle({ default: { limit: 7, ttl: MINUTE } }) @Get('replaced') replaced() {
    return {};
  }

  @SkipThrottle({ short: true }) @Get('one-skipped') oneSkipped() {
    return {};
  }

  @SkipThrottle() @Get('all-skipped') allSkipped() {
    return {};
  }

  @Throttle({ short: { limit: () => 7 } }) @Get('computed') computed() {
    return {};
  }
}

@Controller('class')
@Public()
@Throttle({ short: { limit: 8, ttl: MINUTE } })
@SkipThrottle({ long: true })
class ClassRoutes {
  @Get('plain') plain() {
    return {};
  }

  @Throttle({ short: { limit: 7 } }) @Get('field') field() {
    return {};
  }

  @SkipThrottle({ long: false }) @Get('back') back() {
    return {};
  }

  @RateLimit('9/minute') @Get('own') own() {
    return {};
  }

  @SkipRateLimit() @Get('lifted') lifted() {
    return {};
  }
}

const described = ({ early, late, computed }: RateLimitRules) =>
  computed?.names ?? [...early, ...late].map(({ name, meter }) => `${name} ${meter.limit}/${meter.windowMs}`);

describe("the throttler's decorators over limits with names", () => {
  afterEach(closeApps);

  async function limitsOf(): Promise<Record<string, readonly string[]>> {
    const read = [
      { name: 'short', limit: 3, window: '1s' },
      { name: 'long', limit: 100, window: '1m' },
    ] as const;
    const controllers = [NamedRoutes, ClassRoutes];
    const { app } = await startSecured('express', { rateLimit: { read } }, { controllers });
    const { policies } = app.get(PolicyRegistry);
    return Object.fromEntries(policies.map(({ id, rateLimit }) => [id.slice(4), described(rateLimit.read)]));
  }

  it('mean the limits that they name, field by field', async () => {
    expect(await limitsOf()).toEqual({
      '/plain': ['short 3/1000', 'long 100/60000'],
      '/short': ['long 100/60000', 'short 7/1000'],
      '/replaced': ['default 7/60000'],
      '/one-skipped': ['long 100/60000'],
      '/all-skipped': [],
      '/computed': ['long', 'short'],
      '/class/plain': ['short 8/60000'],
      '/class/field': ['short 7/60000'],
      '/class/back': ['long 100/60000', 'short 8/60000'],
      '/class/own': ['route 9/60000'],
      '/class/lifted': [],
    });
  });
});
