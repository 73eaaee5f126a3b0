import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../configuration/units.js';

/** When the process refuses work because it has more than it can do (R-RL-23). */
export interface LoadOptions {
  /**
   * How late the event loop may run, as the median of half a second; 20 ms – 10 s. Beyond it a growing part of the requests is answered with 503
   * and `Retry-After` until it keeps up again.
   */
  readonly maxEventLoopDelay: Duration;
  /** Paths that are answered all the same, such as `/health`: whole paths, as they stand in the URL before the query. */
  readonly exempt?: readonly string[];
}

/** Options that have been checked. */
export interface LoadSettings {
  readonly maxDelayMs: number;
  readonly exempt: ReadonlySet<string>;
}

const NAMES: ReadonlySet<string> = new Set(['maxEventLoopDelay', 'exempt'] satisfies (keyof LoadOptions)[]);

/** Checks the options (R-CF-01); without any nothing is shed. */
export function compileLoadOptions(
  options: LoadOptions | undefined,
  problems: ConfigurationProblems,
): LoadSettings | undefined {
  if (options === undefined) return undefined;
  for (const name of Object.keys(options).filter((one) => !NAMES.has(one)))
    problems.add('load.unknown', `load.${name}`, 'is not an option', `use one of ${[...NAMES].join(', ')}`);
  const maxDelayMs = parseDuration(options.maxEventLoopDelay) ?? 0;
  if (maxDelayMs < 20 || maxDelayMs > 10_000) {
    problems.add(
      'load.max-event-loop-delay',
      'load.maxEventLoopDelay',
      'is no time from 20 ms to 10 s',
      "write '200ms'",
    );
  }
  const exempt: unknown = options.exempt ?? [];
  const arePaths =
    Array.isArray(exempt) && exempt.every((path) => typeof path === 'string' && /^\/[^?#\s]*$/.test(path));
  if (!arePaths) {
    problems.add(
      'load.exempt',
      'load.exempt',
      'holds something that is no path',
      "write paths such as '/health'",
    );
    return undefined;
  }
  return { maxDelayMs, exempt: new Set(exempt as string[]) };
}
