import { describe, expect, it } from 'vitest';

import { compileApiKeyOptions } from '../../../lib/authentication/api-key/api-key.options.js';
import { MemoryApiKeyStore } from '../../../lib/authentication/api-key/memory-api-key-store.js';
import {
  ConfigurationProblems,
  SecurityConfigurationError,
} from '../../../lib/configuration/configuration-problems.js';

function problemsOf(options: object): string[] {
  const problems = new ConfigurationProblems();
  compileApiKeyOptions(options, problems);
  try {
    problems.throwIfAny();
  } catch (error) {
    return (error as SecurityConfigurationError).problems.map(({ code }) => code);
  }
  return [];
}

const pepper = 'a pepper of much more than 32 characters';

describe('the options of API keys', () => {
  it('R-CF-01 R-AK-13 have defaults that are safe', () => {
    expect(compileApiKeyOptions({}, new ConfigurationProblems())).toEqual({
      prefix: 'sk',
      environment: 'live',
      peppers: [],
      header: true,
      cacheMs: 5_000,
      cacheSize: 10_000,
      timeoutMs: 5_000,
      maxAgeMs: undefined,
      overlapMs: 0,
      onPlaintext: 'flag',
      onExposed: undefined,
      plans: new Map(),
      staleMs: 0,
      ownerRights: undefined,
    });
  });

  it.each([
    { store: new MemoryApiKeyStore() },
    { prefix: 'acme' },
    { environment: 'test' },
    { pepper },
    { pepper: [pepper, pepper] },
    { header: false },
    { cacheTtl: 0 },
    { cacheTtl: '60s' },
    { cacheSize: 1 },
    { storeTimeout: '250ms' },
    { maxAge: '365d' },
    { rotationOverlap: '1h' },
    { onPlaintext: 'revoke' },
    { ownerRights: () => undefined },
  ])('R-CF-01 %j is accepted', (options) => {
    expect(problemsOf(options)).toEqual([]);
  });

  it.each([
    ['store', {}],
    ['store', null],
    ['store', { find: 1, insert: 1, update: 1, rotate: 1, list: 1, revokeAllOf: 1 }],
    ['prefix', ''],
    ['prefix', 's'],
    ['prefix', '9k'],
    ['prefix', 'sk_'],
    ['prefix', 'a'.repeat(17)],
    ['environment', 'production'],
    ['pepper', ''],
    ['pepper', 'x'.repeat(31)],
    ['pepper', []],
    ['pepper', [pepper, 'short']],
    ['pepper', [pepper, 42]],
    ['pepper', 42],
    ['header', 'X-Key'],
    ['cacheTtl', '61s'],
    ['cacheTtl', -1],
    ['cacheTtl', 'soon'],
    ['cacheSize', 0],
    ['cacheSize', 1.5],
    ['cacheSize', 1e9],
    ['storeTimeout', 0],
    ['storeTimeout', '2m'],
    ['maxAge', 0],
    ['maxAge', 'never'],
    ['rotationOverlap', 'never'],
    ['rotationOverlap', -1],
    ['onPlaintext', 'ignore'],
    ['ownerRights', { scopes: [] }],
  ])('R-CF-01 R-AK-10 %s: %j is refused', (name, value) => {
    expect(problemsOf({ [name]: value })).toEqual([`api-keys.${name}`]);
  });

  it('R-CF-01 unknown options are refused, and every problem is told at once', () => {
    expect(problemsOf({ cacheTTL: '5s', prefix: '_', onPlaintext: 1 }).toSorted()).toEqual([
      'api-keys.onPlaintext',
      'api-keys.prefix',
      'api-keys.unknown',
    ]);
  });

  it('R-LG-03 R-AK-17 a problem with the pepper does not show it', () => {
    const problems = new ConfigurationProblems();
    compileApiKeyOptions({ pepper: 'too-short-to-be-safe' }, problems);
    expect(() => problems.throwIfAny()).toThrow(SecurityConfigurationError);
    expect(() => problems.throwIfAny()).not.toThrow('too-short-to-be-safe');
  });
});
