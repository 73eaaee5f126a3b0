import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

const DIRECTIVES = [
  'default-src',
  'script-src',
  'script-src-elem',
  'script-src-attr',
  'style-src',
  'style-src-elem',
  'style-src-attr',
  'img-src',
  'font-src',
  'connect-src',
  'media-src',
  'object-src',
  'child-src',
  'frame-src',
  'worker-src',
  'manifest-src',
  'base-uri',
  'form-action',
  'frame-ancestors',
  'sandbox',
  'report-to',
  'report-uri',
  'upgrade-insecure-requests',
  'require-trusted-types-for',
  'trusted-types',
] as const;

/** A directive of CSP level 3. */
export type CspDirective = (typeof DIRECTIVES)[number];

/** Directives with their values, such as `{ 'default-src': ["'self'"] }`. */
export type CspDirectives = Readonly<Partial<Record<CspDirective, readonly string[]>>>;

/** The header's text; unknown directives, a missing `default-src` and values that would end one are reported (R-SH-08). */
export function compileCsp(
  directives: CspDirectives,
  where: string,
  problems: ConfigurationProblems,
): string {
  const bad = (problem: string, fix: string) =>
    problems.add('headers.contentSecurityPolicy', `${where}.contentSecurityPolicy`, problem, fix);
  if (directives['default-src'] === undefined)
    bad('has no default-src', "start from 'default-src': [\"'none'\"]");
  return Object.entries(directives)
    .map(([name, values]) => {
      if (!(DIRECTIVES as readonly string[]).includes(name))
        bad('names an unknown directive', `use ${DIRECTIVES.join(', ')}`);
      if (values.some((value) => !/^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/.test(value))) {
        bad(
          'holds a value with a space, a comma, a semicolon or a control character',
          'write one source for each item',
        );
      }
      return [name, ...values].join(' ');
    })
    .join('; ');
}
