import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

/** What one client may take of the server itself. */
export interface HttpOptions {
  /**
   * Connections that one address may have open at once; more are closed unread (R-HP-11). The address is the socket's own, IPv6
   * by `rateLimit.ipv6Prefix`; proxies that are trusted have any number. By default 100 for addresses of the public internet and
   * any number for private ones, behind which a proxy may stand that nobody named. A number counts for all, `false` for nobody.
   */
  readonly maxConnectionsPerAddress?: number | false;
}

/** The cap on connections, compiled. */
export interface ConnectionCap {
  readonly limit: number;
  /** Whether addresses of private networks have any number. */
  readonly strangersOnly: boolean;
}

const DEFAULT: ConnectionCap = Object.freeze({ limit: 100, strangersOnly: true });
const MAX_CONNECTIONS = 65_535;
const KNOWN: readonly string[] = ['maxConnectionsPerAddress'] satisfies (keyof HttpOptions)[];

/** Checks the options; @returns the cap, or undefined for none */
export function compileConnectionCap(
  options: HttpOptions | undefined,
  problems: ConfigurationProblems,
): ConnectionCap | undefined {
  if (options === undefined) return DEFAULT;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.add(
      'http.options',
      'http',
      'is no object',
      'give { maxConnectionsPerAddress }, or leave it out',
    );
    return DEFAULT;
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name))
      problems.add('http.unknown', `http.${name}`, 'is not an option', `use ${KNOWN.join(', ')}`);
  }
  const { maxConnectionsPerAddress: limit } = options;
  if (limit === undefined) return DEFAULT;
  if (limit === false) return undefined;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_CONNECTIONS)
    return Object.freeze({ limit, strangersOnly: false });
  problems.add(
    'http.max-connections',
    'http.maxConnectionsPerAddress',
    `is no whole number from 1 to ${MAX_CONNECTIONS}`,
    'leave it out for 100, or give as many as browsers behind one address need; false for any number',
  );
  return DEFAULT;
}
