import { SecurityError } from '../errors/security-error.js';
import type { LoginBackoff } from '../authentication/login-backoff.js';
import type { Account } from './authorization-server.options.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import { retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';

const MAX_LENGTH = 1_024;

/** How a try to log in ended: with somebody, or with what they are told. */
export type LoginOutcome = { readonly account: Account } | LoginRefusal;

interface LoginRefusal {
  readonly problem: string;
  readonly status: number;
  /** Seconds. */
  readonly retryAfter?: number;
}

const WRONG: LoginRefusal = { problem: 'The name or the password is not right.', status: 401 };
const tooMany = (retryAfter = 1): LoginRefusal => ({
  problem: 'There were too many tries. Wait a little, and try again.',
  status: 429,
  retryAfter,
});

/** Checks who somebody says to be, with limits that slow down guessing and lock nobody out. */
export class LoginCheck {
  constructor(
    private readonly settings: AuthorizationServerSettings,
    private readonly backoff: LoginBackoff,
  ) {}

  /** @throws SecurityError or what the application's own function throws */
  async check(
    form: URLSearchParams,
    address: string,
    acrValues: readonly string[] = [],
  ): Promise<LoginOutcome> {
    const login = form.get('login') ?? '';
    const password = form.get('password') ?? '';
    if (login === '' || password === '' || login.length > MAX_LENGTH || password.length > MAX_LENGTH)
      return WRONG;
    const attempt = this.backoff.tryOf(login, address);
    const refusal = await this.#holdUp(attempt);
    if (refusal) return refusal;
    const account = await this.settings.authenticate({ login, password, address, acrValues });
    if (!account) {
      await this.backoff.failed(attempt);
      return WRONG;
    }
    assertAccount(account);
    this.backoff.succeeded(attempt);
    return { account };
  }

  async #holdUp(attempt: ReturnType<LoginBackoff['tryOf']>): Promise<LoginRefusal | undefined> {
    const { storage, loginLimit } = this.settings;
    const charge = { meter: loginLimit, subject: attempt.pair, cost: 1 };
    const { allowed, states } = await storage.consume([charge]);
    if (!allowed) return tooMany(retryAfterSeconds(states[0]!.resetMs));
    try {
      await this.backoff.check(attempt);
      return undefined;
    } catch (error) {
      if (error instanceof SecurityError && error.code === 'RATE_LIMITED')
        return tooMany(error.extras.retryAfter);
      throw error;
    }
  }
}

/** Names of clients and of people must never meet (R-AS-16). @throws TypeError */
export function assertAccount({ id }: Account): void {
  if (typeof id !== 'string' || id === '' || id.length > 255 || id.startsWith('client_'))
    throw new TypeError(
      'the id of an account is a text of up to 255 characters that does not begin with client_',
    );
}
