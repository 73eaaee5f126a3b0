import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import type { SecurityClock } from '../clock.js';
import type { MountedPaths } from '../http/mounted-paths.js';

/** @internal What the other modules of this package build on; applications have no use for it. */
export abstract class SecurityInternals {
  abstract readonly mounts: MountedPaths;
  abstract readonly attempts: AttemptLimiter;
  abstract readonly clock: SecurityClock;
}
