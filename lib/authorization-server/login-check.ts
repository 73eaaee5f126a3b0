import { SecurityError } from '../errors/security-error.js';
import type { LoginBackoff } from '../authentication/login-backoff.js';
import type { Account } from './authorization-server.options.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';

const MAX_LENGTH = 1_024;

/** How a try to log in ended: with somebody, or with what they are told. */
export type LoginOutcome = { readonly account: Account } | { readonly problem: string };

const WRONG: LoginOutcome = { problem: 'The name or the password is not right.' };
const TOO_MANY: LoginOutcome = { problem: 'There were too many tries. Wait a little, and try again.' };

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
    if (!(await this.#mayTry(attempt))) return TOO_MANY;
    const account = await this.settings.authenticate({ login, password, address, acrValues });
    if (!account) {
      await this.backoff.failed(attempt);
      return WRONG;
    }
    assertAccount(account);
    this.backoff.succeeded(attempt);
    return { account };
  }

  async #mayTry(attempt: ReturnType<LoginBackoff['tryOf']>): Promise<boolean> {
    const { storage, loginLimit } = this.settings;
    const charge = { meter: loginLimit, subject: attempt.pair, cost: 1 };
    if (!(await storage.consume([charge])).allowed) return false;
    try {
      await this.backoff.check(attempt);
      return true;
    } catch (error) {
      if (error instanceof SecurityError && error.code === 'RATE_LIMITED') return false;
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
