import { randomUUID } from 'node:crypto';

import { type ArgumentMetadata, Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { type } from 'arktype';
import fc from 'fast-check';
import { Public, StrictValidationPipe } from 'nestjs-api-security';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { ADAPTERS, type Adapter } from '../../support/app.js';
import { closeApps } from '../../support/bare-app.js';
import { type ErrorEnvelope, send } from '../../support/http-client.js';
import { startSecured } from '../../support/secured-app.js';
import { strict, verdictOf } from '../verdict.js';

type Schema = NonNullable<ArgumentMetadata['schema']>;

const ORDERS = {
  zod: z.object({
    sku: z.string().min(1).max(8),
    amount: z.number().int().min(1).max(10),
    kind: z.enum(['gift', 'own']),
    lines: z
      .array(z.object({ note: z.string().max(5) }))
      .max(2)
      .optional(),
  }),
  valibot: v.object({
    sku: v.pipe(v.string(), v.minLength(1), v.maxLength(8)),
    amount: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(10)),
    kind: v.picklist(['gift', 'own']),
    lines: v.optional(
      v.pipe(v.array(v.object({ note: v.pipe(v.string(), v.maxLength(5)) })), v.maxLength(2)),
    ),
  }),
  arktype: type({
    sku: '1 <= string <= 8',
    amount: '1 <= number.integer <= 10',
    kind: "'gift' | 'own'",
    'lines?': type({ note: 'string <= 5' }).array().atMostLength(2),
  }),
} satisfies Record<string, Schema>;
const LIBRARIES = Object.keys(ORDERS) as (keyof typeof ORDERS)[];
const GOOD = { sku: 'a', amount: 1, kind: 'gift' };

const Page = z.object({
  page: z.coerce.number().int().min(1).max(9).default(1),
  tag: z.string().max(5).optional(),
});

const Texts = z.object({
  text: z.coerce.string(),
  one: z.string().optional(),
  list: z.preprocess(
    (value) => (typeof value === 'string' ? [value] : value),
    z.array(z.string()).optional(),
  ),
});

@Controller()
@Public()
class SchemaController {
  @Get('texts')
  texts(@Query({ schema: Texts }) texts: z.infer<typeof Texts>): unknown {
    return texts;
  }

  @Get('text')
  text(@Query('text', { schema: z.coerce.string() }) text: string): unknown {
    return text;
  }

  @Post('zod')
  zod(@Body({ schema: ORDERS.zod }) order: z.infer<typeof ORDERS.zod>): unknown {
    return order;
  }

  @Post('valibot')
  valibot(@Body({ schema: ORDERS.valibot }) order: v.InferOutput<typeof ORDERS.valibot>): unknown {
    return order;
  }

  @Post('arktype')
  arktype(@Body({ schema: ORDERS.arktype }) order: typeof ORDERS.arktype.infer): unknown {
    return order;
  }

  @Post('item')
  item(@Body('item', { schema: ORDERS.zod }) item: unknown): unknown {
    return item;
  }

  @Get('page')
  page(@Query({ schema: Page }) page: z.infer<typeof Page>): unknown {
    return page;
  }

  @Get('ids/:id/:other')
  id(@Param({ schema: z.object({ id: z.uuid() }) }) { id }: { id: string }): unknown {
    return { id };
  }
}

const ports = {} as Record<Adapter, number>;
beforeAll(async () => {
  for (const adapter of ADAPTERS)
    ports[adapter] = (
      await startSecured(
        adapter,
        { rateLimit: { read: false, write: false, address: false } },
        { controllers: [SchemaController] },
      )
    ).port;
});
afterAll(closeApps);

