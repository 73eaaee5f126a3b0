import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { PassportStrategy } from '@nestjs/passport';
import passport, { type PassportStatic } from 'passport';
import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
import type { Strategy } from 'passport-strategy';
import { describe, expect, it } from 'vitest';

import { API_KEY_STRATEGY } from '../../../lib/authentication/api-key/api-key.strategy.js';
import { readCredential } from '../../../lib/authentication/credential-reader.js';
import { createPassport, runStrategy } from '../../../lib/authentication/passport-runner.js';
import { INPUT, type WorkshopSetup, workshop } from './key-workshop.js';

// What passport-headerapikey 1.2.2 and @nestjs/passport 12.0.0 do by themselves, without HTTP, and that ours does better.

/** The key that the bare strategy reads from the headers, or how it ended. */
async function bareKey(headers: object, options: { header: string; prefix: string }): Promise<unknown> {
  const instance = createPassport();
  class Bare extends PassportStrategy(HeaderAPIKeyStrategy, 'bare') {
    constructor() {
      super(options, false);
    }
    getPassportInstance(): PassportStatic {
      return instance;
    }
    validate(key: string): object {
      return { key };
    }
  }
  void new Bare();
  return runStrategy(instance, 'bare', { headers }).then(
    (user) => (user as { key: string }).key,
    (error: unknown) => error,
  );
}

const AUTHORIZATION = { header: 'Authorization', prefix: 'Api-Key ' };

/** Reads a header as the module does, and verifies the key in it. */
async function ours(name: string, header: (key: string) => string): Promise<string> {
  const { service, outcome } = workshop();
  const { key } = await service.issue(INPUT);
  const credential = readCredential([name, header(key)], true);
  if (credential === undefined) return 'none';
  return 'reason' in credential ? credential.reason : outcome(credential.value);
}

describe('PITFALL-K1 a scheme in lower case', () => {
  it('bare: is not recognised', async () => {
    expect(await bareKey({ authorization: 'Api-Key abc' }, AUTHORIZATION)).toBe('abc');
    expect(await bareKey({ authorization: 'api-key abc' }, AUTHORIZATION)).toMatchObject({ kind: 'fail' });
  });

  it('R-AU-03 ours: is the same scheme', async () => {
    for (const scheme of ['Api-Key', 'api-key', 'API-KEY']) {
      expect(await ours('Authorization', (key) => `${scheme} ${key}`)).toBe('good');
    }
  });
});

describe('PITFALL-K3 a missing key', () => {
  it('bare: its challenge is no header text, and its status is lost', async () => {
    const error = await bareKey({}, AUTHORIZATION);
    expect(error).toMatchObject({ kind: 'fail', info: { message: 'Missing API Key' } });
    expect(typeof (error as { info: unknown }).info).toBe('object');
  });

  it('R-AU-02 ours: never comes to the strategy', async () => {
    const { store, outcome } = workshop();
    expect(readCredential([], true)).toBeUndefined();
    expect(await outcome('')).toBe('key.malformed');
    expect(store.finds).toBe(0);
  });
});

