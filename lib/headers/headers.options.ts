import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import { compileCsp, type CspDirectives } from './content-security-policy.js';

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
  readonly permissionsPolicy?: Readonly<Record<string, readonly string[]>> | false;
  /** Default `none`. */
  readonly permittedCrossDomainPolicies?: 'none' | 'master-only' | 'by-content-type' | 'all' | false;
  /** Default `off`. */
  readonly dnsPrefetchControl?: 'off' | 'on' | false;
  /** Default `nosniff`. */
  readonly contentTypeOptions?: 'nosniff' | false;
  /** Default `no-store`; a public route that may be cached says so with this (R-SH-04). */
  readonly cacheControl?: string | false;
}

/** `Strict-Transport-Security`. */
export interface HstsOptions {
  /** Seconds; 63 072 000 by default, at least a year. */
  readonly maxAge?: number;
  /** `true` by default. */
  readonly includeSubDomains?: boolean;
  /** `false` by default; needs two sub-domains' worth of certainty: it cannot be taken back quickly. */
  readonly preload?: boolean;
}

export type ReferrerPolicy =
  | 'no-referrer'
  | 'no-referrer-when-downgrade'
  | 'origin'
  | 'origin-when-cross-origin'
  | 'same-origin'
  | 'strict-origin'
  | 'strict-origin-when-cross-origin'
  | 'unsafe-url';

/** Values of one configuration: a header's text, or `null` where it is switched off. */
export type HeaderValues = Map<string, string | null>;

const HSTS = 'Strict-Transport-Security';
const YEAR = 31_536_000;
/** Everything that a page could ask a person or a machine for; each name costs bytes on every response. */
const DISABLED_FEATURES = [
  'accelerometer',
  'autoplay',
  'camera',
  'display-capture',
  'fullscreen',
  'geolocation',
  'gyroscope',
  'magnetometer',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'usb',
  'xr-spatial-tracking',
] as const;

/** A fixed set of values that a header may have. */
const CHOICES = {
  frameOptions: ['X-Frame-Options', ['DENY', 'SAMEORIGIN']],
  referrerPolicy: [
    'Referrer-Policy',
    [
      'no-referrer',
      'no-referrer-when-downgrade',
      'origin',
      'origin-when-cross-origin',
      'same-origin',
      'strict-origin',
      'strict-origin-when-cross-origin',
      'unsafe-url',
    ],
  ],
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

/** The options that are named, as header values; problems are reported under `where` (R-SH-08). */
export function compileHeaderValues(
  options: HeadersOptions,
  where: string,
  problems: ConfigurationProblems,
): HeaderValues {
  const values: HeaderValues = new Map();
  const {
    contentSecurityPolicy: csp,
    strictTransportSecurity: hsts,
    permissionsPolicy,
    cacheControl,
  } = options;
  const bad = (name: string, problem: string, fix: string) =>
    problems.add(`headers.${name}`, `${where}.${name}`, problem, fix);
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name)) bad(name, 'is not an option', `use one of ${[...KNOWN].join(', ')}`);
  }
  for (const [option, [header, allowed]] of Object.entries(CHOICES)) {
    const value: unknown = options[option as keyof typeof CHOICES];
    if (value === undefined) continue;
    if (value === false) values.set(header, null);
    else if ((allowed as readonly unknown[]).includes(value)) values.set(header, value as string);
    else
      bad(option, 'has a value that the header does not know', `use one of ${allowed.join(', ')}, or false`);
  }
  if (csp !== undefined)
    values.set('Content-Security-Policy', csp === false ? null : compileCsp(csp, where, problems));
  if (hsts !== undefined) values.set(HSTS, hsts === false ? null : hstsText(hsts, bad));
  if (permissionsPolicy !== undefined) {
    values.set(
      'Permissions-Policy',
      permissionsPolicy === false ? null : permissionsText(permissionsPolicy, bad),
    );
  }
  if (cacheControl === false) values.set('Cache-Control', null);
  else if (cacheControl !== undefined) {
    if (/^[\w=", -]{1,200}$/.test(cacheControl)) values.set('Cache-Control', cacheControl);
    else
      bad(
        'cacheControl',
        'is no list of cache directives',
        "write directives such as 'public, max-age=3600'",
      );
  }
  return values;
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

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(CHOICES),
  'contentSecurityPolicy',
  'strictTransportSecurity',
  'permissionsPolicy',
  'cacheControl',
]);

type Report = (name: string, problem: string, fix: string) => void;

function hstsText(
  { maxAge = 2 * YEAR, includeSubDomains = true, preload = false }: HstsOptions,
  bad: Report,
): string {
  if (!Number.isSafeInteger(maxAge) || maxAge < YEAR) {
    bad(
      'strictTransportSecurity',
      'is for less than a year',
      'use at least 31536000 seconds, or false for no header at all',
    );
  }
  if (preload && !includeSubDomains) {
    bad(
      'strictTransportSecurity',
      'asks for preload without sub-domains',
      'set includeSubDomains, or leave preload off',
    );
  }
  return [
    `max-age=${maxAge}`,
    ...(includeSubDomains ? ['includeSubDomains'] : []),
    ...(preload ? ['preload'] : []),
  ].join('; ');
}

function permissionsText(allowed: Readonly<Record<string, readonly string[]>>, bad: Report): string {
  const features = [...new Set([...DISABLED_FEATURES, ...Object.keys(allowed)])];
  return features
    .map((feature) => {
      const origins = Object.hasOwn(allowed, feature) ? allowed[feature]! : [];
      if (
        !/^[a-z-]{1,64}$/.test(feature) ||
        origins.some((one) => one !== 'self' && one !== '*' && !/^https:\/\/[a-z0-9.*:-]+$/i.test(one))
      ) {
        bad(
          'permissionsPolicy',
          'names no feature, or an origin that is none',
          "write features such as camera with 'self', '*' or https origins",
        );
      }
      return `${feature}=(${origins.map((one) => (one === 'self' || one === '*' ? one : `"${one}"`)).join(' ')})`;
    })
    .join(', ');
}
