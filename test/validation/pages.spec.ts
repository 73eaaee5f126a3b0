import { Controller, Get, Query } from '@nestjs/common';
import { ApiPropertyOptional, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import fc from 'fast-check';
import {
  PageQuery,
  type PageOf,
  type PageOptions,
  Public,
  type SecurityConfigurationError,
} from 'nestjs-api-security';
import { applySecurityToDocument } from 'nestjs-api-security/openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { readSort } from '../../lib/validation/page/sort.js';
import { ADAPTERS, type Adapter, type RunningApp } from '../support/app.js';
import { closeApps } from '../support/bare-app.js';
import { type ErrorEnvelope, send } from '../support/http-client.js';
import { startSecured } from '../support/secured-app.js';

class UserFilter {
  @ApiPropertyOptional({ enum: ['active', 'blocked'] })
  @IsOptional()
  @IsIn(['active', 'blocked'])
  state?: string;

  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(150)
  age: number = 18;
}

const USERS = {
  sort: { name: 'users.name', joined: 'users.created_at' },
  defaultSort: '-joined',
  limit: 10,
  maxLimit: 50,
  maxOffset: 1_000,
  maxSort: 2,
  filter: UserFilter,
} as const satisfies PageOptions;
const EVENTS = { by: 'cursor', sort: ['at'] } as const satisfies PageOptions;

@Controller()
@Public()
class PagesController {
  @Get('users')
  users(@PageQuery(USERS) page: PageOf<typeof USERS>): unknown {
    // What the types promise is what is there.
    const { limit, offset, sort, filter } = page;
    const first: 'name' | 'joined' | undefined = sort[0]?.field;
    return { limit, offset, sort, filter, first, isFilter: filter instanceof UserFilter };
  }

  @Get('events')
  events(@PageQuery(EVENTS) { limit, cursor, sort }: PageOf<typeof EVENTS>): unknown {
    return { limit, cursor: cursor ?? null, sort };
  }

  @Get('plain')
  plain(@PageQuery() page: PageOf<PageOptions>): unknown {
    return page;
  }
}

const apps = {} as Record<Adapter, RunningApp>;
beforeAll(async () => {
  for (const adapter of ADAPTERS)
    apps[adapter] = await startSecured(
      adapter,
      { rateLimit: { read: false, address: false } },
      { controllers: [PagesController] },
    );
});
afterAll(closeApps);

describe.each(ADAPTERS)('pages on %s', (adapter) => {
  const get = async (path: string) => {
    const { status, json } = await send<ErrorEnvelope>(apps[adapter].port, 'GET', path);
    return {
      status,
      json: json as unknown,
      broken: json.error?.details?.map(({ path: at, rule }) => `${at} ${rule}`),
    };
  };
  const JOINED = { field: 'joined', column: 'users.created_at', direction: 'desc' };

  it('R-IV-20 has defaults, bounds, and columns that the server names', async () => {
    expect((await get('/users')).json).toEqual({
      limit: 10,
      offset: 0,
      sort: [JOINED],
      filter: { age: 18 },
      first: 'joined',
      isFilter: true,
    });
    expect(
      (await get('/users?limit=50&offset=1000&sort=name,-joined&state=active&age=20')).json,
    ).toMatchObject({
      limit: 50,
      offset: 1_000,
      sort: [{ field: 'name', column: 'users.name', direction: 'asc' }, JOINED],
      filter: { state: 'active', age: 20 },
    });
    expect((await get('/events?limit=100&cursor=eyJ.a-b_c=&sort=-at')).json).toEqual({
      limit: 100,
      cursor: 'eyJ.a-b_c=',
      sort: [{ field: 'at', column: 'at', direction: 'desc' }],
    });
    expect((await get('/plain')).json).toEqual({ limit: 20, offset: 0, sort: [] });
  });

  it.each([
    ['/users?limit=51', ['limit max']],
    ['/users?limit=0', ['limit min']],
    ['/users?limit=-1', ['limit min']],
    ['/users?limit=1e1', ['limit isInt']],
    ['/users?limit=10&limit=20', ['limit isSingle']],
    ['/users?offset=1001', ['offset max']],
    ['/users?sort=password', ['sort isSort']],
    ['/users?sort=users.name', ['sort isSort']],
    ['/users?sort=name%20desc', ['sort isSort']],
    ['/users?sort=name;drop', ['sort isSort']],
    ['/users?sort=toString', ['sort isSort']],
    ['/users?sort=name,name', ['sort isSort']],
    ['/users?sort=name,', ['sort isSort']],
    ['/users?sort=', ['sort isSort']],
    ['/users?sort=--name', ['sort isSort']],
    ['/users?sort=name,joined,-name', ['sort isSort']],
    ['/users?sort=name&sort=joined', ['sort isSingle']],
    ['/users?state=x&age=200', ['state isIn', 'age max']],
    ['/users?evil=1', ['evil whitelist']],
    ['/users?cursor=a', ['cursor whitelist']],
    ['/users?sort[]=name', ['sort?? whitelist']],
    ['/events?offset=1', ['offset whitelist']],
    ['/events?cursor=', ['cursor matches']],
    ['/events?cursor=%27%3B--', ['cursor matches']],
    [`/events?cursor=${'a'.repeat(513)}`, ['cursor maxLength']],
    ['/plain?sort=name', ['sort whitelist']],
  ])('R-IV-11 R-IV-18 R-IV-20 refuses %s', async (path, broken) => {
    const answer = await get(path);
    expect(answer.status).toBe(400);
    expect(answer.broken).toEqual(expect.arrayContaining(broken));
  });
});

describe('@PageQuery', () => {
  it('R-IV-20 is known to OpenAPI, with its bounds', () => {
    const { app } = apps.express;
    const document = applySecurityToDocument(
      app,
      SwaggerModule.createDocument(app, new DocumentBuilder().build()),
    );
    const parameters = document.paths['/users']!.get!.parameters as unknown as {
      name: string;
      in: string;
      required: boolean;
      schema: object;
    }[];
    expect(parameters.map(({ name, in: from, required }) => `${from} ${name} ${required}`)).toEqual([
      'query limit false',
      'query offset false',
      'query sort false',
      'query state false',
    ]);
    expect(parameters[0]!.schema).toEqual({ type: 'integer', minimum: 1, maximum: 50, default: 10 });
    expect(parameters[2]!.schema).toMatchObject({ type: 'string', default: '-joined' });
    expect(parameters[3]!.schema).toMatchObject({ enum: ['active', 'blocked'] });
  });

  it('R-CF-01 R-IV-20 options that cannot be kept are refused at boot', async () => {
    class Clash {
      @IsString()
      @MaxLength(5)
      sort!: string;
    }
    @Controller()
    class Wrong {
      @Get('a') a(@PageQuery({ limit: 200 }) page: unknown): unknown {
        return page;
      }

      @Get('b') b(@PageQuery({ maxLimit: 0 }) page: unknown): unknown {
        return page;
      }

      @Get('c') c(@PageQuery({ sort: ['a'], defaultSort: 'b' }) page: unknown): unknown {
        return page;
      }

      @Get('d') d(@PageQuery({ filter: Clash }) page: unknown): unknown {
        return page;
      }

      @Get('e') e(@PageQuery({ sort: ['a;b'] }) page: unknown): unknown {
        return page;
      }

      @Get('f') f(@PageQuery() page: unknown, @Query('q') q: string): unknown {
        return [page, q];
      }
    }
    const error: unknown = await startSecured('express', {}, { controllers: [Wrong] }).catch(
      (e: unknown) => e,
    );
    expect(
      (error as SecurityConfigurationError).problems.map(({ code, problem }) => `${code} ${problem}`),
    ).toEqual([
      'validation.page has a limit that is no number from 1 to maxLimit',
      'validation.page has a maxLimit that is no number from 1 to 10 000',
      'validation.page has a defaultSort of other fields than it sorts by',
      'validation.page has a filter with a property named sort',
      'validation.page sorts by a field whose name is no name',
      'validation.page is the whole query, and another parameter takes a part of it',
    ]);
  });

  it('R-IV-20 whatever is sent as sort, only columns of the allow-list come out', () => {
    expect.hasAssertions();
    const columns = { name: 'n', joined: 'j' };
    const piece = fc.constantFrom('name', 'joined', '-', ',', ' ', 'constructor', "'", 'n');
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
        (text) => {
          const order = readSort(text, columns, 2);
          if (order === undefined) return;
          expect(order.length).toBeLessThanOrEqual(2);
          expect(
            order.map(({ field, direction }) => (direction === 'desc' ? `-${field}` : field)).join(),
          ).toBe(text);
          for (const { column } of order) expect(['n', 'j']).toContain(column);
        },
      ),
    );
  });
});