describe.each(ADAPTERS)('parameters with a schema on %s', (adapter) => {
  const ask = async (method: string, path: string, body?: string) => {
    const content = body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } };
    const { status, json } = await send<ErrorEnvelope>(ports[adapter], method, path, content);
    return { status, json, code: json.error?.code, paths: json.error?.details?.map((one) => one.path) };
  };

  describe.each(LIBRARIES)('of %s', (library) => {
    const post = (body: unknown) =>
      ask('POST', `/${library}`, typeof body === 'string' ? body : JSON.stringify(body));

    it('R-IV-10 delivers what the schema accepts', async () => {
      const order = { ...GOOD, lines: [{ note: 'x' }] };
      expect(await post(order)).toMatchObject({ status: 201, json: order });
    });

    it.each([
      ['a field', { ...GOOD, evil: 1 }, ['evil']],
      ['a field below', { ...GOOD, lines: [{ note: 'a' }, { note: 'a', evil: 1 }] }, ['lines[1].evil']],
      ['a method', { ...GOOD, toString: 1 }, ['toString']],
      ['a name that could harm', { ...GOOD, '<script>': 1 }, ['?script?']],
    ])('R-IV-11 refuses %s that it does not declare', async (_, body, paths) => {
      expect(await post(body)).toMatchObject({ status: 400, code: 'UNEXPECTED_FIELDS', paths });
    });

    it('R-IV-28 tells broken rules in the contract’s words, capped, and without values', async () => {
      const { code, paths, json } = await post({
        sku: 'SECRET-SKU',
        amount: 4711,
        kind: 'SECRET',
        lines: [{ note: 'SECRET' }],
      });
      expect(code).toBe('VALIDATION_FAILED');
      expect(paths).toEqual(expect.arrayContaining(['sku', 'amount', 'kind', 'lines[0].note']));
      for (const { rule, message } of json.error.details!) {
        expect(rule).toMatch(/^\w{2,64}$/);
        expect(message.length).toBeGreaterThan(5);
      }
      expect(JSON.stringify(json)).not.toMatch(/SECRET|4711/);
    });

    it.each([
      ['a name twice', '{"sku":"a","sku":"b","amount":1,"kind":"own"}', 'MALFORMED_REQUEST'],
      ['__proto__', '{"sku":"a","amount":1,"kind":"own","__proto__":{}}', 'MALFORMED_REQUEST'],
      [
        'a number that is changed',
        '{"sku":"a","amount":1.00000000000000000001,"kind":"own"}',
        'MALFORMED_REQUEST',
      ],
      ['null', 'null', 'VALIDATION_FAILED'],
    ])('R-IV-05 R-IV-06 R-IV-07 strict JSON comes first: %s', async (_, body, code) => {
      expect(await post(body)).toMatchObject({ status: 400, code });
    });

    it('R-IV-05 no body is no body', async () => {
      expect(await ask('POST', `/${library}`)).toMatchObject({ status: 400, code: 'MALFORMED_REQUEST' });
    });
  });

  it('R-IV-10 one member of a body has its schema too', async () => {
    expect(await ask('POST', '/item', JSON.stringify({ item: GOOD }))).toMatchObject({
      status: 201,
      json: GOOD,
    });
    expect(
      await ask('POST', '/item', JSON.stringify({ item: { ...GOOD, evil: 1, kind: 'x' } })),
    ).toMatchObject({ paths: ['item.kind'] });
    expect(await ask('POST', '/item', JSON.stringify({ item: { ...GOOD, evil: 1 } }))).toMatchObject({
      paths: ['item.evil'],
    });
  });

  it('R-IV-18 queries and paths', async () => {
    expect(await ask('GET', '/page?page=3')).toMatchObject({ status: 200, json: { page: 3 } });
    expect(await ask('GET', '/page')).toMatchObject({ status: 200, json: { page: 1 } });
    expect(await ask('GET', '/page?evil=3')).toMatchObject({
      status: 400,
      code: 'UNEXPECTED_FIELDS',
      paths: ['evil'],
    });
    expect(await ask('GET', '/page?tag=a&tag=b')).toMatchObject({ status: 400, code: 'VALIDATION_FAILED' });
    for (const query of ['text=a&text=b', 'one=a&text=b&text=c'])
      expect(await ask('GET', `/texts?${query}`)).toMatchObject({ status: 400, paths: ['text'] });
    expect(await ask('GET', '/text?text=a&text=b')).toMatchObject({ status: 400, paths: ['text'] });
    expect(await ask('GET', '/texts?text=a&list=b')).toMatchObject({ json: { text: 'a', list: ['b'] } });
    expect(await ask('GET', '/texts?text=a&list=b&list=c')).toMatchObject({ json: { list: ['b', 'c'] } });
    const id = randomUUID();
    expect(await ask('GET', `/ids/${id}/x`)).toMatchObject({ status: 200, json: { id } });
    expect(await ask('GET', '/ids/7/x')).toMatchObject({ status: 400, paths: ['id'] });
  });
});

