import passport from 'passport';
import type { Strategy } from 'passport-strategy';
import { describe, expect, it } from 'vitest';

import { createPassport, runStrategy, StrategyFailed } from '../../lib/authentication/passport-runner.js';

/** Runs a strategy that does this with itself. */
function run(
  authenticate: (strategy: Strategy, request: object) => void,
  facade: object = {},
): Promise<unknown> {
  const instance = createPassport();
  class Fixed extends passport.Strategy {
    override authenticate(request: object): void {
      authenticate(this, request);
    }
  }
  instance.use('fixed', new Fixed());
  return runStrategy(instance, 'fixed', facade);
}

describe('running a strategy', () => {
  it('R-AU-13 ends with the user', async () => {
    const user = { id: 1 };
    expect(await run((strategy) => strategy.success(user, { info: 'x' }))).toBe(user);
  });

  it.each<[string, (strategy: Strategy) => void, string]>([
    ['fail()', (strategy) => strategy.fail({ message: 'why' }, 400), 'fail'],
    ['success() without a user', (strategy) => strategy.success(undefined), 'fail'],
    ['PITFALL-P1 pass()', (strategy) => strategy.pass(), 'pass'],
    ['PITFALL-P7 redirect()', (strategy) => strategy.redirect('https://evil.example'), 'redirect'],
  ])('R-AU-13 refuses after %s', async (_, authenticate, kind) => {
    const error = await run(authenticate).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StrategyFailed);
    expect(error).toMatchObject({ kind });
  });

  it('R-AU-13 fails with the error of the strategy, raised or thrown', async () => {
    const error = new Error('store down');
    await expect(run((strategy) => strategy.error(error))).rejects.toBe(error);
    await expect(
      run(() => {
        throw error;
      }),
    ).rejects.toBe(error);
  });

  it('R-AU-13 a strategy that is not there, or has the name of an object’s member, is an error', async () => {
    for (const name of ['nothing', 'constructor', '__proto__', 'hasOwnProperty']) {
      await expect(runStrategy(createPassport(), name, {})).rejects.toThrow(
        /^Unknown authentication strategy|is not a function$/,
      );
    }
  });

  it('R-AU-13 only the first outcome counts', async () => {
    const outcome = run((strategy) => {
      strategy.fail(401);
      strategy.success({ id: 'late' });
    });
    await expect(outcome).rejects.toMatchObject({ kind: 'fail' });
  });

  it('PITFALL-P3 instances do not share strategies, and the package’s own one knows none of them', async () => {
    const [one, two] = [createPassport(), createPassport()];
    class Always extends passport.Strategy {
      constructor(private readonly user: object) {
        super();
      }
      override authenticate(): void {
        this.success(this.user);
      }
    }
    one.use('runner-shared', new Always({ id: 'one' }));
    two.use('runner-shared', new Always({ id: 'two' }));
    expect(await runStrategy(one, 'runner-shared', {})).toEqual({ id: 'one' });
    expect(await runStrategy(two, 'runner-shared', {})).toEqual({ id: 'two' });
    await expect(runStrategy(passport, 'runner-shared', {})).rejects.toThrow(
      /Unknown authentication strategy/,
    );
  });

  it('R-AU-11 what passport hangs on a request, it hangs on the facade', async () => {
    let seen: object | undefined;
    const facade = { headers: {} };
    await run((strategy, request) => {
      seen = request;
      strategy.success({ id: 1 });
    }, facade);
    expect(seen).toBe(facade);
    expect(facade).toHaveProperty('logIn');
  });
});
