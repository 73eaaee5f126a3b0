import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../configuration/units.js';
import type { LimitAlgorithm, StoreFailurePolicy } from './limit-meter.js';
import type { RateLimitBy, RateLimitCost, RateLimitKey } from './route-policy.js';

type Unit = 'second' | 'minute' | 'hour' | 'day';

/** A limit as people say it: `'100/minute'`, `'5/15m'`. */
export type LimitText = `${number}/${Unit | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`}`;

/** A limit with all that can be said about it. */
export interface LimitObject {
  /** Units in a window, 1 – 1 000 000 000. */
  readonly limit: number;
  /** Milliseconds, or text such as `'1m'`; 100 ms – 31 days. Of a `concurrency` limit, the longest that a request holds its place; `'5m'`. */
  readonly window?: Duration;
  /**
   * `sliding-window` (default): never more than `limit` in any window; `token-bucket`: evenly, with `burst` at once; `fixed-window`: as the
   * throttler counts; `concurrency`: requests in flight.
   */
  readonly algorithm?: LimitAlgorithm;
  /** Most units at once of a `token-bucket`; the limit by default. In one window up to `burst` and `limit` together may pass. */
  readonly burst?: number;
  /** Shown in `RateLimit-Policy` and in events; letters, digits, `.`, `_` and `-`, up to 64. */
  readonly name?: string;
  /** Units of one request; 1 by default. A function computes them after the body was read. */
  readonly cost?: RateLimitCost;
  /** Whom to count: the principal (or else the address) by default. */
  readonly by?: RateLimitBy;
  /** Routes whose limits name the same group share one counter. */
  readonly group?: string;
  /** `failures` counts only requests that end in 400 or more, `successes` only the others: the rest give back what they took. */
  readonly countOnly?: 'failures' | 'successes';
  /** Counts and reports what it would refuse, and refuses nothing. */
  readonly dryRun?: boolean;
  /** `lease` lets a node take units in advance from a shared storage that can, such as Redis; `exact` by default. */
  readonly mode?: 'exact' | 'lease';
  /** When the shared storage fails: see `rateLimit.onStoreFailure`, which it overrides. */
  readonly onStoreFailure?: StoreFailurePolicy;
}

/** What every place that takes a limit understands. */
export type LimitSpec = LimitText | LimitObject;

/** A limit whose numbers have been checked. */
export interface CompiledLimit extends Omit<LimitObject, 'window'> {
  readonly windowMs: number;
}

/** Most units in one window. */
export const MAX_LIMIT = 1_000_000_000;
/** Shortest and longest window. */
export const MIN_WINDOW_MS = 100;
export const MAX_WINDOW_MS = 31 * 86_400_000;

const UNITS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const NAME = /^[\w.-]{1,64}$/;
const KEYS: ReadonlySet<unknown> = new Set([
  'principal',
  'api-key',
  'tenant',
  'address',
] satisfies RateLimitKey[]);
const MAX_KEYS = 4;
const DEFAULT_HOLD = '5m';

/** What an option of a limit must be; `window` and what hangs together is checked by itself. */
const CHECKS: Readonly<
  Record<
    Exclude<keyof LimitObject, 'window'>,
    [code: string, problem: string, fix: string, fits: (value: unknown) => boolean]
  >
> = {
  limit: [
    'rate-limit.limit',
    'is no whole limit from 1 to 1 000 000 000',
    "write a limit such as '100/minute'",
    (value) => isWhole(value, MAX_LIMIT),
  ],
  algorithm: [
    'rate-limit.algorithm',
    'has an unknown algorithm',
    'use sliding-window, token-bucket, fixed-window or concurrency',
    oneOf<LimitAlgorithm>('sliding-window', 'token-bucket', 'fixed-window', 'concurrency'),
  ],
  burst: [
    'rate-limit.burst',
    'has a burst that is no whole number from 1 to 1 000 000 000',
    'leave it out for the limit itself',
    (value) => isWhole(value, MAX_LIMIT),
  ],
  cost: [
    'rate-limit.cost',
    'has a cost that is no whole number from 1',
    'leave it out for 1',
    (value) => typeof value === 'function' || isWhole(value, MAX_LIMIT),
  ],
  name: [
    'rate-limit.name',
    'has a name that is no short word',
    'use letters, digits, ".", "_" and "-"',
    isName,
  ],
  group: [
    'rate-limit.name',
    'has a group that is no short word',
    'use letters, digits, ".", "_" and "-"',
    isName,
  ],
  by: [
    'rate-limit.by',
    'counts by something unknown',
    "use 'principal', 'api-key', 'tenant', 'address', a function, or up to four of them in a list",
    isBy,
  ],
  countOnly: [
    'rate-limit.count-only',
    'counts only something unknown',
    "use 'failures' or 'successes'",
    oneOf('failures', 'successes'),
  ],
  dryRun: [
    'rate-limit.dry-run',
    'has a dryRun that is not true or false',
    'use true to try a limit out',
    oneOf(true, false),
  ],
  mode: ['rate-limit.mode', 'has an unknown mode', "use 'exact' or 'lease'", oneOf('exact', 'lease')],
  onStoreFailure: [
    'rate-limit.on-store-failure',
    'has an unknown policy for failures',
    "use 'local', 'open' or 'closed'",
    oneOf<StoreFailurePolicy>('local', 'open', 'closed'),
  ],
};

/** So that a limit without its number is told so. */
const ABSENT: Partial<Record<keyof LimitObject, unknown>> = { limit: undefined };

/** Checks one limit; problems are reported under `where`, and then there is no result. */
export function compileLimit(
  spec: LimitSpec,
  where: string,
  problems: ConfigurationProblems,
): CompiledLimit | undefined {
  const object: unknown = typeof spec === 'string' ? fromText(spec) : spec;
  if (typeof object !== 'object' || object === null || Array.isArray(object)) {
    problems.add('rate-limit.spec', where, 'is no limit', "write '100/minute' or { limit, window }");
    return undefined;
  }
  const size = problems.size;
  const given = object as LimitObject;
  const { window = given.algorithm === 'concurrency' ? DEFAULT_HOLD : undefined, ...rest } = given;
  for (const [option, value] of Object.entries({ ...ABSENT, ...rest })) {
    const check = Object.hasOwn(CHECKS, option) ? CHECKS[option as keyof typeof CHECKS] : undefined;
    if (check === undefined) {
      problems.add(
        'rate-limit.unknown-option',
        where,
        `has an unknown option ${JSON.stringify(option.slice(0, 40))}`,
        `use window, ${Object.keys(CHECKS).join(', ')}`,
      );
    } else if (!check[3](value) && (value !== undefined || option === 'limit'))
      problems.add(check[0], where, check[1], check[2]);
  }
  const windowMs = parseDuration(window);
  if (windowMs === undefined || windowMs < MIN_WINDOW_MS || windowMs > MAX_WINDOW_MS) {
    problems.add(
      'rate-limit.window',
      where,
      'has no window from 100 ms to 31 days',
      "write a window such as '1m', or '100/minute'",
    );
  }
  for (const problem of contradictionsIn(given))
    problems.add('rate-limit.contradiction', where, problem, 'keep one of the two');
  return windowMs !== undefined && problems.size === size ? { ...rest, windowMs } : undefined;
}

function contradictionsIn({ algorithm, burst, countOnly, mode, dryRun }: LimitObject): string[] {
  const found: string[] = [];
  if (burst !== undefined && algorithm !== 'token-bucket')
    found.push('has a burst, which only a token-bucket has');
  if (mode === 'lease' && algorithm !== undefined && algorithm !== 'sliding-window')
    found.push(`leases units of a ${algorithm}, where only a sliding window can be leased`);
  if (mode === 'lease' && countOnly !== undefined)
    found.push('leases units and gives back those of some outcomes: what was handed out is not taken back');
  if (mode === 'lease' && dryRun === true) found.push('leases units for a dry run');
  if (algorithm === 'concurrency' && countOnly !== undefined)
    found.push('counts outcomes of requests in flight, which have none yet');
  return found;
}

function isBy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length >= 1 && value.length <= MAX_KEYS && value.every(isKey);
  return isKey(value);
}

function isKey(value: unknown): boolean {
  return typeof value === 'function' || KEYS.has(value);
}

function oneOf<T>(...values: readonly T[]): (value: unknown) => boolean {
  return (value) => values.includes(value as T);
}

function fromText(text: string): LimitObject {
  const slash = text.indexOf('/');
  const limit = /^\d{1,10}$/.test(text.slice(0, slash)) ? Number(text.slice(0, slash)) : Number.NaN;
  const unit = text.slice(slash + 1);
  return { limit, window: (Object.hasOwn(UNITS, unit) ? UNITS[unit] : unit) as Duration };
}

function isWhole(value: unknown, most: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most;
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && NAME.test(value);
}
