import { applyDecorators } from '@nestjs/common';
import { Transform } from 'class-transformer';

import { classValidator } from '../validation-packages.js';
import { kindOfConstructor, parseText } from '../value-kinds.js';

/** Options of {@link CsvList}. */
export interface CsvListOptions {
  /** Most items; 100 by default. */
  readonly maxItems?: number;
  /** Numbers have to be whole. */
  readonly integers?: boolean;
  /** In place of ours. */
  readonly message?: string;
}

/** Type of the items of a list. */
export type CsvItem = StringConstructor | NumberConstructor | BooleanConstructor | DateConstructor;

/** Lists that were made here: an array that came in as such is none. */
const lists = new WeakSet<unknown[]>();

/**
 * A list in one parameter, `?ids=1,2,3`: items between commas, each converted by exact spelling, none empty. Repeating the
 * parameter is refused, as is an array in a body. Breaks the rule `csvList` otherwise; rules with `{ each: true }` then look
 * at the items (R-IV-12, R-IV-18).
 *
 * @param type `String` (default), `Number`, `Boolean` or `Date`
 * @example
 * @CsvList(Number, { integers: true, maxItems: 50 })
 * @Min(1, { each: true })
 * ids!: number[];
 */
export function CsvList(type: CsvItem = String, options: CsvListOptions = {}): PropertyDecorator {
  const { maxItems = 100, integers = false, message } = options;
  const kind = kindOfConstructor(type)!;
  const convert = (value: unknown): unknown => {
    if (typeof value !== 'string') return value;
    const texts = value.split(',', maxItems + 1);
    const items = texts.map((text) => (text === '' ? undefined : parseText(text, kind, integers)));
    if (items.length > maxItems || items.includes(undefined)) return value;
    lists.add(items);
    return items;
  };
  const rule = classValidator().ValidateBy(
    {
      name: 'csvList',
      validator: {
        validate: (value: unknown) => Array.isArray(value) && lists.has(value),
        defaultMessage: () =>
          `$property must be a list of at most ${maxItems} ${NAMES[kind] ?? 'items'} with commas between them`,
      },
    },
    message === undefined ? {} : { message },
  );
  return applyDecorators(
    Transform(({ value }: { value: unknown }) => convert(value), { toClassOnly: true }),
    rule,
  );
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'texts',
  number: 'numbers',
  boolean: 'booleans',
  date: 'dates',
};
