import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { type Duration, parseDuration } from '../configuration/units.js';
import type { RateLimitBy } from './route-policy.js';

type Unit = 'second' | 'minute' | 'hour' | 'day';

/** A limit as people say it: `'100/minute'`, `'5/15m'`. */
export type LimitText = `${number}/${Unit | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`}`;

/** A limit with all that can be said about it. */
export interface LimitObject {
  /** Units in a window, 1 – 1 000 000 000. */
  readonly limit: number;
  /** Milliseconds, or text such as `'1m'`; 100 ms – 31 days. */
  readonly window: Duration;
  /** Shown in `RateLimit-Policy` and in events; letters, digits, `.`, `_` and `-`, up to 64. */
  readonly name?: string;
  /** Units of one request; 1 by default. */
  readonly cost?: number;
  /** Whom to count: the principal (or else the address) by default. */
  readonly by?: RateLimitBy;
  /** Routes whose limits name the same group share one counter. */
  readonly group?: string;
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
const OPTIONS: ReadonlySet<string> = new Set(['limit', 'window', 'name', 'cost', 'by', 'group']);

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
  const { window, ...rest } = object as LimitObject;
  const { limit, name, group, by, cost } = rest;
  const windowMs = parseDuration(window);
  const size = problems.size;
  for (const option of Object.keys(object).filter((key) => !OPTIONS.has(key))) {
    problems.add(
      'rate-limit.unknown-option',
      where,
      `has an unknown option ${JSON.stringify(option.slice(0, 40))}`,
      `use ${[...OPTIONS].join(', ')}`,
    );
  }
  if (!isWhole(limit, MAX_LIMIT)) {
    problems.add(
      'rate-limit.limit',
      where,
      'is no whole limit from 1 to 1 000 000 000',
      "write a limit such as '100/minute'",
    );
  }
  if (windowMs === undefined || windowMs < MIN_WINDOW_MS || windowMs > MAX_WINDOW_MS) {
    problems.add(
      'rate-limit.window',
      where,
      'has no window from 100 ms to 31 days',
      "write a window such as '1m', or '100/minute'",
    );
  }
  if (cost !== undefined && !isWhole(cost, MAX_LIMIT)) {
    problems.add('rate-limit.cost', where, 'has a cost that is no whole number from 1', 'leave it out for 1');
  }
  if (![name, group].every(isName)) {
    problems.add(
      'rate-limit.name',
      where,
      'has a name or group that is no short word',
      'use letters, digits, ".", "_" and "-"',
    );
  }
  if (by !== undefined && by !== 'principal' && by !== 'address' && typeof by !== 'function') {
    problems.add(
      'rate-limit.by',
      where,
      'counts by something unknown',
      "use 'principal', 'address' or a function",
    );
  }
  return windowMs !== undefined && problems.size === size ? { ...rest, windowMs } : undefined;
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
  return value === undefined || (typeof value === 'string' && NAME.test(value));
}
