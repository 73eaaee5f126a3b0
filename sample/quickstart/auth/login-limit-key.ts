import type { RateLimitSubject } from 'nestjs-api-security';

/**
 * Counts tries to log in for one address and account together: nobody else's tries lock the account's owner out.
 * The body has not been validated yet, so nothing about it is taken for granted.
 */
export function loginLimitKey({ address, body }: RateLimitSubject): string {
  const email: unknown =
    typeof body === 'object' && body !== null && Object.hasOwn(body, 'email')
      ? (body as { email: unknown }).email
      : undefined;
  const account = typeof email === 'string' ? email.slice(0, 254).toLowerCase() : '';
  return JSON.stringify([address, account]);
}
