import { HttpException } from '@nestjs/common';

import { SECURITY_ERROR_CODES, type SecurityErrorCode } from './error-code.js';

/** One broken rule of an input, as the contract shows it. Never holds the value. */
export interface ErrorDetail {
  /** Where, as `items[2].sku`. */
  readonly path: string;
  /** The rule's name, such as `isEmail` or `whitelist`. */
  readonly rule: string;
  readonly message: string;
}

/** Members of the envelope beside `code` and `message`, and response headers that go with the error. */
export interface SecurityErrorExtras {
  readonly details?: readonly ErrorDetail[];
  readonly requiredScopes?: readonly string[];
  /** Whole seconds; becomes the `Retry-After` header too. */
  readonly retryAfter?: number;
  /** Response headers, such as `WWW-Authenticate` or `Accept`. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** The kind of problem among those registered for HTTP (RFC 9457 §3.1.1, the rate-limit draft §5); `about:blank` without. */
  readonly problemType?: 'quota-exceeded' | 'temporary-reduced-capacity';
  /** Names of the limits that have no room; members of a `quota-exceeded` problem only. */
  readonly violatedPolicies?: readonly string[];
  /** The true reason, for the security events only. Never sent. */
  readonly reason?: string;
  readonly cause?: unknown;
}

/**
 * A refusal by this module. An `HttpException`, so that an application's own filters understand it.
 *
 * @example
 * throw new SecurityError('FORBIDDEN', 'Not your order');
 */
export class SecurityError extends HttpException {
  readonly code: SecurityErrorCode;
  readonly extras: SecurityErrorExtras;

  constructor(code: SecurityErrorCode, message: string, extras: SecurityErrorExtras = {}) {
    super(message, SECURITY_ERROR_CODES[code], extras.cause === undefined ? {} : { cause: extras.cause });
    this.name = 'SecurityError';
    this.code = code;
    this.extras = extras;
  }
}
