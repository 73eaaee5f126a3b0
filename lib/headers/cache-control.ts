import type { ReportHeaderProblem } from './header-problem.js';

/** The directives of responses, and whether they take a number of seconds. */
const DIRECTIVES: ReadonlyMap<string, boolean> = new Map([
  ['public', false],
  ['private', false],
  ['no-store', false],
  ['no-cache', false],
  ['no-transform', false],
  ['must-revalidate', false],
  ['proxy-revalidate', false],
  ['must-understand', false],
  ['immutable', false],
  ['max-age', true],
  ['s-maxage', true],
  ['stale-while-revalidate', true],
  ['stale-if-error', true],
]);

/** The header's text as given; a directive that no cache knows is reported, because it would protect nothing (R-SH-08). */
export function compileCacheControl(text: string, report: ReportHeaderProblem): string {
  const known = typeof text === 'string' && text.split(',').every((part) => isDirective(part.trim()));
  if (!known) {
    report(
      'cacheControl',
      'is no list of cache directives',
      `write directives such as 'public, max-age=3600': ${[...DIRECTIVES.keys()].join(', ')}`,
    );
  }
  return text;
}

function isDirective(text: string): boolean {
  const [name = '', value, ...rest] = text.split('=');
  const takesSeconds = DIRECTIVES.get(name.toLowerCase());
  if (takesSeconds === undefined || rest.length > 0) return false;
  return takesSeconds ? /^\d{1,10}$/.test(value ?? '') : value === undefined;
}
