import type { AttemptLimiter } from '../authentication/attempt-limiter.js';
import type { TokenService } from '../authentication/jwt/token.service.js';
import type { StoreCalls } from '../authentication/store-calls.js';
import type { SecurityClock } from '../clock.js';
import type { SecurityEvents } from '../events/security-events.js';
import type { ApplicationsService } from './applications/applications.service.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import type { ClientService } from './clients/client.service.js';
import type { RecordSeal } from './records/record-seal.js';

/** What the server works with. */
export interface AuthorizationServerParts {
  readonly settings: AuthorizationServerSettings;
  readonly clients: ClientService;
  readonly applications: ApplicationsService;
  readonly seal: RecordSeal;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
  readonly events: SecurityEvents;
  readonly tokens: TokenService;
  readonly attempts: AttemptLimiter;
}