describe('PITFALL-K4 passReqToCallback', () => {
  const script = `
    import { PassportStrategy } from '@nestjs/passport';
    import { HeaderAPIKeyStrategy } from 'passport-headerapikey';
    import passport from 'passport';
    class Bare extends PassportStrategy(HeaderAPIKeyStrategy, 'bare') {
      constructor() { super({ header: 'X-API-Key', prefix: '' }, true); }
      validate() { return { id: 1 }; }
    }
    new Bare();
    passport.authenticate('bare', { session: false }, () => console.log('settled'))({ headers: { 'x-api-key': 'k' } }, {}, () => console.log('settled'));
    setTimeout(() => console.log('alive'), 200);
  `;

  it('bare: kills the process', { timeout: 20_000 }, async () => {
    const child = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    const error = (await child.catch((reason: unknown) => reason)) as {
      code: number;
      stdout: string;
      stderr: string;
    };
    expect(error.code).toBe(1);
    expect(error.stdout).toBe('');
    expect(error.stderr).toContain('is not a function');
  });

  it('ours: gets the key and a callback, and nothing else', async () => {
    const seen: unknown[][] = [];
    const { service, use } = workshop({
      register(instance, lookup) {
        class Ours extends PassportStrategy(HeaderAPIKeyStrategy, API_KEY_STRATEGY) {
          constructor() {
            super({ header: 'x-api-key', prefix: '' }, false);
          }
          getPassportInstance(): PassportStatic {
            return instance;
          }
          validate(...args: unknown[]): Promise<object> {
            seen.push(args);
            return lookup(args[0] as string);
          }
        }
        void new Ours();
      },
    });
    const { key } = await service.issue(INPUT);
    await use(key);
    expect(seen).toEqual([[key, expect.any(Function)]]);
  });
});

describe('PITFALL-K5 a prefix with signs that mean something', () => {
  it('bare: is matched, but stays in front of the key', async () => {
    const options = { header: 'Authorization', prefix: 'key(v1) ' };
    expect(await bareKey({ authorization: 'key(v1) abc' }, options)).toBe('key(v1) abc');
  });

  it('ours: has no prefix in the strategy; the scheme is read by its grammar', async () => {
    expect(await ours('Authorization', (key) => `key(v1) ${key}`)).toBe('credential.grammar');
  });
});

describe('PITFALL-K6 PITFALL-K7 more in the header than a key', () => {
  it('bare: becomes part of the key', async () => {
    expect(await bareKey({ authorization: 'Api-Key   abc' }, AUTHORIZATION)).toBe('  abc');
    expect(await bareKey({ authorization: 'Api-Key abc, Bearer zzz' }, AUTHORIZATION)).toBe(
      'abc, Bearer zzz',
    );
  });

  it('R-AU-05 ours: spaces are no part of it, and a list is refused', async () => {
    expect(await ours('Authorization', (key) => `Api-Key   ${key}`)).toBe('good');
    expect(await ours('Authorization', (key) => `Api-Key ${key}, Bearer zzz`)).toBe('credential.grammar');
    expect(await ours('X-API-Key', (key) => `${key}, ${key}`)).toBe('credential.grammar');
    expect(await ours('X-API-Key', (key) => key)).toBe('good');
  });
});

describe('PITFALL-K10 a header name with a dot', () => {
  it('bare: is a path into the headers', async () => {
    const options = { header: 'host.length', prefix: '' };
    expect(await bareKey({ host: 'example.com' }, options)).toBeInstanceOf(TypeError);
  });

  it('ours: the name is fixed, and no option sets it', async () => {
    expect(() => workshop({ options: { headerName: 'host.length' } as never })).toThrow(/headerName/);
  });
});

/** A verifier whose strategy ends as the test says. */
function withStrategy(
  authenticate: (strategy: Strategy, lookup: (key: string) => Promise<object>, key: string) => void,
) {
  const register: WorkshopSetup['register'] = (instance, lookup) => {
    class Broken extends passport.Strategy {
      override authenticate({ headers }: { headers: object }): void {
        authenticate(this, lookup, (headers as Record<string, string>)['x-api-key']!);
      }
    }
    instance.use(API_KEY_STRATEGY, new Broken());
    return {};
  };
  return workshop({ register });
}

