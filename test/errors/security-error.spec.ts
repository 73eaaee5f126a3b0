import { HttpException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';

import { SECURITY_ERROR_CODES, type SecurityErrorCode } from '../../lib/errors/error-code.js';
import { SecurityError } from '../../lib/errors/security-error.js';

describe('SecurityError', () => {
  it.each(Object.entries(SECURITY_ERROR_CODES))('CONTRACT-2 %s has the status %i', (code, status) => {
    const error = new SecurityError(code as SecurityErrorCode, 'why');
    expect(error).toBeInstanceOf(HttpException);
    expect([error.getStatus(), error.code, error.message, error.name, error.extras]).toEqual([
      status,
      code,
      'why',
      'SecurityError',
      {},
    ]);
  });

  it('R-ER-02 keeps its cause for logs, and out of what Nest would send', () => {
    const cause = new Error('a secret');
    const error = new SecurityError('UNAVAILABLE', 'Later', { cause, reason: 'store.down', retryAfter: 5 });
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error.getResponse())).not.toMatch(/secret|store\.down/);
    expect(new SecurityError('UNAVAILABLE', 'Later').cause).toBeUndefined();
  });

  it('CONTRACT-2 its codes cannot be changed', () => {
    expect(Object.isFrozen(SECURITY_ERROR_CODES)).toBe(true);
  });
});
