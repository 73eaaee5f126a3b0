import { Controller, Get, Post } from '@nestjs/common';
import { ApiKeyAuth, ApiKeyService, type IssueApiKey, RateLimit, SkipRateLimit } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, type RunningApp } from '../../support/app.js';
import { send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';
import { INPUT, workshop } from './key-workshop.js';

@Controller()
@ApiKeyAuth()
class RoutesController {
  @Get('default')
  one() {
    return {};
  }

  @Get('own')
  @RateLimit('2/minute')
  two() {
    return {};
  }

  @Post('heavy')
  @RateLimit({ limit: 100, window: '1m', cost: 3 })
  heavy() {
    return {};
  }

  @Get('by-address')
  @RateLimit({ limit: 4, window: '1m', by: 'address' })
  byAddress() {
    return {};
  }

  @Get('free')
  @SkipRateLimit()
  free() {
    return {};
  }
}

describe.each(ADAPTERS)('limits of a key on %s', (adapter) => {
  let app: RunningApp;
  afterEach(() => app.close());

  async function keyWith(limits: IssueApiKey['limits']): Promise<string> {
    const input = limits === undefined ? INPUT : { ...INPUT, limits };
    return (await app.app.get(ApiKeyService).issue(input)).key;
  }
  const get = (path: string, key: string) =>
    send(app.port, path === '/heavy' ? 'POST' : 'GET', path, { headers: { 'x-api-key': key } });
  const start = async () => {
    const plans = { small: '3/minute', big: ['50/minute', '1000/day'] } as const;
    app = await startSecured(adapter, { apiKeys: { plans } }, { controllers: [RoutesController] });
  };

  it('R-RL-05 R-AK-08 a plan takes the place of the limits of routes, all routes together', async () => {
    await start();
    const small = await keyWith('small');
    const answers = [];
    for (const path of ['/default', '/own', '/default', '/own']) answers.push(await get(path, small));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers.map((answer) => answer.header('x-ratelimit-limit'))).toEqual(['3', '3', '3', '3']);
    const big = await keyWith('big');
    for (let i = 0; i < 5; i++) expect((await get('/own', big)).status).toBe(200);
    const plain = await keyWith(undefined);
    for (const status of [200, 200, 429]) expect((await get('/own', plain)).status).toBe(status);
  });

  it('R-RL-05 limits of its own, with what a request costs; others keep theirs', async () => {
    await start();
    const key = await keyWith(['7/minute', { limit: 1_000, window: '1d' }]);
    const left = async () => {
      const answer = await get('/heavy', key);
      return [answer.status, answer.header('x-ratelimit-remaining')];
    };
    expect(await left()).toEqual([201, '4']);
    expect(await left()).toEqual([201, '1']);
    expect((await left())[0]).toBe(429);
    expect((await get('/default', key)).status).toBe(200);
    expect((await get('/default', key)).status).toBe(429);
    expect((await get('/default', await keyWith(['7/minute']))).status).toBe(200);
  });

  it('R-RL-05 limits by address stay, and a route without limits has none', async () => {
    await start();
    const key = await keyWith('big');
    for (const status of [200, 200, 200, 200, 429])
      expect((await get('/by-address', key)).status).toBe(status);
    const small = await keyWith('small');
    for (let i = 0; i < 5; i++) expect((await get('/free', small)).status).toBe(200);
  });

  it('R-RL-05 a changed plan holds with the next request', async () => {
    await start();
    const service = app.app.get(ApiKeyService);
    const { id, key } = await service.issue({ ...INPUT, limits: 'small' });
    expect((await get('/default', key)).header('x-ratelimit-limit')).toBe('3');
    await service.update(id, { limits: 'big' });
    expect((await get('/default', key)).header('x-ratelimit-limit')).toBe('50');
    await service.update(id, { limits: null });
    expect((await get('/default', key)).header('x-ratelimit-limit')).toBe('300');
  });
});

describe('what limits a key can have', () => {
  const refused = (limits: unknown) => {
    const { service, store } = workshop({ options: { plans: { free: '60/minute' } } });
    return service.issue({ ...INPUT, limits: limits as never }).then(
      () => 'stored',
      async (error: { extras?: { details?: { path: string }[] } }) => {
        expect((await store.list('ada', 10)).keys).toEqual([]);
        return error.extras?.details?.map(({ path }) => path).join();
      },
    );
  };

  it.each([
    ['an unknown plan', 'gold'],
    ['no limit at all', []],
    ['a limit of nothing', ['0/minute']],
    ['a window of nothing', [{ limit: 1, window: 0 }]],
    ['a limit that counts by something else', [{ limit: 1, window: '1m', by: 'address' }]],
    ['a limit in a group', [{ limit: 1, window: '1m', group: 'shared' }]],
    ['too many', Array.from({ length: 6 }, () => '1/minute')],
    ['a number', 5],
    ['nothing', null],
  ])('R-IV-10 not %s', async (_, limits) => {
    expect(await refused(limits)).toBe('limits');
  });

  it.each([['free'], [['100/minute']], [[{ limit: 5, window: '1h' }, '100/day']]])(
    'R-RL-05 but %j',
    async (limits) => {
      expect(await refused(limits)).toBe('stored');
    },
  );

  it('R-RL-05 a key on a plan says so, whatever there is of it: it is looked up for each request', async () => {
    const { service, store, use } = workshop({ options: { plans: { free: '60/minute' } } });
    const { key } = await service.issue({ ...INPUT, limits: 'free' });
    for (const verified of [await use(key), await workshop({ store }).use(key)])
      expect([verified.plan, verified.limits]).toEqual(['free', undefined]);
  });

  it('R-CF-01 plans are checked at boot', () => {
    const codes = (plans: unknown) => {
      try {
        workshop({ options: { plans: plans as never } });
        return [];
      } catch (error) {
        return (error as { problems: { code: string }[] }).problems.map(({ code }) => code);
      }
    };
    expect(codes({ free: '60/minute' })).toEqual([]);
    expect(codes({ free: [] })).toEqual(['api-keys.plans']);
    expect(codes({ 'a b': '60/minute' })).toEqual(['api-keys.plans']);
    expect(codes({ free: 'many' })).toContain('rate-limit.limit');
  });
});
