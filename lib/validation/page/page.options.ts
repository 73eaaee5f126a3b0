import type { Type } from '@nestjs/common';

/** What pages of a list clients may ask for (R-IV-20). */
export interface PageOptions {
  /**
   * Fields that the list can be sorted by: names, or names with the column that each stands for, so that no text of a client
   * gets into a query. None by default: then `sort` is an unknown parameter.
   */
  readonly sort?: readonly string[] | Readonly<Record<string, string>>;
  /** The order without a `sort` parameter, written as clients write it: `'-createdAt'`, `'name,-createdAt'`. None by default. */
  readonly defaultSort?: string;
  /** Most fields in one `sort`; 3 by default. */
  readonly maxSort?: number;
  /** Items of a page without a `limit` parameter; 20 by default. */
  readonly limit?: number;
  /** Most items of a page; 100 by default, at most 10 000. */
  readonly maxLimit?: number;
  /** How far a client can skip; 10 000 by default. With cursors there is no `offset`. */
  readonly maxOffset?: number;
  /** `offset` (default): `?offset=40`. `cursor`: `?cursor=…`, text of yours that clients hand back. */
  readonly by?: 'offset' | 'cursor';
  /** A class with the other parameters of the query. Without one there are no others. */
  readonly filter?: Type<object>;
}

/** One field of an order. */
export interface PageSort<Field extends string = string> {
  readonly field: Field;
  /** What the field stands for on the server; its name where nothing else was said. */
  readonly column: string;
  readonly direction: 'asc' | 'desc';
}

type SortField<Options extends PageOptions> = Options['sort'] extends readonly (infer Name extends string)[]
  ? Name
  : Extract<keyof Options['sort'], string>;
type FilterOf<Options extends PageOptions> =
  Options['filter'] extends Type<infer Filter extends object> ? { readonly filter: Filter } : unknown;

/**
 * What `@PageQuery(OPTIONS)` hands over, as a type.
 *
 * @example
 * const USERS = { sort: ['name', 'createdAt'], maxLimit: 50 } as const satisfies PageOptions;
 * list(@PageQuery(USERS) page: PageOf<typeof USERS>) { … }
 */
export type PageOf<Options extends PageOptions> = {
  readonly limit: number;
  readonly sort: readonly PageSort<SortField<Options>>[];
} & (Options['by'] extends 'cursor' ? { readonly cursor: string | undefined } : { readonly offset: number }) &
  FilterOf<Options>;

/** What is wrong with the options, if anything is. */
export function pageFault(options: PageOptions): string | undefined {
  const { limit = 20, maxLimit = 100, maxOffset = 10_000, maxSort = 3 } = options;
  const isCount = (value: number, least: number): boolean => Number.isSafeInteger(value) && value >= least;
  if (!isCount(maxLimit, 1) || maxLimit > 10_000) return 'has a maxLimit that is no number from 1 to 10 000';
  if (!isCount(limit, 1) || limit > maxLimit) return 'has a limit that is no number from 1 to maxLimit';
  if (!isCount(maxOffset, 0)) return 'has a maxOffset that is no whole number';
  if (!isCount(maxSort, 1)) return 'has a maxSort that is no whole number';
  const wrong = Object.keys(sortColumns(options)).find((field) => !/^[A-Za-z_][\w.]{0,63}$/.test(field));
  return wrong === undefined ? undefined : 'sorts by a field whose name is no name';
}

/** The column of each field. */
export function sortColumns({ sort }: PageOptions): Readonly<Record<string, string>> {
  return Array.isArray(sort)
    ? Object.fromEntries((sort as readonly string[]).map((field) => [field, field]))
    : { ...(sort as Readonly<Record<string, string>> | undefined) };
}
