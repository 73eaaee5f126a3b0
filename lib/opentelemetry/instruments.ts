import type { Meter } from '@opentelemetry/api';

/** Everything that is recorded. docs/metrics.md lists it with its attributes. */
export type Instruments = ReturnType<typeof createInstruments>;

/** Makes the instruments, named as OpenTelemetry names its own. */
export function createInstruments(meter: Meter) {
  const counter = (name: string, unit: string, description: string) =>
    meter.createCounter(`security.${name}`, { unit, description });
  return {
    decisions: counter('rate_limit.decisions', '{decision}', 'Decisions of each limit'),
    cost: counter('rate_limit.cost', '{unit}', 'Units that requests have taken of each limit'),
    storeFailures: counter(
      'rate_limit.store.failures',
      '{failure}',
      'Failures of the storage of counters that were reported',
    ),
    storeOutage: meter.createHistogram('security.rate_limit.store.outage.duration', {
      unit: 's',
      description: 'How long the storage of counters did not answer, once it does again',
      advice: { explicitBucketBoundaries: [0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 1_800] },
    }),
    loadShed: counter(
      'load_shedding.requests',
      '{request}',
      'Requests that were answered 503 because the process was busy',
    ),
    authentications: counter(
      'authentication.attempts',
      '{attempt}',
      'Credentials that were looked at, and requests that lacked one',
    ),
    denials: counter(
      'authorization.denials',
      '{denial}',
      'Authenticated requests without the rights that they needed',
    ),
    validations: counter('validation.refusals', '{request}', 'Requests whose content was refused'),
    malformed: counter(
      'request.refusals',
      '{request}',
      'Requests that were refused for their form or transport',
    ),
  };
}
