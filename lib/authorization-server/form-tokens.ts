import { createHmac, timingSafeEqual } from 'node:crypto';

/** Signs what goes to browsers and comes back: the tokens of forms, and who is logged in on the page of applications. */
export class FormTokens {
  /** @param keys the first signs, all verify */
  constructor(private readonly keys: readonly string[]) {}

  /** What a form must send back, for this use and no other (R-AS-13). */
  make(...use: readonly string[]): string {
    return sign(this.keys[0]!, use);
  }

  isGood(token: unknown, ...use: readonly string[]): boolean {
    if (typeof token !== 'string') return false;
    const given = Buffer.from(token);
    return this.keys.some((key) => {
      const good = Buffer.from(sign(key, use));
      return good.length === given.length && timingSafeEqual(good, given);
    });
  }
}

const sign = (key: string, use: readonly string[]): string =>
  createHmac('sha256', key).update(JSON.stringify(use)).digest('base64url');
