import type { ReportHeaderProblem } from './header-problem.js';

/** `Strict-Transport-Security`. */
export interface HstsOptions {
  /** Seconds; 63 072 000 by default, at least a year. */
  readonly maxAge?: number;
  /** `true` by default. */
  readonly includeSubDomains?: boolean;
  /** `false` by default: browsers ship the list, so it cannot be taken back quickly. */
  readonly preload?: boolean;
}

const YEAR = 31_536_000;
const KNOWN: readonly string[] = ['maxAge', 'includeSubDomains', 'preload'] satisfies (keyof HstsOptions)[];

/** The header's text; what would leave clients unprotected is reported (R-TL-03, R-SH-08). */
export function compileHsts(options: HstsOptions, report: ReportHeaderProblem): string {
  const bad = (problem: string, fix: string) => report('strictTransportSecurity', problem, fix);
  if (typeof options !== 'object' || options === null) {
    bad('is no object', 'write { maxAge: 63072000 }, or false');
    return '';
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name)) bad('has an unknown member', `use ${KNOWN.join(', ')}`);
  }
  const { maxAge = 2 * YEAR, includeSubDomains = true, preload = false } = options;
  if (!Number.isSafeInteger(maxAge) || maxAge < YEAR)
    bad('is for less than a year', 'use at least 31536000 seconds, or false for no header at all');
  if (typeof includeSubDomains !== 'boolean' || typeof preload !== 'boolean')
    bad('has a switch that is neither true nor false', 'use one of the two');
  if (preload && !includeSubDomains)
    bad('asks for preload without sub-domains', 'set includeSubDomains, or leave preload off');
  return [
    `max-age=${maxAge}`,
    ...(includeSubDomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ].join('; ');
}
