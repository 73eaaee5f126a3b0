import { HttpException, Logger } from '@nestjs/common';

import type { ErrorAnswer } from '../errors/error-answer.js';
import { SecurityError } from '../errors/security-error.js';
import { redact } from '../events/redaction.js';
import type { SecurityEventContext } from '../events/security-event.js';
import type { SecurityEvents } from '../events/security-events.js';

/** Tells the log and the security events of failures, whichever transport they ended. */
export class FailureReports {
  readonly #logger = new Logger('Security');

  constructor(private readonly events: SecurityEvents) {}

  /** @param answer what the client is told */
  report(exception: unknown, answer: ErrorAnswer, context: SecurityEventContext): void {
    if (exception instanceof SecurityError) {
      this.#reportRefusal(exception, context);
      return;
    }
    if (answer.status < 500 || exception instanceof HttpException) return;
    const error = describe(exception);
    this.#logger.error(redact(`${error.name}: ${error.message}`), error.stack && redact(error.stack));
    this.events.emit(
      'error.unhandled',
      { name: error.name, message: redact(error.message), stack: error.stack && redact(error.stack) },
      context,
    );
  }

  #reportRefusal({ code, extras }: SecurityError, context: SecurityEventContext): void {
    if (code === 'VALIDATION_FAILED' || code === 'UNEXPECTED_FIELDS') {
      const paths = (extras.details ?? []).map(({ path }) => path);
      this.events.emit('validation.rejected', { code, paths }, context);
    } else if (REFUSED_INPUT.has(code)) {
      this.events.emit('request.malformed', { code, reason: extras.reason ?? code }, context);
    }
  }
}

const REFUSED_INPUT: ReadonlySet<string> = new Set([
  'MALFORMED_REQUEST',
  'PAYLOAD_TOO_COMPLEX',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
]);

/** What was thrown may be anything, even something whose getters throw (R-ER-02). */
function describe(exception: unknown): { name: string; message: string; stack: string | undefined } {
  try {
    if (exception instanceof Error) {
      return { name: exception.name, message: exception.message, stack: exception.stack };
    }
    return { name: 'NonError', message: String(exception), stack: undefined };
  } catch {
    return { name: 'Unreadable', message: 'the thrown value cannot be read', stack: undefined };
  }
}