describe('PITFALL-P1 PITFALL-P5 a strategy that ends without our verdict', () => {
  it('bare: pass() lets the request go on, with nobody', () => {
    const instance = createPassport();
    class Passing extends passport.Strategy {
      override authenticate(): void {
        this.pass();
      }
    }
    instance.use('passing', new Passing());
    const calls: unknown[] = [];
    const middleware = instance.authenticate('passing', { session: false }, () => calls.push('callback')) as (
      ...args: unknown[]
    ) => void;
    middleware({}, {}, (error?: unknown) => calls.push(['next', error]));
    expect(calls).toEqual([['next', undefined]]);
  });

  it('bare: of a list the first member becomes the user', async () => {
    const instance = createPassport();
    class Listing extends PassportStrategy(HeaderAPIKeyStrategy, 'listing') {
      constructor() {
        super({ header: 'x-api-key', prefix: '' }, false);
      }
      getPassportInstance(): PassportStatic {
        return instance;
      }
      validate(): string[] {
        return ['admin', 'ops'];
      }
    }
    void new Listing();
    expect(await runStrategy(instance, 'listing', { headers: { 'x-api-key': 'k' } })).toBe('admin');
  });

  it.each<[string, Parameters<typeof withStrategy>[0]]>([
    ['pass()', (strategy) => strategy.pass()],
    ['fail()', (strategy) => strategy.fail('no', 401)],
    ['redirect()', (strategy) => strategy.redirect('/login')],
    ['success(undefined)', (strategy) => strategy.success(undefined)],
    ['success({})', (strategy) => strategy.success({})],
    ['success(true)', (strategy) => strategy.success(true)],
    ['a list', (strategy) => strategy.success(['admin', 'ops'])],
    ['a text', (strategy) => strategy.success('admin')],
    [
      'what looks like a verdict',
      (strategy) => strategy.success({ credential: { principal: { id: 'admin', scopes: ['*'] } } }),
    ],
    [
      'a verdict in a list',
      (strategy, lookup, key) => void lookup(key).then((verdict) => strategy.success([verdict])),
    ],
    [
      'a copy of a verdict',
      (strategy, lookup, key) => void lookup(key).then((verdict) => strategy.success({ ...verdict })),
    ],
  ])('R-AU-13 ours: %s is refused, even for a good key', async (_, authenticate) => {
    const { service, outcome, verifier } = withStrategy(authenticate);
    const { key } = await service.issue(INPUT);
    expect(await outcome(key)).toBe('key.strategy');
    expect(verifier.cached(key)).toBeUndefined();
  });

  it.each<[string, Parameters<typeof withStrategy>[0]]>([
    ['raises an error', (strategy) => strategy.error(new TypeError('bug'))],
    [
      'throws',
      () => {
        throw new TypeError('bug');
      },
    ],
  ])('R-AU-13 R-AK-19 ours: one that %s is 503, with an event', async (_, authenticate) => {
    const { service, outcome, seen } = withStrategy(authenticate);
    const { key } = await service.issue(INPUT);
    expect(await outcome(key)).toBe('UNAVAILABLE');
    expect(seen.at(-1)).toMatchObject({ type: 'store.failed', message: 'bug' });
  });
});

describe('PITFALL-P3 two strategies of one name', () => {
  it('bare: the second replaces the first, in the whole process', async () => {
    const start = (user: string) => {
      class Shared extends PassportStrategy(HeaderAPIKeyStrategy, 'p3-bare') {
        constructor() {
          super({ header: 'x-api-key', prefix: '' }, false);
        }
        validate(): object {
          return { user };
        }
      }
      return new Shared();
    };
    start('first application');
    start('second application');
    const user = await runStrategy(passport, 'p3-bare', { headers: { 'x-api-key': 'k' } });
    passport.unuse('p3-bare');
    expect(user).toEqual({ user: 'second application' });
  });

  it('ours: each verifier keeps its own, and none is in the process-wide instance', async () => {
    const [first, second] = [workshop(), workshop()];
    const { key } = await first.service.issue(INPUT);
    expect([await first.outcome(key), await second.outcome(key)]).toEqual(['good', 'key.unknown']);
    await expect(runStrategy(passport, API_KEY_STRATEGY, { headers: {} })).rejects.toThrow(/Unknown/);
  });
});
