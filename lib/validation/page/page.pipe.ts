import type { PipeTransform, Type } from '@nestjs/common';

import { shapeOf } from '../dto-shape.js';
import { type PipeOptions, PipeSettings } from '../pipe-settings.js';
import type { DtoClass } from '../transformer-storage.js';
import { pageDto, sharedNames } from './page-dto.js';
import { pageFault, type PageOptions, type PageSort, sortColumns } from './page.options.js';
import { readSort } from './sort.js';

/** @internal Turns a whole query into a page. */
export class PagePipe implements PipeTransform {
  /** What the query is held against. */
  readonly dto: DtoClass;
  /** What is wrong with the options, for the check at boot. */
  readonly fault: string | undefined;
  readonly #settings: PipeSettings;
  readonly #defaultOrder: readonly PageSort[];

  constructor(
    private readonly options: PageOptions,
    details: PipeOptions,
  ) {
    const { defaultSort = '', maxSort = 3, filter } = options;
    this.dto = pageDto(options);
    this.#settings = new PipeSettings(details);
    const order = defaultSort === '' ? [] : readSort(defaultSort, sortColumns(options), maxSort);
    const [shared] = filter ? sharedNames(filter) : [];
    this.fault =
      pageFault(options) ??
      (order === undefined ? 'has a defaultSort of other fields than it sorts by' : undefined) ??
      (shared === undefined ? undefined : `has a filter with a property named ${shared}`);
    this.#defaultOrder = Object.freeze(order ?? []);
  }

  /** See {@link PipeSettings.adopt}. */
  adopt(application: PipeOptions): void {
    this.#settings.adopt(application);
  }

  async transform(value: unknown): Promise<unknown> {
    const read = (await this.#settings.dtos.texts(value, this.dto, 'query')) as Readonly<
      Record<string, unknown>
    >;
    const { limit = 20, by = 'offset', filter } = this.options;
    return {
      limit: read['limit'] ?? limit,
      sort: read['sort'] ?? this.#defaultOrder,
      ...(by === 'cursor' ? { cursor: read['cursor'] } : { offset: read['offset'] ?? 0 }),
      ...(filter && { filter: pick(read, filter) }),
    };
  }
}

/** The part of what was read that a filter has declared, as an instance of its class. */
function pick(read: Readonly<Record<string, unknown>>, filter: Type<object>): object {
  const instance = new filter() as Record<string, unknown>;
  for (const name of shapeOf(filter).byName.keys())
    if (Object.hasOwn(read, name)) instance[name] = read[name];
  return instance;
}
