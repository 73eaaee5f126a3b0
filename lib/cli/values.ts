import { parseDuration } from '../configuration/units.js';
import { type CliValues, UsageError } from './command.js';

/** The text of an option. */
export function text(values: CliValues, name: string): string | undefined {
  const value = values[name];
  return typeof value === 'string' ? value : undefined;
}

/** The texts of an option that may be repeated; undefined if it was not given. */
export function texts(values: CliValues, name: string): string[] | undefined {
  const value = values[name];
  return Array.isArray(value) ? [...(value as readonly string[])] : undefined;
}

/** A whole number. @throws UsageError */
export function number(values: CliValues, name: string): number | undefined {
  const given = text(values, name);
  if (given === undefined) return undefined;
  if (!/^\d{1,9}$/.test(given)) throw new UsageError(`--${name} takes a whole number`);
  return Number(given);
}

/** Milliseconds of a duration such as `90d`. @throws UsageError */
export function duration(values: CliValues, name: string): number | undefined {
  const given = text(values, name);
  const ms = given === undefined ? undefined : parseDuration(given);
  if (given !== undefined && ms === undefined)
    throw new UsageError(`--${name} takes a duration such as 90d, 12h or 30m`);
  return ms;
}

/** When a key shall expire, from `--expires-in` or `--expires-at`. @throws UsageError */
export function expiry(values: CliValues, now: number): number | undefined {
  const ms = duration(values, 'expires-in');
  const date = text(values, 'expires-at');
  if (ms !== undefined && date !== undefined)
    throw new UsageError('--expires-in and --expires-at exclude each other');
  if (date === undefined) return ms === undefined ? undefined : now + ms;
  const at = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/.test(date)
    ? Date.parse(date)
    : Number.NaN;
  if (Number.isNaN(at)) throw new UsageError('--expires-at takes a date such as 2027-01-31T12:00:00Z');
  return at;
}

/** `--metadata name=value`, as often as wanted. @throws UsageError */
export function metadata(values: CliValues): Record<string, string> | undefined {
  return texts(values, 'metadata')?.reduce<Record<string, string>>((all, pair) => {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new UsageError('--metadata takes name=value');
    return { ...all, [pair.slice(0, equals)]: pair.slice(equals + 1) };
  }, {});
}
