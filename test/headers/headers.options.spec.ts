import { validateHeaderValue } from 'node:http';

import { describe, expect, it } from 'vitest';

import { ConfigurationProblems } from '../../lib/configuration/configuration-problems.js';
import { compileHeaderValues, type HeadersOptions } from '../../lib/headers/headers.options.js';

function compile(options: unknown) {
  const problems = new ConfigurationProblems();
  const values = compileHeaderValues(options as HeadersOptions, 'headers', problems);
  return { values: Object.fromEntries(values), codes: problems.all.map(({ code }) => code) };
}

describe('header options', () => {
  it('CONTRACT-4 R-SH-01 set what they name, as the header writes it', () => {
    const { values, codes } = compile({
      contentSecurityPolicy: {
        'default-src': ["'none'"],
        'script-src': ["'self'", 'https://cdn.example.com:8443', "'nonce-abc'", 'data:'],
        'upgrade-insecure-requests': [],
      },
      strictTransportSecurity: { maxAge: 31_536_000, preload: true },
      frameOptions: 'SAMEORIGIN',
      referrerPolicy: 'strict-origin',
      crossOriginResourcePolicy: 'cross-origin',
      crossOriginOpenerPolicy: 'same-origin-allow-popups',
      permissionsPolicy: { camera: ['self', 'https://*.example.com'], 'screen-wake-lock': ['*'] },
      permittedCrossDomainPolicies: 'master-only',
      dnsPrefetchControl: 'on',
      contentTypeOptions: 'nosniff',
      cacheControl: 'public, max-age=3600, stale-while-revalidate=60',
    });
    expect(codes).toEqual([]);
    expect(values).toMatchObject({
      'Content-Security-Policy':
        "default-src 'none'; script-src 'self' https://cdn.example.com:8443 'nonce-abc' data:; upgrade-insecure-requests",
      'Strict-Transport-Security': 'max-age=31536000; includeSubDomains; preload',
      'X-Frame-Options': 'SAMEORIGIN',
      'Referrer-Policy': 'strict-origin',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Cross-Origin-Opener-Policy': 'same-origin-allow-popups',
      'X-Permitted-Cross-Domain-Policies': 'master-only',
      'X-DNS-Prefetch-Control': 'on',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'public, max-age=3600, stale-while-revalidate=60',
    });
    const features = values['Permissions-Policy']!.split(', ');
    expect(features).toContain('camera=(self "https://*.example.com")');
    expect(features).toContain('screen-wake-lock=(*)');
    expect(features.filter((one) => !one.endsWith('=()'))).toHaveLength(2);
    for (const [name, value] of Object.entries(values))
      expect(() => validateHeaderValue(name, value!)).not.toThrow();
  });

  it('CONTRACT-4 leave alone what they do not name, and false removes', () => {
    expect(compile({}).values).toEqual({});
    expect(compile({ frameOptions: undefined }).values).toEqual({});
    const options: (keyof HeadersOptions)[] = [
      'contentSecurityPolicy',
      'strictTransportSecurity',
      'frameOptions',
      'referrerPolicy',
      'crossOriginResourcePolicy',
      'crossOriginOpenerPolicy',
      'permissionsPolicy',
      'permittedCrossDomainPolicies',
      'dnsPrefetchControl',
      'contentTypeOptions',
      'cacheControl',
    ];
    const { values, codes } = compile(Object.fromEntries(options.map((name) => [name, false])));
    expect(codes).toEqual([]);
    expect(Object.values(values)).toEqual(options.map(() => null));
  });

  const csp = (directives: unknown) => ({ contentSecurityPolicy: directives });
  it.each<[string, unknown]>([
    ['no default-src', csp({ 'script-src': ["'self'"] })],
    ['an unknown directive', csp({ 'default-src': ["'none'"], 'script-source': ["'self'"] })],
    ['a directive of camel case', csp({ 'default-src': ["'none'"], scriptSrc: ["'self'"] })],
    ['a directive that ends', csp({ 'default-src': ["'none'; script-src *"] })],
    ['a comma', csp({ 'default-src': ["'none'", 'a,b'] })],
    ['a space', csp({ 'default-src': ['a b'] })],
    ['a line break', csp({ 'default-src': ['a\r\nX-Evil: 1'] })],
    ['NUL', csp({ 'default-src': ['a\0'] })],
    ['no ASCII', csp({ 'default-src': ['é'] })],
    ['an empty source', csp({ 'default-src': [''] })],
    ['a keyword without quotes', csp({ 'default-src': ['none'] })],
    ['a nonce without quotes', csp({ 'default-src': ['nonce-abc'] })],
    ['none beside others', csp({ 'default-src': ["'none'", "'self'"] })],
    ['text instead of a list', csp({ 'default-src': "'none'" })],
    ['text instead of directives', csp("default-src 'none'")],
    ['a list instead of directives', csp(["default-src 'none'"])],
    ['nothing', csp(null)],
    ['true', csp(true)],
  ])('R-SH-08 R-CF-01 a Content-Security-Policy with %s stops the boot', (_, options) => {
    expect(new Set(compile(options).codes)).toEqual(new Set(['headers.contentSecurityPolicy']));
  });

  it.each<[string, string, unknown]>([
    ['less than a year', 'strictTransportSecurity', { maxAge: 31_535_999 }],
    ['no number', 'strictTransportSecurity', { maxAge: '31536000' }],
    ['half a second', 'strictTransportSecurity', { maxAge: 31_536_000.5 }],
    ['a misspelt member', 'strictTransportSecurity', { includeSubdomains: false }],
    ['preload without sub-domains', 'strictTransportSecurity', { includeSubDomains: false, preload: true }],
    ['text for a switch', 'strictTransportSecurity', { includeSubDomains: 'yes' }],
    ['a number alone', 'strictTransportSecurity', 31_536_000],
    ['nothing', 'strictTransportSecurity', null],
    ['another value', 'frameOptions', 'ALLOW-FROM https://a.example'],
    ['small letters', 'frameOptions', 'deny'],
    ['a line break', 'referrerPolicy', 'no-referrer\r\nX: 1'],
    ['true', 'crossOriginOpenerPolicy', true],
    ['nothing', 'contentTypeOptions', null],
    ['no feature', 'permissionsPolicy', { 'camera=*, usb': ['self'] }],
    ['a quote', 'permissionsPolicy', { camera: ['https://a.example"'] }],
    ['plain http', 'permissionsPolicy', { camera: ['http://a.example'] }],
    ['a path', 'permissionsPolicy', { camera: ['https://a.example/b'] }],
    ['text instead of a list', 'permissionsPolicy', { camera: 'self' }],
    ['a list', 'permissionsPolicy', ['camera']],
    ['nothing', 'permissionsPolicy', null],
    ['a misspelt directive', 'cacheControl', 'no-strore'],
    ['a line break', 'cacheControl', 'no-store\r\nX: 1'],
    ['no seconds', 'cacheControl', 'max-age'],
    ['seconds where none belong', 'cacheControl', 'no-store=1'],
    ['an empty directive', 'cacheControl', 'public,'],
    ['an empty text', 'cacheControl', ''],
    ['a number', 'cacheControl', 3600],
  ])('R-SH-08 R-CF-01 %s in %s stops the boot: %j', (_, option, value) => {
    expect(compile({ [option]: value }).codes).toEqual([`headers.${option}`]);
  });

  it.each([null, [], 'strict', true])('R-CF-01 %j are no header options', (options) => {
    expect(compile(options).codes).toEqual(['headers.options']);
  });

  it('R-CF-01 names an option that does not exist, and all problems at once', () => {
    expect(compile({ hsts: {}, frameOptions: 'x', toString: false, cacheControl: 'x' }).codes).toEqual([
      'headers.hsts',
      'headers.frameOptions',
      'headers.toString',
      'headers.cacheControl',
    ]);
  });
});
