import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import type { Authenticator } from '../authentication/authenticator.js';
import type { Authorizer } from '../authorization/authorizer.js';
import type { SecurityClock } from '../clock.js';
import type { ErrorWriter } from '../errors/error-writer.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { JsonLimits } from '../http/json/json-limits.js';
import type { MountedPaths } from '../http/mounted-paths.js';
import type { BodyStage } from '../pipeline/body-stage.js';
import type { RequestHook } from '../pipeline/request-hook.js';
import type { FailureReports } from '../pipeline/failure-reports.js';
import type { Transports } from '../pipeline/transports.js';
import type { PolicyRegistry } from '../policy/policy-registry.js';
import type { PlanResolver } from '../rate-limit/plans/plan-resolver.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';

/** @internal What decides about requests, for transports that have an order of their own. */
export interface RequestStages {
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly limiter: RateLimiter;
  readonly plans: PlanResolver;
  readonly bodies: BodyStage;
}
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';

/** @internal What the other modules of this package build on; applications have no use for it. */
export abstract class SecurityInternals {
  abstract readonly mounts: MountedPaths;
  abstract readonly attempts: AttemptLimiter;
  abstract readonly clock: SecurityClock;
  abstract readonly events: SecurityEvents;
  abstract readonly registry: PolicyRegistry;
  abstract readonly transports: Transports;
  abstract readonly stages: RequestStages;
  abstract readonly writer: ErrorWriter;
  abstract readonly reports: FailureReports;
  /** What is first for every request, upgrades included. */
  abstract readonly hook: RequestHook;
  abstract readonly production: boolean;
  abstract readonly jsonLimits: JsonLimits;
  /** Where limits are counted that are no route's, such as those of logins; one that can look without counting. */
  abstract readonly limits: RateLimitStorage;
}
