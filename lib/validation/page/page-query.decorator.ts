import { Query } from '@nestjs/common';

import { documentParameters } from '../derived/documentation.js';
import type { PipeOptions } from '../pipe-settings.js';
import type { PageOptions } from './page.options.js';
import { PagePipe } from './page.pipe.js';

/**
 * Takes the query of a list: `?limit=20&offset=40&sort=name,-createdAt`, or `cursor` for `offset`. All of it is bounded, fields
 * to sort by come from an allow-list, unknown parameters are refused (R-IV-20). The handler gets a {@link PageOf}; @nestjs/swagger
 * documents the parameters.
 *
 * @param options what clients may ask for
 * @param details what is not to be as the application's `validation` says
 * @example
 * const USERS = { sort: { name: 'users.name', joined: 'users.created_at' }, defaultSort: '-joined' } as const satisfies PageOptions;
 * list(@PageQuery(USERS) { limit, offset, sort }: PageOf<typeof USERS>) { … }
 */
export function PageQuery(options: PageOptions = {}, details: PipeOptions = {}): ParameterDecorator {
  const pipe = new PagePipe(options, details);
  return (target, key, index) => {
    Query(pipe)(target, key, index);
    if (key !== undefined) documentParameters((target as Record<string | symbol, object>)[key]!, pipe.dto);
  };
}
