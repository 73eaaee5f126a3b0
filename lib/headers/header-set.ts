import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { headerList, type HeaderList } from '../http/header-writer.js';
import { compileHeaderValues, defaultHeaderValues, type HeadersOptions } from './headers.options.js';

/** The set for both kinds of connection; HSTS means nothing, and is ignored, over plain HTTP (R-TL-03). */
export interface PreparedHeaders {
  readonly plain: HeaderList;
  readonly secure: HeaderList;
}

/** Builds the application's set, once. */
export function prepareHeaders(
  options: HeadersOptions | undefined,
  problems: ConfigurationProblems,
): PreparedHeaders {
  const values = new Map([
    ...defaultHeaderValues(problems),
    ...compileHeaderValues(options ?? {}, 'headers', problems),
  ]);
  const secure = headerList(
    [...values].flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
  );
  const plain = Object.freeze(secure.filter(([name]) => name !== 'Strict-Transport-Security'));
  return Object.freeze({ plain, secure });
}
