import { channel } from 'node:diagnostics_channel';

import type { RequestState } from '../http/request-state.js';
import type { RateLimitRule } from '../policy/route-policy.js';
import type { LimitCharge, LimitDecision } from './rate-limit-storage.js';

/** Name of the `node:diagnostics_channel` on which every decision about limits is published, allowed ones too. */
export const RATE_LIMIT_CHANNEL = 'nestjs-api-security:rate-limit';

/** Where in a request a limit is counted. */
export type LimitLayer = 'address' | 'authentication' | 'principal';

/** One decision about all limits of a request in one layer; for metrics. Holds nothing that identifies anybody. */
export interface LimitDecisionMessage {
  readonly allowed: boolean;
  readonly layer: LimitLayer;
  /** `GET /users/:id`; undefined where no route was known. */
  readonly route: string | undefined;
  readonly limits: readonly {
    readonly name: string;
    readonly allowed: boolean;
    readonly dryRun: boolean;
    readonly cost: number;
    readonly limit: number;
    readonly remaining: number;
  }[];
}

/** Publishes decisions; costs one look at a flag while nobody listens. */
export class LimitDecisions {
  readonly #channel = channel(RATE_LIMIT_CHANNEL);

  get observed(): boolean {
    return this.#channel.hasSubscribers;
  }

  publish(
    state: RequestState,
    rules: readonly RateLimitRule[],
    charges: readonly LimitCharge[],
    { allowed, states }: LimitDecision,
    layer: LimitLayer,
  ): void {
    const limits = rules.map(({ name, meter }, index) => ({
      name,
      allowed: states[index]!.allowed,
      dryRun: meter.dryRun,
      cost: charges[index]!.cost,
      limit: meter.limit,
      remaining: states[index]!.remaining,
    }));
    const message: LimitDecisionMessage = { allowed, layer, route: state.policy?.id, limits };
    this.#channel.publish(message);
  }
}
