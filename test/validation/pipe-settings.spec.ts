import { Body, Controller, Get, Post, Query } from '@nestjs/common';
import { Equals, getMetadataStorage, IsInt, IsOptional, Max, Min } from 'class-validator';
import {
  arrayOf,
  oneOf,
  PageQuery,
  Public,
  ValidationGroups,
  type ValidationOptions,
} from 'nestjs-api-security';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';

import { ADAPTERS, type Adapter, closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class Cat {
  @Equals('cat')
  kind!: 'cat';

  @IsInt()
  @Min(1)
  @Max(9)
  lives!: number;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(99)
  age?: number;
}

class Dog {
  @Equals('dog')
  kind!: 'dog';
}

const pet = oneOf([Cat, Dog], 'kind');

@Controller()
@Public()
class PetsController {
  @Post('list')
  list(@Body(arrayOf(Cat)) cats: Cat[]): unknown {
    return cats;
  }

  @Post('one')
  one(@Body(pet) one: Cat | Dog): unknown {
    return one;
  }

  @Post('some')
  some(@Body(arrayOf(pet)) pets: (Cat | Dog)[]): unknown {
    return pets;
  }

  @Post('own')
  own(@Body(arrayOf(pet, { status: 400, maxDetails: 1, compiled: true })) pets: (Cat | Dog)[]): unknown {
    return pets;
  }

  @Post('grouped')
  @ValidationGroups('all')
  grouped(@Body(arrayOf(Cat)) cats: Cat[]): unknown {
    return cats;
  }

  @Get('page')
  page(@PageQuery() page: unknown): unknown {
    return page;
  }

  @Get('own-page')
  ownPage(@PageQuery({}, { status: 400, maxDetails: 1, compiled: true }) page: unknown): unknown {
    return page;
  }

  @Get('ids')
  ids(@Query('id', arrayOf(Number)) ids: number[]): unknown {
    return ids;
  }
}

interface Verdict {
  readonly status: number;
  readonly details: number | undefined;
}

const CAT = { kind: 'cat', lives: 3 };
const WRONG_CAT = { kind: 'cat', lives: 'x', age: 'y' };
const REQUESTS = [
  ['/list', [WRONG_CAT]],
  ['/one', WRONG_CAT],
  ['/some', [WRONG_CAT]],
  ['/grouped', [WRONG_CAT]],
  ['/page?limit=x&offset=y', undefined],
  ['/ids?id=x&id=y&id=z', undefined],
] as const;

afterEach(closeApps);

async function start(adapter: Adapter, validation: ValidationOptions): Promise<number> {
  const options = { rateLimit: { read: false, write: false, address: false }, validation } as const;
  return (await startSecured(adapter, options, { controllers: [PetsController] })).port;
}

async function ask(port: number, path: string, json?: unknown): Promise<Verdict> {
  const { status, json: body } = await send<ErrorEnvelope>(
    port,
    json === undefined ? 'GET' : 'POST',
    path,
    json === undefined ? {} : { json },
  );
  return { status, details: body.error?.details?.length };
}

describe.each(ADAPTERS)('the pipe of one parameter, on %s', (adapter) => {
  it('R-IV-28 refuses as the application says', async () => {
    const port = await start(adapter, { status: 422, maxDetails: 2 });
    for (const [path, json] of REQUESTS)
      expect([path, await ask(port, path, json)]).toEqual([path, { status: 422, details: 2 }]);
    expect(await ask(port, '/list', [{ ...CAT, evil: 1 }])).toEqual({ status: 422, details: 1 });
    expect(await ask(port, '/one', { kind: 'cow' })).toEqual({ status: 422, details: 1 });
    expect(await ask(port, '/some', [{ kind: 'cow' }])).toEqual({ status: 422, details: 1 });
    expect(await ask(port, '/list', {})).toEqual({ status: 422, details: 1 });
  });

  it('R-IV-28 has options of its own before those of the application', async () => {
    const port = await start(adapter, { status: 422, maxDetails: 2 });
    expect(await ask(port, '/own', [WRONG_CAT])).toEqual({ status: 400, details: 1 });
    expect(await ask(port, '/own', [{ kind: 'cow' }])).toEqual({ status: 400, details: 1 });
    expect(await ask(port, '/own-page?limit=x&offset=y')).toEqual({ status: 400, details: 1 });
  });

  it('R-IV-28 is as it was for the next application', async () => {
    await start(adapter, { status: 422, maxDetails: 1 });
    const port = await start(adapter, {});
    for (const [path, json] of REQUESTS) {
      const { status, details } = await ask(port, path, json);
      expect([path, status]).toEqual([path, 400]);
      expect(details).toBeGreaterThan(1);
    }
  });

  it('R-IV-10 compiles rules, or not, as the application says', async () => {
    const search = vi.spyOn(getMetadataStorage(), 'getTargetValidationMetadatas');
    onTestFinished(() => search.mockRestore());
    const searchesOf = async (port: number, path: string, json?: unknown): Promise<number> => {
      search.mockClear();
      expect((await ask(port, path, json)).details).toBeUndefined();
      return search.mock.calls.length;
    };
    const valid = [
      ['/list', [CAT]],
      ['/one', CAT],
      ['/some', [CAT]],
      ['/page?limit=5', undefined],
    ] as const;
    const stock = await start(adapter, { compiled: false });
    for (const [path, json] of valid) expect(await searchesOf(stock, path, json)).toBeGreaterThan(0);
    expect(await searchesOf(stock, '/own', [CAT])).toBe(0);
    expect(await searchesOf(stock, '/own-page?limit=5')).toBe(0);
    const compiled = await start(adapter, {});
    for (const [path, json] of valid) expect(await searchesOf(compiled, path, json)).toBe(0);
  });
});
