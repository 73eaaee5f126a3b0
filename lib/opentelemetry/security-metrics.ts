import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { METHODS as HTTP_METHODS } from 'node:http';

import { type Attributes, type MeterProvider, metrics } from '@opentelemetry/api';

import type { SecurityEvent, SecurityEventType } from '../events/security-event.js';
import { SECURITY_EVENTS_CHANNEL } from '../events/security-events.js';
import { type LimitDecisionMessage, RATE_LIMIT_CHANNEL } from '../rate-limit/limit-decisions.js';
import { AttributeValues, OTHER } from './attribute-values.js';
import { createInstruments, type Instruments } from './instruments.js';

/** Options of the metrics. */
export interface SecurityMetricsOptions {
  /** Where measurements go; the process's global provider by default, as it stands when `start()` is called. */
  readonly meterProvider?: MeterProvider;
}

/** What is done with an event of each type. */
type Recorders = {
  readonly [T in SecurityEventType]?: (event: Extract<SecurityEvent, { type: T }>, to: Instruments) => void;
};

const NAME = 'nestjs-api-security';
const METHODS: ReadonlySet<string> = new Set(HTTP_METHODS);

/**
 * Records what the module decides as OpenTelemetry metrics: of this whole process, so one is enough however many applications run in it.
 * Attributes name limits, routes by their template, schemes and reasons; never a caller, an address, a key or anything else of a request.
 *
 * @example
 * const metrics = new SecurityMetrics();
 * metrics.start();
 */
export class SecurityMetrics {
  readonly #limits = new AttributeValues();
  readonly #routes = new AttributeValues();
  readonly #reasons = new AttributeValues();
  #instruments: Instruments | undefined;

  constructor(private readonly options: SecurityMetricsOptions = {}) {}

  /** Begins to record; a second call changes nothing. */
  start(): void {
    if (this.#instruments) return;
    this.#instruments = createInstruments((this.options.meterProvider ?? metrics).getMeter(NAME));
    subscribe(RATE_LIMIT_CHANNEL, this.#onDecision);
    subscribe(SECURITY_EVENTS_CHANNEL, this.#onEvent);
  }

  /** Ends it; what was recorded stays with the provider. */
  stop(): void {
    unsubscribe(RATE_LIMIT_CHANNEL, this.#onDecision);
    unsubscribe(SECURITY_EVENTS_CHANNEL, this.#onEvent);
    this.#instruments = undefined;
  }

  readonly #onDecision = (message: unknown): void => {
    const { allowed, layer, route, limits } = message as LimitDecisionMessage;
    for (const { name, allowed: room, dryRun, cost } of limits) {
      // A limit with room has decided nothing where another one refused: it was not charged.
      if (!allowed && (room || dryRun)) continue;
      const where = this.#limitAt(name, layer, route);
      const decision = room ? 'allowed' : dryRun ? 'dry_run_refused' : 'refused';
      this.#instruments?.decisions.add(1, { ...where, 'security.rate_limit.decision': decision });
      if (room && cost > 0) this.#instruments?.cost.add(cost, where);
    }
  };

  readonly #onEvent = (message: unknown): void => {
    const event = message as SecurityEvent;
    const record = this.#recorders[event.type] as ((one: SecurityEvent, to: Instruments) => void) | undefined;
    if (this.#instruments) record?.(event, this.#instruments);
  };

  /** Events that are measured. */
  readonly #recorders: Recorders = {
    'authentication.succeeded': ({ route, scheme }, { authentications }) =>
      authentications.add(1, {
        ...this.#routeOf(route),
        'security.scheme': scheme,
        'security.outcome': 'success',
      }),
    'authentication.failed': ({ route, scheme, reason }, { authentications }) =>
      authentications.add(1, {
        ...this.#reasonOf(reason, route),
        'security.scheme': scheme,
        'security.outcome': 'failure',
      }),
    'authorization.denied': ({ route, reason }, { denials }) => denials.add(1, this.#reasonOf(reason, route)),
    'rate-limit.exceeded': ({ limit, layer, route }, { decisions }) => {
      // The other layers are in the decisions already.
      if (layer !== 'authentication') return;
      decisions.add(1, {
        ...this.#limitAt(limit, layer, route),
        'security.rate_limit.decision': 'refused',
      });
    },
    'rate-limit.store-failed': (_, { storeFailures }) => storeFailures.add(1),
    'rate-limit.store-recovered': ({ afterMs }, { storeOutage }) => storeOutage.record(afterMs / 1_000),
    'load.shedding': ({ refused }, { loadShed }) => loadShed.add(refused),
    'validation.rejected': ({ route, code }, { validations }) =>
      validations.add(1, this.#reasonOf(code, route)),
    'request.malformed': ({ route, reason }, { malformed }) =>
      malformed.add(1, this.#reasonOf(reason, route)),
    'transport.rejected': ({ route, reason }, { malformed }) =>
      malformed.add(1, this.#reasonOf(reason, route)),
  };

  #reasonOf(reason: string, route: string | undefined): Attributes {
    return { ...this.#routeOf(route), 'security.reason': this.#reasons.of(reason) };
  }

  #limitAt(limit: string, layer: string, route: string | undefined): Attributes {
    return {
      ...this.#routeOf(route),
      'security.rate_limit.name': this.#limits.of(limit),
      'security.rate_limit.layer': layer,
    };
  }

  /** `GET /users/:id` as OpenTelemetry names its parts, `Query.orders` and `WS /chat say` by a name of ours; nothing where neither was known. */
  #routeOf(route: string | undefined): Attributes {
    if (route === undefined) return {};
    const known = this.#routes.of(route);
    const space = known.indexOf(' ');
    const method = known.slice(0, Math.max(0, space));
    const path = known.slice(space + 1);
    if (METHODS.has(method)) return { 'http.request.method': method, 'http.route': path };
    return method === 'ALL' || known === OTHER ? { 'http.route': path } : { 'security.operation': known };
  }
}
