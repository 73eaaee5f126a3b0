const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d))?$/;
const NUMBER = /^-?(?:0|[1-9]\d{0,15})(?:\.\d{1,17})?$/;
const INTEGER = /^-?(?:0|[1-9]\d{0,15})$/;

/** Whether a text is an RFC 3339 date, or date and time, of the real calendar (R-IV-15). */
export function isRfc3339(text: string): boolean {
  const match = text.length <= 40 ? RFC3339.exec(text) : null;
  if (!match) return false;
  const [year, month, day, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year!, month! - 1, day));
  date.setUTCFullYear(year!);
  return (
    date.getUTCMonth() === month! - 1 &&
    date.getUTCDate() === day &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 60
  );
}

/** The number that a text spells exactly, or undefined: no exponent, sign, blank or leading zero (R-IV-12). */
export function exactNumber(text: string, integer: boolean): number | undefined {
  if (!(integer ? INTEGER : NUMBER).test(text)) return undefined;
  const value = Number(text);
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : value;
}

/** `true` or `false`, spelled just so; otherwise undefined. */
export function exactBoolean(text: string): boolean | undefined {
  if (text === 'true') return true;
  return text === 'false' ? false : undefined;
}
