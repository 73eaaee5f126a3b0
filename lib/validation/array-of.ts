import type { PipeTransform, Type } from '@nestjs/common';

import { SecurityError } from '../errors/security-error.js';
import { DetailList, pathText } from './error-details.js';
import { StrictValidationPipe } from './strict-validation.pipe.js';

const MAX_ITEMS = 1_000;

/**
 * A pipe for a body that is an array of DTOs: TypeScript leaves nothing of `ItemDto[]` but `Array` at run time, so the class
 * has to be named (PITFALL V2).
 *
 * @param maxItems most items; 1 000 by default
 * @example
 * create(@Body(arrayOf(ItemDto)) items: ItemDto[]) { … }
 */
export function arrayOf(
  item: Type<object>,
  { maxItems = MAX_ITEMS }: { readonly maxItems?: number } = {},
): PipeTransform {
  return new ArrayOfPipe(item, maxItems);
}

class ArrayOfPipe implements PipeTransform {
  readonly #items = new StrictValidationPipe();

  constructor(
    private readonly item: Type<object>,
    private readonly maxItems: number,
  ) {}

  async transform(value: unknown): Promise<unknown> {
    const list = new DetailList(20);
    if (!Array.isArray(value)) list.addBroken(undefined, 'isArray', 'the body must be an array');
    else if (value.length > this.maxItems) {
      list.addBroken(
        undefined,
        'arrayMaxSize',
        `the body must contain no more than ${this.maxItems} elements`,
      );
    }
    list.throwIfAny();
    const items: unknown[] = [];
    for (const [index, one] of (value as unknown[]).entries()) items.push(await this.#one(one, index));
    return items;
  }

  async #one(value: unknown, index: number): Promise<unknown> {
    try {
      return await this.#items.transform(value ?? null, { type: 'body', metatype: this.item });
    } catch (error) {
      if (!(error instanceof SecurityError) || !error.extras.details) throw error;
      const at = pathText({ parent: undefined, name: index });
      const details = error.extras.details.map((detail) => ({
        ...detail,
        path: detail.path === '' ? at : `${at}.${detail.path}`,
      }));
      throw new SecurityError(error.code, error.message, { details });
    }
  }
}
