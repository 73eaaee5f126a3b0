import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { headersPart } from '../../lib/headers/headers.policy.js';
import type { HeadersOptions } from '../../lib/headers/headers.options.js';
import { RouteMetadata, setPolicyMetadata } from '../../lib/policy/metadata.js';

/** What a route with these decorators gets. */
function compile(ofController: unknown, ofHandler: unknown) {
  class Pages {
    page(this: void): void {}
  }
  const handler = Pages.prototype.page;
  if (ofController !== undefined) setPolicyMetadata('headers', ofController)(Pages);
  if (ofHandler !== undefined)
    setPolicyMetadata('headers', ofHandler)(Pages.prototype, 'page', { value: handler });
  const metadata = new RouteMetadata(Pages, handler);
  const problems = new ConfigurationProblems();
  const where = 'GET /page (Pages.page)';
  const values = headersPart(
    { id: 'GET /page', where, methodName: 'page', metadata, locations: [] },
    problems,
  );
  return { values: Object.fromEntries(values), problems: problems.all };
}

const part = (options: HeadersOptions): HeadersOptions => options;

describe('headers of a route', () => {
  it('CONTRACT-4 are none without a decorator', () => {
    expect(compile(undefined, undefined)).toEqual({ values: {}, problems: [] });
  });

  it('CONTRACT-4 come from the controller and the handler, whose values go over the controller’s', () => {
    const { values } = compile(
      part({ frameOptions: 'SAMEORIGIN', referrerPolicy: 'origin' }),
      part({ frameOptions: false, cacheControl: 'public' }),
    );
    expect(values).toEqual({
      'X-Frame-Options': null,
      'Referrer-Policy': 'origin',
      'Cache-Control': 'public',
    });
  });

  it('CONTRACT-4 undefined names nothing: what the controller says stands', () => {
    const options = { frameOptions: undefined } as unknown as HeadersOptions;
    expect(compile(part({ frameOptions: false }), options).values).toEqual({ 'X-Frame-Options': null });
  });

  it.each([
    ['controller', part({ strictTransportSecurity: {} }), undefined],
    ['handler', undefined, part({ strictTransportSecurity: false })],
  ])('R-TL-03 R-CF-01 cannot change HSTS: %s', (_, ofController, ofHandler) => {
    const { values, problems } = compile(ofController, ofHandler);
    expect(values).toEqual({});
    expect(problems.map(({ code, where }) => [code, where])).toEqual([
      ['policy.headers.hsts', '@SecurityHeaders() on GET /page (Pages.page)'],
    ]);
  });

  it.each([
    ['no object', 'strict', 'headers.options'],
    ['a list', ['frameOptions'], 'headers.options'],
    ['nothing', null, undefined],
    ['an unknown option', { hsts: false }, 'headers.hsts'],
    ['a bad value', { frameOptions: 'ALLOW' }, 'headers.frameOptions'],
  ])('R-SH-08 R-CF-01 are refused with the place of the decorator: %s', (_, options, code) => {
    const { problems } = compile(undefined, options);
    expect(problems.map((one) => one.code)).toEqual(code === undefined ? [] : [code]);
    for (const { where } of problems) expect(where).toContain('@SecurityHeaders() on GET /page');
  });
});
