import { Injectable } from '@nestjs/common';

import type { RoutePolicy } from './route-policy.js';

type Controller = abstract new (...args: never[]) => unknown;
type Handler = (...args: never[]) => unknown;

/** A handler and its policy, as the registry keeps them. */
export interface PolicyEntry {
  readonly controller: Controller;
  readonly handler: Handler;
  readonly policy: RoutePolicy;
}

/** All route policies of the application, for reports and tests; filled once at boot, read only afterwards. */
@Injectable()
export class PolicyRegistry {
  readonly #byHandler = new WeakMap<Controller, Map<Handler, RoutePolicy>>();
  #policies: readonly RoutePolicy[] = Object.freeze([]);

  /** Every policy, in the order of the routes. */
  get policies(): readonly RoutePolicy[] {
    return this.#policies;
  }

  /**
   * The policy of the handler that the router matched, in O(1).
   * The same inherited method serves two controllers with a policy each, so both are the key.
   */
  find(controller: Controller, handler: Handler): RoutePolicy | undefined {
    const handlers = this.#byHandler.get(controller);
    return handlers?.get(handler) ?? handlers?.get(unwrapped(controller, handler)!);
  }

  /** @internal Called once, by the boot. */
  fill(entries: readonly PolicyEntry[]): void {
    for (const { controller, handler, policy } of entries) {
      const handlers = this.#byHandler.get(controller) ?? new Map<Handler, RoutePolicy>();
      handlers.set(handler, policy);
      this.#byHandler.set(controller, handlers);
    }
    this.#policies = Object.freeze(entries.map(({ policy }) => policy));
  }
}

// Instrumentation (`instrument.instanceDecorator`) hands guards a wrapper: its name leads back to the decorated method.
function unwrapped(controller: Controller, handler: Handler): Handler | undefined {
  const prototype = controller.prototype as Record<string, unknown>;
  const original = prototype[handler.name];
  return typeof original === 'function' ? (original as Handler) : undefined;
}
