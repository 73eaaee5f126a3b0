import { isRawOptions, OptionChecks } from './option-checks.js';
import type { KeyRefresh } from './remote-key-source.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** Checks and completes when an issuer's keys are fetched. */
export function readKeyRefresh({ options, prefix, where, problems }: OptionChecks): KeyRefresh {
  const given = options['keyRefresh'];
  const path = `${where}.keyRefresh`;
  const checks = new OptionChecks(isRawOptions(given) ? given : {}, `${prefix}.keyRefresh`, path, problems);
  if (given !== undefined && !isRawOptions(given)) {
    problems.add(
      `${prefix}.keyRefresh.type`,
      path,
      'is no object',
      'give { maxAge, maxStale, cooldown, timeout }',
    );
  }
  checks.onlyKnown(['maxAge', 'maxStale', 'cooldown', 'timeout']);
  const maxAge = checks.duration('maxAge', 10 * MINUTE, MINUTE, 24 * HOUR, '1m to 24h');
  return {
    maxAge,
    maxStale: checks.duration('maxStale', Math.max(HOUR, maxAge), maxAge, 24 * HOUR, 'maxAge to 24h'),
    cooldown: checks.duration('cooldown', 30 * SECOND, SECOND, HOUR, '1s to 1h'),
    timeout: checks.duration('timeout', 3 * SECOND, 100, 10 * SECOND, '100ms to 10s'),
  };
}
