import { Transform } from 'class-transformer';

import { deriveDto, setInitialValues } from '../derived/derive-dto.js';
import { document } from '../derived/documentation.js';
import { shapeOf } from '../dto-shape.js';
import type { DtoClass } from '../transformer-storage.js';
import { classValidator } from '../validation-packages.js';
import { type PageOptions, sortColumns } from './page.options.js';
import { readSort } from './sort.js';

const CURSOR = /^[A-Za-z0-9._~=-]+$/;
const CURSOR_LENGTH = 512;
const OWN: ReadonlySet<string> = new Set(['limit', 'offset', 'cursor', 'sort']);

/** Orders that were read here. */
const orders = new WeakSet<object>();

/** A class whose rules are those of a page: what is asked of the query, and what its documentation says. */
export function pageDto(options: PageOptions): DtoClass {
  const { filter } = options;
  class PageDto {
    constructor() {
      if (filter) setInitialValues(this, filter, shapeOf(filter).byName.keys());
    }
  }
  const { IsInt, IsOptional, Matches, Max, MaxLength, Min } = classValidator();
  const property = (name: string, about: object, ...rules: readonly PropertyDecorator[]): void => {
    for (const rule of [IsOptional(), ...rules]) rule(PageDto.prototype, name);
    document(PageDto.prototype, name, { ...about, required: false });
  };
  const { limit = 20, maxLimit = 100, maxOffset = 10_000, by = 'offset', maxSort = 3, defaultSort } = options;
  property(
    'limit',
    { type: 'integer', minimum: 1, maximum: maxLimit, default: limit },
    IsInt(),
    Min(1),
    Max(maxLimit),
  );
  if (by === 'cursor') {
    property(
      'cursor',
      { type: 'string', maxLength: CURSOR_LENGTH, pattern: CURSOR.source },
      Matches(CURSOR),
      MaxLength(CURSOR_LENGTH),
    );
    Reflect.defineMetadata('design:type', String, PageDto.prototype, 'cursor');
  } else {
    property(
      'offset',
      { type: 'integer', minimum: 0, maximum: maxOffset, default: 0 },
      IsInt(),
      Min(0),
      Max(maxOffset),
    );
  }
  const columns = sortColumns(options);
  const fields = Object.keys(columns);
  if (fields.length > 0) {
    const description = `Fields to sort by, with commas between them: ${fields.join(', ')}. A minus sign reverses the order.`;
    property(
      'sort',
      { type: 'string', description, ...(defaultSort === undefined ? {} : { default: defaultSort }) },
      ...sortRules(columns, maxSort),
    );
  }
  if (filter) deriveDto(PageDto, filter, {});
  return PageDto;
}

/** Names that a page and its filter would share. */
export function sharedNames(filter: DtoClass): string[] {
  return [...shapeOf(filter).properties.keys()].filter((name) => OWN.has(name));
}

function sortRules(columns: Readonly<Record<string, string>>, maxSort: number): PropertyDecorator[] {
  const convert = (value: unknown): unknown => {
    const order = typeof value === 'string' ? readSort(value, columns, maxSort) : undefined;
    if (order) orders.add(order);
    return order ?? value;
  };
  const most = maxSort === 1 ? 'one field' : `up to ${maxSort} fields`;
  return [
    Transform(({ value }: { value: unknown }) => convert(value), { toClassOnly: true }),
    classValidator().ValidateBy({
      name: 'isSort',
      validator: {
        validate: (value: unknown) => typeof value === 'object' && value !== null && orders.has(value),
        defaultMessage: () =>
          `$property must name ${most} of: ${Object.keys(columns).join(', ')}; a minus sign reverses the order`,
      },
    }),
  ];
}
