import { Body, Controller, Get, Param, ParseArrayPipe, Post, Query } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, IsString, Length, ValidateNested } from 'class-validator';
import { arrayOf, type SecurityError, StrictValidationPipe } from 'nestjs-api-security';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ADAPTERS, closeApps, startBare } from '../support/bare-app.js';
import { send } from '../support/http-client.js';

class Line {
  @IsString()
  @Length(1, 8)
  sku!: string;
}

class Order {
  @IsInt()
  amount!: number;

  @ValidateNested({ each: true })
  @Type(() => Line)
  lines!: Line[];
}

class Paging {
  @IsOptional()
  @IsInt()
  page: number = 1;

  @IsOptional()
  @IsBoolean()
  open?: boolean;

  @IsOptional()
  @IsString({ each: true })
  tags?: string[];
}

@Controller('orders')
class OrdersController {
  @Post()
  create(@Body() order: Order): unknown {
    return {
      order,
      isOrder: order instanceof Order,
      isLine: order.lines.every((line) => line instanceof Line),
    };
  }

  @Post('name')
  name(@Body('name') name: string): unknown {
    return { name };
  }

  @Post('list')
  list(@Body(arrayOf(Line)) lines: Line[]): unknown {
    return lines.length;
  }

  @Get()
  find(@Query() paging: Paging): unknown {
    return paging;
  }

  @Get('ids')
  ids(@Query('id', new ParseArrayPipe({ items: Number, optional: true })) ids: number[]): unknown {
    return ids;
  }

  @Get(':id/:on')
  one(@Param('id') id: number, @Param('on') on: boolean, @Query('q') q: string): unknown {
    return [id, on, q];
  }
}

afterEach(closeApps);

describe.each(ADAPTERS)('new StrictValidationPipe() alone, on %s', (adapter) => {
  let port: number;

  beforeEach(async () => {
    const configure = (app: { useGlobalPipes(pipe: StrictValidationPipe): unknown }): void =>
      void app.useGlobalPipes(new StrictValidationPipe());
    ({ port } = await startBare(adapter, { controllers: [OrdersController] }, { configure }));
  });

  const post = (path: string, json: unknown): Promise<{ status: number; json: unknown }> =>
    send(port, 'POST', `/orders${path}`, { json });
  const get = (path: string): Promise<{ status: number; json: unknown }> =>
    send(port, 'GET', `/orders${path}`);

  it('R-IV-12 delivers instances and converted values', async () => {
    const order = { amount: 2, lines: [{ sku: 'a' }] };
    expect(await post('', order)).toMatchObject({
      status: 201,
      json: { order, isOrder: true, isLine: true },
    });
    expect(await post('/name', { name: 'Ada' })).toMatchObject({ status: 201, json: { name: 'Ada' } });
    expect((await post('/list', [{ sku: 'a' }])).status).toBe(201);
    expect((await get('')).json).toEqual({ page: 1 });
    expect((await get('?page=3&open=false&tags=a')).json).toEqual({ page: 3, open: false, tags: ['a'] });
    expect((await get('?tags=a&tags=b')).json).toMatchObject({ tags: ['a', 'b'] });
    expect((await get('/ids?id=1,2')).json).toEqual([1, 2]);
    expect((await get('/7/true?q=x')).json).toEqual([7, true, 'x']);
  });

  it.each([
    ['', { amount: '2', lines: [] }],
    ['', { amount: 2, lines: {} }],
    ['', { amount: 2, lines: [{ sku: 'a', evil: 1 }] }],
    ['', { amount: 2, lines: [], toString: 1 }],
    ['', []],
    ['/name', { name: { $gt: '' } }],
    ['/list', { sku: 'a' }],
    ['/list', [{ sku: 5 }]],
  ])('R-IV-11 R-IV-12 POST %s %j is a 400', async (path, json) => {
    expect((await post(path, json)).status).toBe(400);
  });

  it.each([
    '?page=1e3',
    '?page=0x10',
    '?page=%201',
    '?page=１',
    '?page=',
    '?open=1',
    '?page=1&page=2',
    '?evil=1',
    '?tags[]=a',
    '/x/true',
    '/7/yes',
    '/7/true?q=a&q=b',
    '/ids?id=a',
  ])('R-IV-12 R-IV-18 GET %s is a 400', async (path) => {
    expect((await get(encodeURI(path).replaceAll('%25', '%'))).status).toBe(400);
  });

  it('R-IV-04 PITFALL-V5 deep nesting is a 400, not a 500', async () => {
    const body = `{"amount":1,"lines":[],"evil":${'['.repeat(1_313)}${']'.repeat(1_313)}}`;
    const answer = await send(port, 'POST', '/orders', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(answer.status).toBe(400);
  });

  it('R-IV-05 no body is a 400', async () => {
    expect((await send(port, 'POST', '/orders')).status).toBe(400);
  });
});

describe('its errors', () => {
  it('CONTRACT-2 are SecurityErrors that other filters understand', async () => {
    const error: unknown = await new StrictValidationPipe()
      .transform({ evil: 1 }, { type: 'body', metatype: Line })
      .catch((e: unknown) => e);
    expect((error as SecurityError).getStatus()).toBe(400);
    expect((error as SecurityError).message).toBe('Unexpected fields in request');
    expect((error as SecurityError).code).toBe('UNEXPECTED_FIELDS');
  });
});
