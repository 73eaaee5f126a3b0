import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compileCacheControl } from './cache-control.js';
import { compileCsp, type CspDirectives } from './content-security-policy.js';
import type { ReportHeaderProblem } from './header-problem.js';
import { compilePermissions, type PermissionsPolicyOptions } from './permissions-policy.js';
import { compileHsts, type HstsOptions } from './strict-transport-security.js';

export type { HstsOptions } from './strict-transport-security.js';

/** The security headers, each as what it allows; `false` leaves a header out, `undefined` keeps the default. */
export interface HeadersOptions {
  /** Default: `default-src 'none'; frame-ancestors 'none'`, right for an API that serves no pages. */
  readonly contentSecurityPolicy?: CspDirectives | false;
  /** Default: two years, sub-domains included. Sent over HTTPS only (R-TL-03). */
  readonly strictTransportSecurity?: HstsOptions | false;
  /** Default `DENY`. */
  readonly frameOptions?: 'DENY' | 'SAMEORIGIN' | false;
  /** Default `no-referrer`. */
  readonly referrerPolicy?: ReferrerPolicy | false;
  /** Default `same-origin`. */
  readonly crossOriginResourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | false;
  /** Default `same-origin`. */
  readonly crossOriginOpenerPolicy?: 'same-origin' | 'same-origin-allow-popups' | 'unsafe-none' | false;
  /** Features that stay on for these origins, such as `{ camera: ['self'] }`; every other one is off. */
  readonly permissionsPolicy?: PermissionsPolicyOptions | false;
  /** Default `none`. */
  readonly permittedCrossDomainPolicies?: 'none' | 'master-only' | 'by-content-type' | 'all' | false;
  /** Default `off`. */
  readonly dnsPrefetchControl?: 'off' | 'on' | false;
  /** Default `nosniff`. */
  readonly contentTypeOptions?: 'nosniff' | false;
  /** Default `no-store`; a public route that may be cached says so with this (R-SH-04). */
  readonly cacheControl?: string | false;
}

const REFERRER_POLICIES = [
  'no-referrer',
  'no-referrer-when-downgrade',
  'origin',
  'origin-when-cross-origin',
  'same-origin',
  'strict-origin',
  'strict-origin-when-cross-origin',
  'unsafe-url',
] as const;

/** What a browser says about where a request comes from. */
export type ReferrerPolicy = (typeof REFERRER_POLICIES)[number];

/** Values of one configuration: a header's text, or `null` where it is switched off. */
export type HeaderValues = Map<string, string | null>;

/** A fixed set of values that a header may have. */
const CHOICES = {
  frameOptions: ['X-Frame-Options', ['DENY', 'SAMEORIGIN']],
  referrerPolicy: ['Referrer-Policy', REFERRER_POLICIES],
  crossOriginResourcePolicy: ['Cross-Origin-Resource-Policy', ['same-origin', 'same-site', 'cross-origin']],
  crossOriginOpenerPolicy: [
    'Cross-Origin-Opener-Policy',
    ['same-origin', 'same-origin-allow-popups', 'unsafe-none'],
  ],
  permittedCrossDomainPolicies: [
    'X-Permitted-Cross-Domain-Policies',
    ['none', 'master-only', 'by-content-type', 'all'],
  ],
  dnsPrefetchControl: ['X-DNS-Prefetch-Control', ['off', 'on']],
  contentTypeOptions: ['X-Content-Type-Options', ['nosniff']],
} as const satisfies Partial<Record<keyof HeadersOptions, readonly [string, readonly string[]]>>;

/** The headers that are made from more than a choice, each with its name and its compiler. */
const MADE = {
  contentSecurityPolicy: ['Content-Security-Policy', compileCsp],
  strictTransportSecurity: ['Strict-Transport-Security', compileHsts],
  permissionsPolicy: ['Permissions-Policy', compilePermissions],
  cacheControl: ['Cache-Control', compileCacheControl],
} as const satisfies Partial<
  Record<keyof HeadersOptions, readonly [string, (value: never, report: ReportHeaderProblem) => string]>
>;

/** The options that are named, as header values; problems are reported under `where` (R-SH-08). */
export function compileHeaderValues(
  options: HeadersOptions,
  where: string,
  problems: ConfigurationProblems,
): HeaderValues {
  const values: HeaderValues = new Map();
  const report: ReportHeaderProblem = (option, problem, fix) =>
    problems.add(`headers.${option}`, `${where}.${option}`, problem, fix);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.add('headers.options', where, 'is no object of headers', 'name each header, or leave it out');
    return values;
  }
  const named: readonly (readonly [string, unknown])[] = Object.entries(options);
  for (const [option, value] of named) {
    if (value === undefined) continue;
    if (Object.hasOwn(CHOICES, option)) {
      const [header, allowed] = CHOICES[option as keyof typeof CHOICES];
      values.set(header, value === false ? null : choose(option, value, allowed, report));
    } else if (Object.hasOwn(MADE, option)) {
      const [header, compile] = MADE[option as keyof typeof MADE];
      values.set(header, value === false ? null : compile(value as never, report));
    } else {
      const known = [...Object.keys(CHOICES), ...Object.keys(MADE)];
      report(option, 'is not an option', `use one of ${known.join(', ')}`);
    }
  }
  return values;
}

function choose(
  option: string,
  value: unknown,
  allowed: readonly string[],
  report: ReportHeaderProblem,
): string {
  if (allowed.some((one) => one === value)) return value as string;
  report(option, 'has a value that the header does not know', `use one of ${allowed.join(', ')}, or false`);
  return '';
}

/** The whole set with its defaults. */
export function defaultHeaderValues(problems: ConfigurationProblems): HeaderValues {
  return compileHeaderValues(
    {
      contentTypeOptions: 'nosniff',
      contentSecurityPolicy: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
      frameOptions: 'DENY',
      referrerPolicy: 'no-referrer',
      crossOriginResourcePolicy: 'same-origin',
      crossOriginOpenerPolicy: 'same-origin',
      permissionsPolicy: {},
      permittedCrossDomainPolicies: 'none',
      dnsPrefetchControl: 'off',
      strictTransportSecurity: {},
      cacheControl: 'no-store',
    },
    'headers',
    problems,
  );
}
