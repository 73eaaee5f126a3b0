import type { Duration } from '../configuration/units.js';
import { addPolicyMetadata, type PolicyDecorator } from '../policy/metadata.js';

/** How strong and how fresh a login must be. At least one of them. */
export interface StepUpOptions {
  /** How long ago the user may have logged in (`auth_time`), such as `'5m'`; whole seconds. */
  readonly maxAge?: Duration;
  /** One of these must be the token's `acr`. */
  readonly acr?: string | readonly string[];
  /** All of these must be among the token's `amr`, such as `'otp'` (RFC 8176). */
  readonly amr?: string | readonly string[];
}

/**
 * Demands a login that is fresh or strong enough; others get 401 `insufficient_user_authentication`, which tells clients how to
 * log in again (RFC 9470 §3). Stacked, all demands hold. API keys never meet it.
 *
 * @example
 * @StepUp({ maxAge: '5m', acr: 'urn:example:mfa' })
 * @Delete('account')
 */
export const StepUp = (options: StepUpOptions): PolicyDecorator => addPolicyMetadata('stepUp', options);
