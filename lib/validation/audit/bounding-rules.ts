import type { Rule } from '../property-shape.js';
import { isBoundedPattern } from './bounded-pattern.js';

/** Rules that only values of some length, or of some set, keep. */
const BOUNDING: ReadonlySet<string> = new Set([
  // class-validator
  'equals',
  'isIn',
  'isEnum',
  'isBoolean',
  'isDate',
  'isInstance',
  'isBooleanString',
  'isUuid',
  'isMongoId',
  'isIp',
  'isMacAddress',
  'isPort',
  'isPortRange',
  'isCreditCard',
  'isMobilePhone',
  'isPhoneNumber',
  'isPostalCode',
  'isPassportNumber',
  'isIdentityCard',
  'isTaxId',
  'isHexColor',
  'isRgbColor',
  'isHSL',
  'isHash',
  'isISO31661Alpha2',
  'isISO31661Alpha3',
  'isISO31661Numeric',
  'isISO4217CurrencyCode',
  'isISO6391',
  'isISRC',
  'isISSN',
  'isIsbn',
  'isIsin',
  'isEAN',
  'isIBAN',
  'isBIC',
  'isMilitaryTime',
  'isTimeZone',
  'isLatitude',
  'isLongitude',
  'isLatLong',
  'isLocale',
  'isEthereumAddress',
  'isBtcAddress',
  'IsFirebasePushId',
  'isFirebasePushId',
  'isEmpty',
  // ours
  'isBigInt',
  'csvList',
  'isSort',
  'isStrictUrl',
  'safeUrl',
  'isRfc3339',
  'isFullDate',
  'isFullTime',
  'isHostname',
  'isIpAddress',
  'isCidr',
  'isEmailAddress',
  'isStrictUuid',
  'isE164',
  'isBase64Url',
  'isDecimalString',
  'isBigIntString',
  'isLanguageTag',
  'isCurrencyCode',
  'identifier',
  'plainText',
  'sanitizeHtml',
]);

/** Whether a rule keeps text short. */
export function boundsText({ name, type, constraints = [] }: Rule): boolean {
  const [first, second] = constraints;
  switch (name ?? type) {
    case 'maxLength':
      return typeof first === 'number';
    case 'isLength':
    case 'isByteLength':
      return typeof second === 'number';
    case 'matches':
      return first instanceof RegExp && isBoundedPattern(first);
    case 'isEmail':
      return !hasOption(first, 'ignore_max_length', true);
    case 'isUrl':
      return !hasOption(first, 'validate_length', false);
    default:
      return BOUNDING.has(name ?? type);
  }
}

const LEAST: ReadonlySet<string> = new Set(['min', 'isPositive']);
const MOST: ReadonlySet<string> = new Set(['max', 'isNegative']);

/** Whether rules together keep a number from being too small and too large. */
export function boundNumber(rules: readonly Rule[]): boolean {
  const names = rules.map(({ name, type }) => name ?? type);
  if (names.some((name) => BOUNDING.has(name))) return true;
  return names.some((name) => LEAST.has(name)) && names.some((name) => MOST.has(name));
}

/** Rules that almost any value keeps. */
const LOOSE: ReadonlySet<string> = new Set([
  'isDefined',
  'isOptional',
  'isNotEmpty',
  'isNotEmptyObject',
  'isObject',
  'isArray',
  'whitelistValidation',
  'conditionalValidation',
  'customValidation',
  'notEquals',
  'isNotIn',
  'arrayMinSize',
  'arrayMaxSize',
  'arrayNotEmpty',
  'arrayUnique',
  'arrayContains',
  'arrayNotContains',
  'promiseValidation',
]);

/** Whether a rule says what a value is. */
export function saysWhatItIs({ name, type }: Rule): boolean {
  return !LOOSE.has(name ?? type);
}

function hasOption(options: unknown, name: string, value: boolean): boolean {
  return (
    typeof options === 'object' && options !== null && (options as Record<string, unknown>)[name] === value
  );
}
