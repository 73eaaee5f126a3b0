import type { TokenIssuer } from '../authentication/jwt/token-issuer.js';
import type { Revocations } from '../authentication/jwt/revocation-list.js';

/** Whether one thing is there that requests cannot do without. */
export interface ReadinessPart {
  readonly name: string;
  readonly ready: boolean;
  /** Works, but with less than was configured, such as limits that this process counts alone. */
  readonly degraded?: boolean;
}

/** What an instance can do now. */
export interface ReadinessReport {
  /** False while every token of some issuer would be answered with 503. */
  readonly ready: boolean;
  readonly parts: readonly ReadinessPart[];
}

/**
 * Tells a load balancer whether this instance should get requests: not before the keys of every issuer have been loaded
 * (R-OA-08), and not while nobody knows what was revoked elsewhere (R-JW-22).
 *
 * @example
 * const { ready, parts } = await readiness.check();
 */
export class SecurityReadiness {
  constructor(
    private readonly issuers: readonly TokenIssuer[],
    private readonly revocations: Revocations,
    private readonly limits: { readonly failing: boolean } | undefined,
  ) {}

  /** Fetches keys that are not there yet, within their cool-down; never rejects. */
  async check(): Promise<ReadinessReport> {
    const keys = await Promise.all(
      this.issuers.map(async ({ issuer, keys: source }) => ({
        name: `keys of ${issuer}`,
        ready: (await source.ready?.().catch(() => false)) ?? true,
      })),
    );
    const parts: ReadinessPart[] = [...keys, { name: 'revocations', ready: this.revocations.isCurrent() }];
    // Limits have a policy for that: taking the node out of service would put its load on the others.
    if (this.limits) parts.push({ name: 'rate limits', ready: true, degraded: this.limits.failing });
    return { ready: parts.every(({ ready }) => ready), parts };
  }
}
