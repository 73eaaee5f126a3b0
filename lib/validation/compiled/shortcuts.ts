/** Says yes only where class-validator's function says yes, without asking it. A no says nothing. */
export type Shortcut = (value: unknown, constraints: readonly unknown[]) => boolean;

/** By the name under which class-validator reports a rule: what spares most calls of its function. */
export const SHORTCUTS: Readonly<Record<string, Shortcut>> = Object.freeze({
  arrayMaxSize: (value, constraints) => Array.isArray(value) && isAtMost(value.length, constraints[0]),
  arrayMinSize: (value, constraints) => Array.isArray(value) && isAtLeast(value.length, constraints[0]),
  isEmail: (value, constraints) => constraints[0] === undefined && isPlainEmail(value),
  isEnum: (value, constraints) => isMember(value, constraints[0]),
  isIn: (value, constraints) => Array.isArray(constraints[0]) && constraints[0].indexOf(value) >= 0,
  isNumber: (value, constraints) => Number.isFinite(value) && hasAnyPlaces(constraints[0]),
  isUuid: (value, constraints) => typeof value === 'string' && isPlainUuid(value, constraints[0]),
  isIso8601: (value, constraints) => constraints[0] === undefined && isPlainDateTime(value),
  isLength: (value, constraints) => isSurelyLong(value, constraints[0], constraints[1]),
  minLength: (value, constraints) => isSurelyLong(value, constraints[0], undefined),
  maxLength: (value, constraints) => isSurelyLong(value, 0, constraints[0]),
  min: (value, constraints) => isAtLeast(value, constraints[0]),
  max: (value, constraints) => isAtMost(value, constraints[0]),
} satisfies Record<string, Shortcut>);

function isAtLeast(value: unknown, min: unknown): boolean {
  return typeof value === 'number' && typeof min === 'number' && value >= min;
}

function isAtMost(value: unknown, max: unknown): boolean {
  return typeof value === 'number' && typeof max === 'number' && value <= max;
}

/** class-validator makes a list of the members each time. */
function isMember(value: unknown, type: unknown): boolean {
  if (typeof type !== 'object' || type === null) return false;
  for (const name in type)
    if ((type as Readonly<Record<string, unknown>>)[name] === value && Object.hasOwn(type, name)) return true;
  return false;
}

/** Whether `@IsNumber()` leaves the number of decimal places open. */
function hasAnyPlaces(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return options === undefined;
  return (options as { readonly maxDecimalPlaces?: unknown }).maxDecimalPlaces === undefined;
}

const EMAIL = /^[a-z0-9_+-]+(?:\.[a-z0-9_+-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}$/i;
/** No part of so short an address is too long. */
const EMAIL_LENGTH = 63;

function isPlainEmail(value: unknown): boolean {
  return typeof value === 'string' && value.length <= EMAIL_LENGTH && EMAIL.test(value);
}

const ANY_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const RANDOM_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;

function isPlainUuid(value: string, version: unknown): boolean {
  if (version === undefined || version === 'all') return ANY_UUID.test(value);
  return (version === 4 || version === '4') && RANDOM_UUID.test(value);
}

const DATE_TIME =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

function isPlainDateTime(value: unknown): boolean {
  return typeof value === 'string' && DATE_TIME.test(value);
}

/** From here on are the halves of surrogate pairs and the variation selectors, which count for less than their `length`. */
const FIRST_SHORTENING = 0xd800;

/** `min` and `max` as validator.js takes them. It counts no more than `length`, and every letter before the shortening ones. */
function isSurelyLong(value: unknown, min: unknown, max: unknown): boolean {
  if (typeof value !== 'string' || typeof min !== 'number' || !(value.length >= min)) return false;
  if (max !== undefined && !(typeof max === 'number' && value.length <= max)) return false;
  for (let i = 0; i < min; i++) if (value.charCodeAt(i) >= FIRST_SHORTENING) return false;
  return true;
}
