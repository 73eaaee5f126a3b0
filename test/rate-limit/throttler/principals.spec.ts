import { Controller, Get } from '@nestjs/common';
import { Throttle } from '@nestjs/throttler';
import { ApiKeyAuth, ApiKeyService, fromThrottlerOptions, type KeyLimitSpec } from 'nestjs-api-security';
import { afterEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps } from '../../support/bare-app.js';
import { send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';

const MINUTE = 60_000;

interface Asked {
  readonly user?: { readonly owner: string };
}
const ownerOf = ({ user }: Asked): string => user?.owner ?? '';

@Controller()
@ApiKeyAuth()
class KeyRoutes {
  @Get('plain') plain() {
    return {};
  }

  @Throttle({ default: { limit: () => 2 } }) @Get('computed') computed() {
    return {};
  }

  @Throttle({ default: { getTracker: ownerOf } }) @Get('owners') owners() {
    return {};
  }
}

describe.each(ADAPTERS)("the throttler's limits and callers with a key on %s", (adapter) => {
  afterEach(closeApps);

  async function start() {
    const rateLimit = fromThrottlerOptions([{ ttl: MINUTE, limit: 2 }]);
    const { app, port } = await startSecured(adapter, { rateLimit }, { controllers: [KeyRoutes] });
    const keys = app.get(ApiKeyService);
    const keyOf = async (owner: string, limits?: KeyLimitSpec[]) =>
      (await keys.issue({ owner, name: 'n', scopes: [], ...(limits ? { limits } : {}) })).key;
    const statuses = async (path: string, key: string, times: number) => {
      const found: number[] = [];
      for (let i = 0; i < times; i += 1)
        found.push((await send(port, 'GET', path, { headers: { 'x-api-key': key } })).status);
      return found;
    };
    return { keyOf, statuses };
  }

  it.each(['/plain', '/computed'])('R-RL-07 counts the key, not its address, on %s', async (path) => {
    const { keyOf, statuses } = await start();
    expect(await statuses(path, await keyOf('a'), 3)).toEqual([200, 200, 429]);
    expect(await statuses(path, await keyOf('a'), 3)).toEqual([200, 200, 429]);
  });

  it('lets a tracker read request.user, which is the principal', async () => {
    const { keyOf, statuses } = await start();
    expect(await statuses('/owners', await keyOf('a'), 2)).toEqual([200, 200]);
    expect(await statuses('/owners', await keyOf('a'), 1)).toEqual([429]);
    expect(await statuses('/owners', await keyOf('b'), 1)).toEqual([200]);
  });

  it.each(['/plain', '/computed'])(
    'lets limits that come with a key stand in for those of %s',
    async (path) => {
      const { keyOf, statuses } = await start();
      const key = await keyOf('a', [{ limit: 3, window: '1m' }]);
      expect(await statuses(path, key, 4)).toEqual([200, 200, 200, 429]);
    },
  );
});
