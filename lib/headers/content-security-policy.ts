import type { ReportHeaderProblem } from './header-problem.js';

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

const SOURCE = /^[\x21-\x2b\x2d-\x3a\x3c-\x7e]+$/;
/** Without its quotes a keyword is the name of a host, and the policy says something else. */
const BARE_KEYWORD =
  /^(?:none|self|strict-dynamic|report-sample|unsafe-inline|unsafe-eval|unsafe-hashes|wasm-unsafe-eval|nonce-.*|sha(?:256|384|512)-.*)$/i;

/** The header's text; unknown directives, a missing `default-src` and values that would end one are reported (R-SH-08). */
export function compileCsp(directives: CspDirectives, report: ReportHeaderProblem): string {
  const bad = (problem: string, fix: string) => report('contentSecurityPolicy', problem, fix);
  if (typeof directives !== 'object' || directives === null || Array.isArray(directives)) {
    bad('is no object of directives', "write { 'default-src': [\"'none'\"] }, or false");
    return '';
  }
  if (directives['default-src'] === undefined)
    bad('has no default-src', "start from 'default-src': [\"'none'\"]");
  return Object.entries<unknown>(directives)
    .map(([name, value]) => {
      if (!(DIRECTIVES as readonly string[]).includes(name))
        bad('names an unknown directive', `use ${DIRECTIVES.join(', ')}`);
      const sources: readonly unknown[] = Array.isArray(value) ? value : [undefined];
      if (!sources.every((source): source is string => typeof source === 'string' && SOURCE.test(source))) {
        bad(
          'holds a value with a space, a comma, a semicolon or a control character',
          'write a list with one source for each item',
        );
        return name;
      }
      if (sources.some((source) => BARE_KEYWORD.test(source)))
        bad('holds a keyword without its quotes', 'write keywords as "\'self\'", with single quotes inside');
      if (sources.length > 1 && sources.includes("'none'"))
        bad("holds 'none' beside other sources", "leave 'none' out, or the others");
      return [name, ...sources].join(' ');
    })
    .join('; ');
}
