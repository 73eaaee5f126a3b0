import { Inject, Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';

import { SecurityReadiness } from '../boot/security-readiness.js';

/**
 * The module's readiness for @nestjs/terminus: down until the keys of every issuer are there, and while it is not known what
 * was revoked elsewhere. Provide it where `TerminusModule` is imported.
 *
 * @example
 * @Public() @Get('ready') @HealthCheck()
 * ready() { return this.health.check([() => this.security.isHealthy()]); }
 */
@Injectable()
export class SecurityHealthIndicator {
  constructor(
    @Inject(HealthIndicatorService) private readonly indicators: HealthIndicatorService,
    @Inject(SecurityReadiness) private readonly readiness: SecurityReadiness,
  ) {}

  /** @param key under which the result stands; `'security'` by default */
  async isHealthy(key = 'security'): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check(key);
    const { ready, parts } = await this.readiness.check();
    const degraded = parts.filter((part) => part.degraded).map(({ name }) => name);
    if (ready) return indicator.up(degraded.length > 0 ? { degraded } : undefined);
    const missing = parts.filter((part) => !part.ready).map(({ name }) => name);
    return indicator.down({ missing });
  }
}
