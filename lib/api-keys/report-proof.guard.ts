import { type CanActivate, type ExecutionContext, Injectable, type Type } from '@nestjs/common';

import { SecurityError } from '../errors/security-error.js';
import { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import { type RequestState, requestStateOf } from '../http/request-state.js';
import type { ApiKeyReportOptions } from './api-key-routes.options.js';

/** A guard that lets requests in whose bytes the application takes for genuine; whatever goes wrong, nobody gets in. */
export function createReportProofGuard(
  verify: NonNullable<ApiKeyReportOptions['verify']>,
): Type<CanActivate> {
  @Injectable()
  class ReportProofGuard implements CanActivate {
    constructor(private readonly events: SecurityEvents) {}

    async canActivate(context: ExecutionContext): Promise<boolean> {
      const request = context.switchToHttp().getRequest<{ rawBody?: Buffer }>();
      const state = requestStateOf(request);
      const reason = state ? await reasonAgainst(request.rawBody, state) : 'report.unknown';
      if (reason === undefined) return true;
      this.events.emit(
        'authentication.failed',
        { scheme: 'other', reason },
        state ? eventContextOf(state) : undefined,
      );
      throw new SecurityError('UNAUTHENTICATED', 'The report has no valid proof of who sent it', { reason });
    }
  }

  async function reasonAgainst(
    body: Buffer | undefined,
    { request }: RequestState,
  ): Promise<string | undefined> {
    // A parser that the application added has taken the bytes: nothing can be proven of them any more.
    if (!body) return 'report.no-bytes';
    try {
      const verdict: unknown = await verify(body, request.headers);
      return verdict === true ? undefined : 'report.signature';
    } catch {
      return 'report.verify-failed';
    }
  }

  return ReportProofGuard;
}
