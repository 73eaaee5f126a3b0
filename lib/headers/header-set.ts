import type { ServerResponse } from 'node:http';

import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compileHeaderValues, defaultHeaderValues, type HeadersOptions } from './headers.options.js';

/** Names and values, ready to be put on a response. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

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
  const secure = Object.freeze(
    [...values].flatMap(([name, value]) => (value === null ? [] : [Object.freeze([name, value] as const)])),
  );
  const plain = Object.freeze(secure.filter(([name]) => name !== 'Strict-Transport-Security'));
  return Object.freeze({ plain, secure });
}

/** Puts the set on a response that has not begun, and takes off what frameworks say about themselves (R-SH-06). */
export function applyHeaders(response: ServerResponse, headers: HeaderList): void {
  for (let i = 0; i < headers.length; i++) response.setHeader(headers[i]![0], headers[i]![1]);
}
