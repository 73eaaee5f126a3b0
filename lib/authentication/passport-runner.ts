import type { PassportStatic } from 'passport';
import passport from 'passport';

/** How a strategy ended without a user. */
export class StrategyFailed extends Error {
  constructor(
    readonly kind: 'fail' | 'pass' | 'redirect',
    readonly info: unknown,
  ) {
    super(`the strategy ended with ${kind}()`);
  }
}

type Authenticate = (
  strategy: string,
  options: object,
  done: Done,
) => (request: object, response: object, next: Next) => void;
type Done = (error: unknown, user: unknown, info: unknown) => void;
type Next = (error?: unknown) => void;

/** A Passport of our own: the package's one is shared by the whole process, and a second strategy of a name replaces the first. */
export function createPassport(): PassportStatic {
  // The default export is an instance; its class hangs on it under two names.
  const { Passport } = passport as unknown as { Passport: new () => PassportStatic };
  return new Passport();
}

/**
 * Runs one strategy on a facade, so that passport hangs nothing on the real request. However the strategy ends, the promise
 * settles: with the user, or with `StrategyFailed`, or with the strategy's own error.
 */
export function runStrategy(instance: PassportStatic, name: string, facade: object): Promise<unknown> {
  const authenticate = instance.authenticate.bind(instance) as unknown as Authenticate;
  return new Promise((resolve, reject) => {
    const done: Done = (error, user, info) => {
      if (error) reject(error);
      else if (user) resolve(user);
      else reject(new StrategyFailed('fail', info));
    };
    // `next` without an error is what pass() comes to: nobody has been authenticated (PITFALL P1).
    const next: Next = (error) => reject(error ? (error as Error) : new StrategyFailed('pass', undefined));
    const refuseRedirect = () => reject(new StrategyFailed('redirect', undefined));
    authenticate(name, { session: false }, done)(
      facade,
      { setHeader: refuseRedirect, end: refuseRedirect },
      next,
    );
  });
}
