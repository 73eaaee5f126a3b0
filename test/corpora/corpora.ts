import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));

/** Valid and invalid texts of a format, of the tests for JSON Schema; see the README beside them. */
export const FORMAT_VALUES = read('json-schema-formats/values.json') as Readonly<
  Record<string, { readonly valid: readonly string[]; readonly invalid: readonly string[] }>
>;

/** HTML that got, or tried to get, past a sanitizer; see the README beside it. */
export const HOSTILE_HTML = read('dompurify/payloads.json') as readonly string[];

/** The Big List of Naughty Strings, of the package `big-list-of-naughty-strings`. */
export const NAUGHTY_STRINGS = createRequire(import.meta.url)(
  'big-list-of-naughty-strings/blns.json',
) as readonly string[];

/** URLs of web-platform-tests: those that the URL standard refuses, and others with the host that it finds; see the README beside them. */
export const URLS = read('web-platform-tests/urls.json') as {
  readonly failing: readonly string[];
  readonly hosts: readonly (readonly [url: string, host: string])[];
};
