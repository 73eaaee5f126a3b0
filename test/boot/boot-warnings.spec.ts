import { generateKeyPairSync } from 'node:crypto';

import { Controller, Get, Logger, type Type } from '@nestjs/common';
import { type LimitSpec, OAuth2Auth, Public, RateLimit, type SecurityOptions } from 'nestjs-api-security';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { closeApps } from '../support/bare-app.js';
import { send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ISSUER = 'https://id.example.test';
const AUDIENCE = 'https://api.example.test';

const jwt = (legacyTyp: boolean): SecurityOptions => ({
  jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey, legacyTyp },
});

async function warningsOf(options: SecurityOptions, controllers: Type[] = []): Promise<string[]> {
  vi.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  await startSecured('express', { logger: true, ...options }, { controllers });
  return warn.mock.calls.map(([message]) => String(message));
}

afterEach(async () => {
  vi.restoreAllMocks();
  await closeApps();
});

describe('warnings at boot', () => {
  it('R-JW-15 R-CF-01 say which issuer’s tokens are accepted without their type', async () => {
    expect(await warningsOf(jwt(true))).toEqual([expect.stringContaining(ISSUER)]);
  });

  it('R-JW-15 are silent where there is nothing to say, or nobody who wants to hear it', async () => {
    expect(await warningsOf(jwt(false))).toEqual([]);
    expect(await warningsOf({ ...jwt(true), logger: false })).toEqual([]);
  });
});

describe('R-RL-05 a limit over a long time', () => {
  const limited = (limits: LimitSpec | LimitSpec[]) => {
    @Controller()
    @Public()
    class LimitedController {
      @Get('limited')
      @RateLimit(limits)
      limited(): object {
        return {};
      }
    }
    return LimitedController;
  };
  const none = { rateLimit: { address: false } } as const;

  it.each<[string, LimitSpec | LimitSpec[], number]>([
    ['alone', '10000/day', 1],
    ['beside a shorter one', ['10000/day', '60/minute'], 0],
    ['beside one that is only tried out', ['10000/day', { limit: 60, window: '1m', dryRun: true }], 1],
    ['that is so small that it makes no burst', '5/hour', 0],
    ['that fills evenly', { limit: 10_000, window: '1d', algorithm: 'token-bucket', burst: 20 }, 0],
    ['of requests in flight', { limit: 100, window: '1d', algorithm: 'concurrency' }, 0],
  ])('R-RL-05 %s', async (_, limits, warnings) => {
    expect(await warningsOf(none, [limited(limits)])).toHaveLength(warnings);
  });

  it('R-RL-05 is tamed by what holds for each address, if that is less', async () => {
    expect(await warningsOf({}, [limited('10000/day')])).toEqual([]);
    expect(await warningsOf({}, [limited('1000/day')])).toEqual([
      expect.stringContaining(
        'The limit route of GET /limited lets all 1000 units of 86400 s through at once',
      ),
    ]);
  });
});

describe('groups of limits', () => {
  it('R-RL-11 warns of a route that shares no counter with its group', async () => {
    @Controller()
    @Public()
    class Grouped {
      @RateLimit({ limit: 10, window: '1m', group: 'search' }) @Get('one') one() {}
      @RateLimit({ limit: 5, window: 60_000, group: 'search' }) @Get('two') two() {}
      @RateLimit([
        { limit: 10, window: '60s', group: 'search' },
        { limit: 100, window: '5m', group: 'search' },
      ])
      @Get('three')
      three() {}
      @RateLimit({ limit: 100, window: '5m', group: 'search' }) @Get('four') four() {}
      @RateLimit({ limit: 10, window: '30s', group: 'alone' }) @Get('five') five() {}
    }
    @Controller()
    @Public()
    class Apart {
      @RateLimit({ limit: 10, window: '1m', algorithm: 'fixed-window', group: 'search' }) @Get('six') six() {}
    }
    expect(await warningsOf({}, [Grouped])).toEqual([]);
    expect(await warningsOf({}, [Grouped, Apart])).toEqual([
      'GET /six shares no counter with others of the group search: none has a fixed-window of 60 s',
    ]);
  });
});

describe('plans', () => {
  it('R-RL-14 warns of a route that costs more than a plan ever has', async () => {
    @Controller()
    @Public()
    class Dear {
      @RateLimit('100/minute', { cost: 5 }) @Get('dear') dear() {}
    }
    const plans = { free: '4/minute', pro: '5/minute' } as const;
    expect(await warningsOf({ rateLimit: { plans } }, [Dear])).toEqual([
      'GET /dear costs more than the plan free ever has: it is closed to whoever is on it',
    ]);
  });
});

describe('the realm', () => {
  it('R-AU-02 of the application is that of every challenge', async () => {
    @Controller()
    @OAuth2Auth()
    class ItemsController {
      @Get('items')
      items(): object {
        return {};
      }
    }
    const oauth2 = { resource: AUDIENCE, issuers: [{ issuer: ISSUER, publicKey }] };
    const { port } = await startSecured(
      'express',
      { oauth2, realm: 'items' },
      { controllers: [ItemsController] },
    );
    const response = await send(port, 'GET', '/items');
    expect(response.header('www-authenticate')).toMatch(/^Bearer realm="items"/);
  });
});
