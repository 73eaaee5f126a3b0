import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { checkRequestTarget } from '../../lib/http/request-target.js';

describe('checkRequestTarget', () => {
  it.each([
    '/',
    '/a',
    '/a/',
    '/a/b-c_d.e~f',
    '/users/9b2f6a1e-4c1d',
    '/a?b=c',
    '/a?b=%2f%2e%5c',
    '/a?b=c&d[e]=f',
    '/%41',
    '/%e2%82%ac',
    '/%F0%9F%98%80',
    '/a.b/c..d/...',
    '/a:b@c!d$e,f',
    '*',
    'http://a.example/b',
    'https://a.example:8443/b?c',
    'http://a.example',
    '/a?b=//c;d',
    '/a?',
  ])('R-HP-04 lets %s through', (target) => {
    expect(checkRequestTarget(target)).toBeUndefined();
  });

  it.each([
    '',
    'a',
    '?a',
    'ftp://a/b',
    'http://a b/',
    'http://u@a/',
    'http:///a',
    '//',
    '//a',
    '/a//b',
    '/./a',
    '/../a',
    '/a/..',
    '/a/.',
    '/a/../b',
    '/a/..?b',
    '/%2e/a',
    '/%2E%2e/a',
    '/.%2e/a',
    '/a%2fb',
    '/a%2Fb',
    '/a%5cb',
    '/a\\b',
    '/a;b=c',
    '/a%3bb',
    '/%00',
    '/%0a',
    '/%0d%0aX:1',
    '/%1f',
    '/%7f',
    '/%',
    '/%2',
    '/%zz',
    '/%25',
    '/%252e',
    '/%ff',
    '/%c0%af',
    '/%e2%82',
    '/%80',
    '/a#b',
    '/a b',
    '/é',
    '/a?b=%',
    '/a?b=%zz',
    '/a?b#c',
    '/a?b c',
    '/a?é',
  ])('R-HP-04 R-IV-19 refuses %j', (target) => {
    expect(checkRequestTarget(target)).toBeDefined();
  });

  it('R-HP-08 bounds the length, exactly', () => {
    expect(checkRequestTarget(`/${'a'.repeat(8_191)}`)).toBeUndefined();
    expect(checkRequestTarget(`/${'a'.repeat(8_192)}`)).toBe('too-long');
  });

  it('R-HP-04 what passes decodes, and means the same to every parser', () => {
    const piece = fc.constantFrom(
      '/',
      '.',
      '..',
      'a',
      '%2e',
      '%2f',
      '%',
      '%41',
      '?',
      '#',
      ';',
      '\\',
      '%e2%82%ac',
      '%c3',
      'é',
      ' ',
      '&',
      '=',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = `/${pieces.join('')}`;
        if (checkRequestTarget(target) !== undefined) return;
        const path = target.split('?', 1)[0]!;
        expect(() => decodeURIComponent(path)).not.toThrow();
        expect(new URL(target, 'http://host').pathname).toBe(path);
        expect(decodeURIComponent(path).split('/').length).toBe(path.split('/').length);
      }),
      { numRuns: 3_000 },
    );
  });
});
