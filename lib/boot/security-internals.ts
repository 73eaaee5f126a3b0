import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import type { SecurityClock } from '../clock.js';
import type { MountedPaths } from '../http/mounted-paths.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';

/** @internal What the other modules of this package build on; applications have no use for it. */
export abstract class SecurityInternals {
  abstract readonly mounts: MountedPaths;
  abstract readonly attempts: AttemptLimiter;
  abstract readonly clock: SecurityClock;
  /** Where limits are counted that are no route's, such as those of logins; one that can look without counting. */
  abstract readonly limits: RateLimitStorage;
}
