import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { TransportPolicy } from './https-policy.js';

/** What happens to plain HTTP. */
export interface TransportOptions {
  /**
   * `reject` (default in production): 403 `HTTPS_REQUIRED`. `redirect`: reads without a credential get 308 to `publicHost`,
   * everything else is rejected. `off` (default elsewhere): plain HTTP is served; in production it must be said.
   */
  readonly https?: 'reject' | 'redirect' | 'off';
  /** Host, and port if it is not 443, to which redirects lead; needed for `redirect`. Never the request's own `Host`. */
  readonly publicHost?: string;
}

const MODES: readonly unknown[] = ['reject', 'redirect', 'off'] satisfies TransportPolicy['mode'][];
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

/**
 * Checks and compiles the transport options.
 *
 * @param production decides the default; what is said explicitly stands
 */
export function compileTransport(
  { https, publicHost }: TransportOptions,
  production: boolean,
  problems: ConfigurationProblems,
): TransportPolicy {
  const mode = https ?? (production ? 'reject' : 'off');
  if (!MODES.includes(mode)) {
    problems.add(
      'https.unknown',
      'https',
      'is none of "reject", "redirect" and "off"',
      'use one of the three',
    );
  }
  if (publicHost !== undefined && !isHost(publicHost)) {
    problems.add(
      'https.public-host',
      'publicHost',
      'is no host name',
      "write a host such as 'api.example.com', without scheme and path",
    );
    return Object.freeze({ mode, host: undefined });
  }
  if (mode === 'redirect' && publicHost === undefined) {
    problems.add(
      'https.redirect.host',
      'publicHost',
      'is missing, so there is nowhere to redirect to',
      'set `publicHost` to the name under which clients reach this API',
    );
  }
  return Object.freeze({ mode, host: publicHost?.toLowerCase() });
}

/** A host name or IPv4 address, with a port or without. */
function isHost(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  const [name = '', port, ...rest] = value.split(':');
  if (rest.length > 0 || name.length > 253 || !name.split('.').every((label) => LABEL.test(label)))
    return false;
  return port === undefined || (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535);
}
