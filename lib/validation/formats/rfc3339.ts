import { parseDate } from '../value-kinds.js';
import { type RuleOptions, textRule } from './format-rule.js';

const DATE_LENGTH = 10;
const TIME_LENGTH = 32;

/**
 * Whether a text is a `date-time` of RFC 3339 §5.6: four digits for the year, capital `T` and `Z`, an offset, up to nine digits
 * of a second's fraction, checked against the calendar. Leap seconds are refused, because `Date` has none (R-IV-15).
 *
 * @example
 * isRfc3339('2026-02-28T10:00:00Z'); // true
 * isRfc3339('2026-02-30T10:00:00Z'); // false: class-validator's IsRFC3339 takes it
 */
export function isRfc3339(text: string): boolean {
  return text.length > DATE_LENGTH && parseDate(text) !== undefined;
}

/** Whether a text is a `full-date` of RFC 3339 §5.6, such as `2026-02-28`, that the calendar has (R-IV-15). */
export function isFullDate(text: string): boolean {
  return text.length === DATE_LENGTH && parseDate(text) !== undefined;
}

/** Whether a text is a `full-time` of RFC 3339 §5.6, such as `10:00:00Z` or `10:00:00.5+02:00` (R-IV-15). */
export function isFullTime(text: string): boolean {
  return text.length <= TIME_LENGTH && text !== '' && parseDate(`2000-01-01T${text}`) !== undefined;
}

/**
 * The text is a date and time of RFC 3339: see {@link isRfc3339}.
 *
 * @example
 * @IsRfc3339()
 * startsAt!: string;
 */
export function IsRfc3339(options?: RuleOptions): PropertyDecorator {
  return textRule('isRfc3339', isRfc3339, 'must be an RFC 3339 date and time', options);
}

/** The text is a date that the calendar has: see {@link isFullDate}. */
export function IsFullDate(options?: RuleOptions): PropertyDecorator {
  return textRule('isFullDate', isFullDate, 'must be a date as 2026-12-31', options);
}

/** The text is a time of day with its offset: see {@link isFullTime}. */
export function IsFullTime(options?: RuleOptions): PropertyDecorator {
  return textRule('isFullTime', isFullTime, 'must be an RFC 3339 time with an offset', options);
}