describe('schemas that make something else of their input', () => {
  const verdict = (schema: Schema, value: unknown, pipe = strict) =>
    verdictOf(pipe, value, { type: 'body', metatype: Object, data: undefined, schema });

  const Renaming = z
    .object({ user_name: z.string(), age: z.number().default(5) })
    .transform(({ user_name, age }) => ({ userName: user_name, age }));

  it('R-IV-11 a known field under another name is no unknown one', async () => {
    expect((await verdict(Renaming, { user_name: 'Ada' })).value).toEqual({ userName: 'Ada', age: 5 });
    expect((await verdict(Renaming, { user_name: 'Ada', evil: 1 })).broken).toEqual(['evil whitelist']);
  });

  it('R-IV-11 neither is one that is only compared', async () => {
    const Signup = z
      .object({ password: z.string(), repeated: z.string() })
      .refine(({ password, repeated }) => password === repeated)
      .transform(({ password }) => ({ password }));
    expect((await verdict(Signup, { password: 'x', repeated: 'x' })).status).toBe(200);
    expect((await verdict(Signup, { password: 'x', repeated: 'x', evil: 1 })).broken).toEqual([
      'evil whitelist',
    ]);
  });

  it('R-IV-11 neither is one that is only looked at, or has its default already', async () => {
    const Searched = z
      .object({ text: z.string(), comment: z.string().optional(), size: z.number().default(1) })
      .transform(({ text }) => ({ text }));
    const Outer = z.object({ inner: Searched });
    const search = { text: 'x', comment: 'y', size: 1 };
    expect((await verdict(Searched, search)).value).toEqual({ text: 'x' });
    expect((await verdict(Outer, { inner: search })).value).toEqual({ inner: { text: 'x' } });
    expect((await verdict(Outer, { inner: { ...search, evil: 1 } })).broken).toEqual([
      'inner.evil whitelist',
    ]);
  });

  it.each<[string, Schema]>([
    ['zod', z.object({ a: z.string() }).transform(({ a }) => a)],
    [
      'zod, in steps',
      z
        .object({ a: z.string() })
        .transform(({ a }) => a)
        .pipe(z.string()),
    ],
    ['zod, behind a function', z.preprocess((value) => value, z.object({ a: z.string() }))],
    ['zod, behind anything', z.unknown().pipe(z.object({ a: z.string() }))],
    ['zod, a class', z.object({ a: z.string() }).transform((all) => new Map(Object.entries(all)))],
    [
      'valibot',
      v.pipe(
        v.object({ a: v.string() }),
        v.transform(({ a }) => a),
      ),
    ],
    ['arktype', type({ a: 'string' }).pipe(({ a }) => a)],
  ])('R-IV-11 output without members hides nothing: %s', async (_, schema) => {
    expect((await verdict(schema, { a: 'x' })).status).toBe(200);
    expect((await verdict(schema, { a: 'x', evil: 1 })).broken).toEqual(['evil whitelist']);
  });

  it('R-IV-28 a function that cannot convert what came is a broken rule, one that fails otherwise is not', async () => {
    const Parsed = z.object({ a: z.string().transform((text) => JSON.parse(text) as unknown) });
    expect((await verdict(Parsed, { a: '{"b":1}' })).value).toEqual({ a: { b: 1 } });
    expect(await verdict(Parsed, { a: '{' })).toMatchObject({ status: 400, broken: [' transform'] });
    const Failing = z.string().refine(() => Promise.reject(new Error('no connection')));
    expect((await verdict(Failing, 'x')).status).toBe(500);
    const Fetching = z
      .string()
      .refine(() => Promise.reject(new TypeError('fetch failed', { cause: 'ECONNREFUSED' })));
    expect((await verdict(Fetching, 'x')).status).toBe(500);
  });

  it('R-IV-11 output that is new each time hides nothing', async () => {
    const Numbered = z.object({ a: z.string(), id: z.string().default(() => randomUUID()) });
    expect((await verdict(Numbered, { a: 'x' })).status).toBe(200);
    expect((await verdict(Numbered, { a: 'x', evil: 1 })).broken).toEqual(['evil whitelist']);
  });

  it('R-IV-11 schemas that say that they take anything do', async () => {
    expect((await verdict(z.looseObject({ a: z.string() }), { a: 'x', b: 1 })).status).toBe(200);
    expect((await verdict(z.record(z.string(), z.unknown()), { any: { thing: 1 } })).status).toBe(200);
    expect((await verdict(v.looseObject({ a: v.string() }), { a: 'x', b: 1 })).status).toBe(200);
  });

  it('R-IV-11 schemas that refuse unknown keys by themselves are told in the same words', async () => {
    const strictOnes = [
      z.strictObject({ a: z.string() }),
      v.strictObject({ a: v.string() }),
      type({ a: 'string', '+': 'reject' }),
    ];
    for (const schema of strictOnes)
      expect(await verdict(schema, { a: 'x', evil: 1 })).toMatchObject({
        code: 'UNEXPECTED_FIELDS',
        broken: ['evil whitelist'],
      });
    expect(await verdict(v.strictObject({ a: v.string() }), {})).toMatchObject({
      code: 'VALIDATION_FAILED',
      broken: ['a strict_object'],
    });
  });

  it('R-IV-28 messages that quote the input are not passed on', async () => {
    const Quoting = z.string().refine(() => false, { error: ({ input }) => `${String(input)} is taken` });
    const { details } = await verdict(z.object({ name: Quoting }), { name: 'SECRET' });
    expect(details).toEqual([{ path: 'name', rule: 'custom', message: 'The value is not valid' }]);
  });

  it('R-IV-28 nor are those that quote it from somewhere else', async () => {
    const Pair = z.object({ name: z.string(), other: z.string() }).refine(() => false, {
      path: ['other'],
      error: ({ input }) => `not ${(input as { name: string }).name}`,
    });
    const { details } = await verdict(Pair, { name: 'SECRET', other: 'x' });
    expect(details).toEqual([{ path: 'other', rule: 'custom', message: 'The value is not valid' }]);
  });

  it('R-IV-28 messages keep what was expected, and lose what came, be it short', async () => {
    const messages = [];
    for (const library of LIBRARIES)
      messages.push((await verdict(ORDERS[library], { ...GOOD, amount: 0 })).details[0]!.message);
    expect(messages).toEqual([
      'Too small: expected number to be >=1',
      'Invalid value: Expected >=1',
      'amount must be at least 1',
    ]);
  });

  it('R-IV-04 looks at what another parser has read: depth and names', async () => {
    const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown;
    expect((await verdict(z.unknown(), deep)).code).toBe('PAYLOAD_TOO_COMPLEX');
    expect((await verdict(z.unknown(), JSON.parse('{"__proto__":1}'))).code).toBe('UNEXPECTED_FIELDS');
  });

  it('R-IV-28 maxDetails and status count here too', async () => {
    const pipe = new StrictValidationPipe({ maxDetails: 2, status: 422 });
    const Wide = z.object({ a: z.string(), b: z.string(), c: z.string() });
    expect(await verdict(Wide, {}, pipe)).toMatchObject({
      status: 422,
      broken: ['a invalid_type', 'b invalid_type'],
    });
  });

  it('R-IV-25 a name that reads like a path is refused by itself', async () => {
    const { code, details } = await verdict(ORDERS.zod, { ...GOOD, 'lines.note': 1 });
    expect([code, details?.length]).toEqual(['UNEXPECTED_FIELDS', 1]);
  });

  it('R-IV-11 whatever unknown keys are added to whatever place, each is refused', async () => {
    expect.hasAssertions();
    const names = fc.constantFrom('evil', 'toString', 'note ', 'SKU', '0');
    const place = fc.constantFrom('root', 'line');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...LIBRARIES),
        fc.uniqueArray(names, { minLength: 1 }),
        place,
        async (library, added, where) => {
          const extra = Object.fromEntries(added.map((name) => [name, 1]));
          const order =
            where === 'root' ? { ...GOOD, ...extra } : { ...GOOD, lines: [{ note: 'a', ...extra }] };
          const { code, details } = await verdict(ORDERS[library], order);
          expect(code).toBe('UNEXPECTED_FIELDS');
          expect(details).toHaveLength(added.length);
        },
      ),
    );
  });
});
