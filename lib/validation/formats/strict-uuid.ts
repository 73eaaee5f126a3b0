import { type RuleOptions, textRule } from './format-rule.js';

const LENGTH = 36;
/** RFC 9562 §4: version 1 to 8, variant `10`; letters of either case (§4: "case insensitive on input"). */
const UUID = /^[\da-f]{8}-[\da-f]{4}-([1-8])[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/i;

/** Which UUIDs are meant. */
export interface StrictUuidOptions {
  /** 1 to 8 by default. */
  readonly versions?: readonly number[];
  /** Only small letters: one UUID then has one text. */
  readonly lowerCase?: boolean;
}

/**
 * Whether a text is a UUID of RFC 9562. The nil and the max UUID, which stand for no or every thing, are refused (R-IV-15).
 *
 * @example
 * isStrictUuid('0197f5a2-7d7e-7c3a-9f0e-2b1c3d4e5f60', { versions: [4, 7] }); // true
 * isStrictUuid('00000000-0000-0000-0000-000000000000'); // false: class-validator's IsUUID takes it
 */
export function isStrictUuid(text: string, { versions, lowerCase = false }: StrictUuidOptions = {}): boolean {
  if (text.length !== LENGTH) return false;
  const version = UUID.exec(text)?.[1];
  if (version === undefined || (versions !== undefined && !versions.includes(Number(version)))) return false;
  return !lowerCase || text === text.toLowerCase();
}

/** The text is a UUID: see {@link isStrictUuid}. */
export function IsStrictUuid(options: StrictUuidOptions = {}, rule?: RuleOptions): PropertyDecorator {
  return textRule('isStrictUuid', (text) => isStrictUuid(text, options), 'must be a UUID', rule);
}
