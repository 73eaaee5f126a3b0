import { BoundedCache } from './bounded-cache.js';
import { sha256 } from './sha256.js';
import { SecurityError } from '../errors/security-error.js';
import { createMeter } from '../policy/limit-meter.js';
import type { LimitCharge, LimitDecision, RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import { retryAfterSeconds } from '../rate-limit/rate-limit-headers.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** More failures than anybody counts to. */
const UNLIMITED = 1_000_000;
const FAILURES = createMeter({ bucket: 'login:account', limit: UNLIMITED, windowMs: HOUR });
/** From so many failures of an account in an hour on, a strange address has one try in so long. */
const STEPS = [
  { failures: 100, tries: createMeter({ bucket: 'login:pair', limit: 1, windowMs: 15 * MINUTE }) },
  { failures: 20, tries: createMeter({ bucket: 'login:pair', limit: 1, windowMs: 5 * MINUTE }) },
] as const;
/** Pairs of address and account that have logged in, remembered by this process. */
const MAX_KNOWN = 10_000;

/** Whom a try to log in concerns: digests, because names of accounts are nobody's business. */
export interface LoginTry {
  readonly account: string;
  readonly pair: string;
}

/**
 * Slows down the guessing of one account's password from many addresses, without ever locking out whom it belongs to: the
 * more tries have failed, the seldomer each *strange* address may try, but its first try always counts, so the owner with the
 * right password gets in from anywhere; and addresses from which the account was logged in before are not slowed down at all.
 */
export class LoginBackoff {
  readonly #known = new BoundedCache<true>(MAX_KNOWN);

  constructor(private readonly storage: RateLimitStorage) {}

  /** @param account as the client wrote it */
  tryOf(account: unknown, address: string): LoginTry {
    const name = accountName(account);
    return { account: sha256(`account ${name}`), pair: sha256(`pair ${address} ${name}`) };
  }

  /** @throws SecurityError `RATE_LIMITED` if this address has to wait */
  async check({ account, pair }: LoginTry): Promise<void> {
    if (this.#known.get(pair)) return;
    const failures = await this.#failures(account, 0);
    const step = STEPS.find((one) => failures >= one.failures);
    if (!step) return;
    const { allowed, states } = await this.#consume({ meter: step.tries, subject: pair, cost: 1 });
    if (allowed) return;
    throw new SecurityError('RATE_LIMITED', 'Too many failed logins', {
      retryAfter: retryAfterSeconds(states[0]!.resetMs),
      reason: 'login.backoff',
    });
  }

  async failed({ account }: LoginTry): Promise<void> {
    await this.#failures(account, 1);
  }

  succeeded({ pair }: LoginTry): void {
    this.#known.set(pair, true);
  }

  /** A counter that cannot be asked lets nobody try: guessing must not become free with an outage. */
  async #consume(charge: LimitCharge): Promise<LimitDecision> {
    try {
      return await this.storage.consume([charge]);
    } catch (cause) {
      if (cause instanceof SecurityError) throw cause;
      throw new SecurityError('UNAVAILABLE', 'Logins cannot be checked right now', {
        retryAfter: 5,
        reason: 'login.storage',
        cause,
      });
    }
  }

  async #failures(account: string, cost: number): Promise<number> {
    const { states } = await this.#consume({ meter: FAILURES, subject: account, cost });
    return UNLIMITED - states[0]!.remaining;
  }
}

/** One spelling for one account, as far as that can be said; what is no text is one account together. */
export function accountName(account: unknown): string {
  return typeof account === 'string' ? account.slice(0, 512).normalize('NFKC').trim().toLowerCase() : '';
}
