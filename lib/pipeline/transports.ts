import type { ExecutionContext } from '@nestjs/common';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { SecurityError } from '../errors/security-error.js';
import type { PolicyParts } from '../policy/policy-compiler.js';
import type { PolicyEntry } from '../policy/policy-registry.js';
import type { RoutePolicy } from '../policy/route-policy.js';
import { allRules } from '../rate-limit/rule-order.js';

/** A way into the application beside HTTP routes: GraphQL, WebSockets. */
export interface SecuredTransport {
  /** As `ExecutionContext.getType()` names it. */
  readonly type: string;
  /** Decides about one call of a handler; the one guard asks. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean>;
  /** Compiles its handlers into policies, once all modules are up; contradictions are collected, not thrown. */
  compile(parts: PolicyParts, problems: ConfigurationProblems): readonly PolicyEntry[];
}

/** Limits whose functions look at a route's own context say nothing of other calls: better told at boot than silently off. */
export function refuseComputedLimits(
  { id, handler, rateLimit }: RoutePolicy,
  problems: ConfigurationProblems,
): void {
  if (rateLimit.read.computed === undefined && rateLimit.write.computed === undefined) return;
  problems.add(
    'policy.rate-limit.computed',
    `${id} (${handler})`,
    "has limits by functions of the throttler, which look at a route's request",
    'write its limit with @RateLimit(), or lift them with @SkipRateLimit()',
  );
}

/** Only the response of a route has a status that tells an outcome: a limit of failures alone would be silently off. */
export function refuseOutcomes(
  { id, handler, rateLimit }: RoutePolicy,
  code: string,
  problems: ConfigurationProblems,
): void {
  const rules = [rateLimit.read, rateLimit.write].flatMap(allRules);
  if (rules.every(({ countOnly }) => countOnly === undefined)) return;
  problems.add(
    code,
    `${id} (${handler})`,
    'counts outcomes, which only the status of a route tells',
    'leave countOnly out',
  );
}

/** The transports that an application has configured. A call of any other kind is refused. */
export class Transports {
  readonly #byType = new Map<string, SecuredTransport>();

  /** Before the policies are compiled. */
  add(transport: SecuredTransport): void {
    this.#byType.set(transport.type, transport);
  }

  /** @throws SecurityError `FORBIDDEN` where nothing protects this kind of call */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const transport = this.#byType.get(context.getType<string>());
    if (!transport) {
      throw new SecurityError('FORBIDDEN', 'This transport is not protected', {
        reason: 'transport.unsupported',
      });
    }
    return transport.canActivate(context);
  }

  /** The policies of all of them. */
  compile(parts: PolicyParts, problems: ConfigurationProblems): PolicyEntry[] {
    return [...this.#byType.values()].flatMap((transport) => transport.compile(parts, problems));
  }
}
