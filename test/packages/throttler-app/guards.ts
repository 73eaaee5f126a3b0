import { type ExecutionContext, Injectable } from '@nestjs/common';
import { ThrottlerGuard } from '@nestjs/throttler';

import { headersOf } from './controllers.js';

/** Counts by the tenant that a gateway names, and leaves the gateway's own probes alone. */
@Injectable()
export class TenantThrottlerGuard extends ThrottlerGuard {
  protected override getTracker(request: Record<string, Record<string, string>>): Promise<string> {
    return Promise.resolve(request['headers']?.['x-tenant'] ?? '');
  }

  protected override shouldSkip(context: ExecutionContext): Promise<boolean> {
    return Promise.resolve(headersOf(context)['x-probe'] === 'yes');
  }
}
