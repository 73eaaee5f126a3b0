import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { isRawOptions, OptionChecks } from './option-checks.js';
import type { TokenIssuer } from './token-issuer.js';
import type { TokenOptions } from './token.options.js';

/** The options of issued tokens, complete. */
export interface TokenSettings {
  /** Seconds. */
  readonly accessTokenLifetime: number;
  /** Milliseconds. */
  readonly idleLifetime: number;
  /** Milliseconds. */
  readonly absoluteLifetime: number;
  readonly currentRights: TokenOptions['currentRights'];
}

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const NAMES = [
  'accessTokenLifetime',
  'refreshIdleLifetime',
  'refreshAbsoluteLifetime',
  'store',
  'currentRights',
];
const STORE_METHODS = ['create', 'find', 'rotate', 'end', 'endAllOf', 'list'];

/** Checks and completes the options of `TokenService`; `issuer` is the one with the signing key. */
export function compileTokenOptions(
  options: TokenOptions | undefined,
  issuer: TokenIssuer | undefined,
  problems: ConfigurationProblems,
): TokenSettings {
  const checks = new OptionChecks(isRawOptions(options) ? options : {}, 'tokens', 'tokens', problems);
  if (options !== undefined && !isRawOptions(options)) {
    problems.add('tokens.options.type', 'tokens', 'is no object', 'give { accessTokenLifetime, … }');
  }
  checks.onlyKnown(NAMES);
  if (options !== undefined && !issuer) {
    problems.add(
      'tokens.signingKey.missing',
      'tokens',
      'is set, but no issuer in jwt has a signingKey',
      "give the application's own issuer one",
    );
  }
  const longest = (issuer?.maxLifetime ?? 900) * SECOND;
  const access = checks.duration(
    'accessTokenLifetime',
    Math.min(900 * SECOND, longest),
    SECOND,
    longest,
    '1s to the maxLifetime of the issuer',
  );
  const absolute = checks.duration('refreshAbsoluteLifetime', 90 * DAY, SECOND, 365 * DAY, '1s to 365d');
  const idle = checks.duration(
    'refreshIdleLifetime',
    Math.min(14 * DAY, absolute),
    SECOND,
    absolute,
    '1s to refreshAbsoluteLifetime',
  );
  const { store, currentRights } = checks.options;
  if (
    store !== undefined &&
    !STORE_METHODS.every((name) => typeof (store as Record<string, unknown> | null)?.[name] === 'function')
  ) {
    checks.report('store', 'type', 'is no RefreshTokenStore', `implement ${STORE_METHODS.join(', ')}`);
  }
  if (currentRights !== undefined && typeof currentRights !== 'function') {
    checks.report(
      'currentRights',
      'type',
      'is no function',
      'give (subject) => ({ scopes, roles }), undefined for nobody',
    );
  }
  return Object.freeze({
    accessTokenLifetime: Math.floor(access / SECOND),
    idleLifetime: idle,
    absoluteLifetime: absolute,
    currentRights: currentRights as TokenOptions['currentRights'],
  });
}
