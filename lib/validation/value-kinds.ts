/** What a property or parameter holds, as far as decorators and emitted types tell. */
export type ValueKind = 'string' | 'number' | 'boolean' | 'date' | 'any';

/** The kind of a constructor that stands for a primitive, or `undefined`. */
export function kindOfConstructor(type: unknown): ValueKind | undefined {
  switch (type) {
    case String:
      return 'string';
    case Number:
      return 'number';
    case Boolean:
      return 'boolean';
    case Date:
      return 'date';
    default:
      return undefined;
  }
}

/** The rule that a value of the wrong kind breaks, and how the rest of the message reads. */
export const KIND_RULES: Readonly<
  Record<Exclude<ValueKind, 'any'> | 'integer', readonly [rule: string, text: string]>
> = {
  string: ['isString', 'must be a string'],
  number: ['isNumber', 'must be a number'],
  integer: ['isInt', 'must be an integer number'],
  boolean: ['isBoolean', 'must be true or false'],
  date: ['isDate', 'must be an RFC 3339 date'],
};

/** Whether a JSON value is of a kind as it stands, with nothing converted (R-IV-12). */
export function isOfKind(value: unknown, kind: ValueKind): boolean {
  if (kind === 'any') return true;
  // `1e400` in JSON text is infinity by now.
  if (kind === 'number') return typeof value === 'number' && Number.isFinite(value);
  if (kind === 'date') return dateOf(value) !== undefined;
  return typeof value === kind;
}

/** A date from its text, or one that a GraphQL scalar has made of it already; JSON holds none. */
export function dateOf(value: unknown): Date | undefined {
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : value;
  return typeof value === 'string' ? parseDate(value) : undefined;
}

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const DECIMAL = /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/;
/** No number that a double holds exactly needs more. */
const NUMBER_LENGTH = 32;

/** A number from text, written as JSON writes it but without an exponent; `-0` is 0; no whole number beyond 2^53−1. */
function parseNumber(text: string, integer: boolean): number | undefined {
  if (text.length > NUMBER_LENGTH || !(integer ? INTEGER : DECIMAL).test(text)) return undefined;
  const value = Number(text);
  if (!Number.isFinite(value) || Math.abs(value) > Number.MAX_SAFE_INTEGER) return undefined;
  return value === 0 ? 0 : value;
}

/** `true` or `false`, and nothing else. */
function parseBoolean(text: string): boolean | undefined {
  if (text === 'true') return true;
  return text === 'false' ? false : undefined;
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?(?:Z|[+-](\d{2}):(\d{2})))?$/;
const DATE_LENGTH = 40;

/** A `full-date` (midnight UTC) or `date-time` of RFC 3339 §5.6, checked against the calendar; no leap seconds. */
export function parseDate(text: string): Date | undefined {
  if (text.length > DATE_LENGTH) return undefined;
  const match = DATE.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second, offsetHour, offsetMinute] = match
    .slice(1)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  if (month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month)) return undefined;
  return new Date(text);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Converts a query or path value to a kind, exactly; `undefined` if it is not written as the kind demands. */
export function parseText(text: string, kind: ValueKind, integer: boolean): unknown {
  if (kind === 'number') return parseNumber(text, integer);
  if (kind === 'boolean') return parseBoolean(text);
  return kind === 'date' ? parseDate(text) : text;
}

/** The values of a TypeScript enum; the names that a numeric one also maps back from are no members (R-IV-14). */
export function enumMembers(type: object): ReadonlySet<unknown> {
  const entries = Object.entries(type);
  return new Set(entries.filter(([name]) => !isReverseName(name, type)).map(([, value]) => value as unknown));
}

/** The kind that all members share, or `any`. */
export function kindOfMembers(members: ReadonlySet<unknown>): ValueKind {
  const types = new Set([...members].map((member) => typeof member));
  if (types.size !== 1) return 'any';
  const [type] = types;
  return type === 'string' || type === 'number' ? type : 'any';
}

/** `Role[0] === 'Admin'` beside `Role.Admin === 0`. */
function isReverseName(name: string, type: object): boolean {
  const values = type as Readonly<Record<string, unknown>>;
  const target = values[name];
  return typeof target === 'string' && String(Number(name)) === name && values[target] === Number(name);
}
