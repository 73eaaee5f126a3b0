import { createHmac, timingSafeEqual } from 'node:crypto';

import type { SecurityClock } from '../../../clock.js';

/** How long one nonce is given out; it is taken for as long again, and then a third time. */
const PERIOD_MS = 100_000;
/** From the next one on, which a node whose clock is ahead gives out already. */
const PERIODS_TAKEN = [-1, 0, 1, 2] as const;

/**
 * Nonces that nobody can guess and every node with the secret can check: a keyed digest of the time. So none has to be
 * stored, and each is good for at most five minutes (RFC 9449 §8, R-DP-08).
 */
export class DpopNonces {
  #period = -1;
  #taken: readonly Buffer[] = [];
  #current = '';

  constructor(
    private readonly secret: Uint8Array,
    private readonly clock: SecurityClock,
  ) {}

  /** The one to give out now. */
  current(): string {
    this.#turn();
    return this.#current;
  }

  isTaken(nonce: string): boolean {
    this.#turn();
    const given = Buffer.from(nonce);
    return this.#taken.some((one) => one.length === given.length && timingSafeEqual(one, given));
  }

  #turn(): void {
    const period = Math.floor(this.clock.now() / PERIOD_MS);
    if (period === this.#period) return;
    this.#period = period;
    this.#current = this.#nonceOf(period);
    this.#taken = PERIODS_TAKEN.map((ago) => Buffer.from(this.#nonceOf(period - ago)));
  }

  #nonceOf(period: number): string {
    const digest = createHmac('sha256', this.secret).update(`dpop-nonce ${period}`).digest();
    return digest.subarray(0, 18).toString('base64url');
  }
}
