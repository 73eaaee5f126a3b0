import { type SecurityClock, systemClock } from '../../clock.js';
import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import type { OAuth2Options } from '../oauth2/oauth2.options.js';
import { ALGORITHMS, type JwtAlgorithm } from './algorithms.js';
import { isSameSecret, readIssuerKeys } from './issuer-keys.js';
import type { JwtOptions } from './jwt.options.js';
import { compileClaimRules } from './claim-rules.js';
import { isRawOptions, isSecureUrl, OptionChecks, type RawOptions } from './option-checks.js';
import type { TokenIssuer } from './token-issuer.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const SHARED_NAMES = [
  'issuer',
  'audience',
  'publicKey',
  'jwks',
  'jwksFile',
  'jwksUri',
  'keyRefresh',
  'allowPrivateAddresses',
  'algorithms',
  'clockSkew',
  'maxLifetime',
  'legacyTyp',
  'rolesClaim',
  'roles',
  'scopes',
  'tenantClaim',
  'claims',
] as const;
const JWT_NAMES = [...SHARED_NAMES, 'secret', 'signingKey'];
const OAUTH2_NAMES = ['resource', 'issuers', 'scopes', 'currentRights', 'hiddenScopes', 'dpop', 'mtls'];

/** What the options do not say. */
export interface IssuerEnvironment {
  /** Issuers with an http identifier are refused in production. */
  readonly production?: boolean;
  readonly clock?: SecurityClock;
}

/**
 * Checks the options of all issuers, those of `jwt` and of `oauth2`, and makes them ready: keys are parsed here, once.
 * Every wrong value is reported, with its fix; what has one is left out (R-CF-01, R-JW-02 to R-JW-04, R-JW-21).
 */
export function compileTokenIssuers(
  { jwt, oauth2 }: { readonly jwt?: JwtOptions | undefined; readonly oauth2?: OAuth2Options | undefined },
  problems: ConfigurationProblems,
  environment: IssuerEnvironment = {},
): readonly TokenIssuer[] {
  const issuers = [
    ...(jwt === undefined ? [] : checkJwtOptions(jwt, 'jwt', problems, environment)),
    ...(oauth2 === undefined ? [] : checkOAuth2Options(oauth2, problems, environment)),
  ];
  refuseRepeated(issuers, problems);
  refuseSharedSecrets(jwt, problems);
  if (issuers.filter(({ signer }) => signer).length > 1) {
    problems.add(
      'jwt.signingKey.several',
      'jwt',
      'names several issuers with a signingKey',
      'keep one: TokenService issues for it',
    );
  }
  return issuers;
}

/** Checks one issuer or a list of them. @returns the issuers without problems, ready for use */
export function checkJwtOptions(
  options: unknown,
  scheme: TokenIssuer['scheme'],
  problems: ConfigurationProblems,
  environment: IssuerEnvironment = {},
  defaultAudience?: string,
): readonly TokenIssuer[] {
  const list: readonly unknown[] = Array.isArray(options) ? options : [options];
  const path = scheme === 'jwt' ? 'jwt' : 'oauth2.issuers';
  if (list.length === 0)
    problems.add(
      `${scheme}.issuer.missing`,
      path,
      'names no issuer',
      'name at least one, or leave the option out',
    );
  return list.flatMap((one, index) => {
    // What is looked up at its issuer has no keys: `compileOpaqueIssuer()` checks it.
    if (isOpaque(one, scheme)) return [];
    const where = Array.isArray(options) ? `${path}[${index}]` : path;
    if (isRawOptions(one))
      return (
        compileIssuer(new OptionChecks(one, scheme, where, problems), scheme, environment, defaultAudience) ??
        []
      );
    problems.add(`${scheme}.options.type`, where, 'is no object', 'give { issuer, audience, … }');
    return [];
  });
}

const areDescribed = (scopes: unknown): boolean =>
  isRawOptions(scopes) && Object.values(scopes).every((words) => typeof words === 'string' && words !== '');

/** Whether an issuer's tokens are looked up there instead of being verified. */
export const isOpaque = (options: unknown, scheme: TokenIssuer['scheme']): boolean =>
  scheme === 'oauth2' && isRawOptions(options) && options['introspection'] !== undefined;

/** Checks the options of the OAuth 2.0 resource server. @returns the issuers without problems, ready for use */
export function checkOAuth2Options(
  options: unknown,
  problems: ConfigurationProblems,
  environment: IssuerEnvironment = {},
): readonly TokenIssuer[] {
  if (!isRawOptions(options)) {
    problems.add('oauth2.options.type', 'oauth2', 'is no object', 'give { resource, issuers }');
    return [];
  }
  const checks = new OptionChecks(options, 'oauth2', 'oauth2', problems);
  checks.onlyKnown(OAUTH2_NAMES);
  const { resource, issuers, scopes, currentRights } = options;
  checks.names('hiddenScopes');
  if (currentRights !== undefined && typeof currentRights !== 'function')
    checks.report('currentRights', 'type', 'is no function', '(subject, issuer) => ({ scopes, roles })');
  if (scopes !== undefined && !areDescribed(scopes)) {
    const fix = "give each its words: { 'users:read': 'See the list of users' }";
    checks.report('scopes', 'words', 'has scopes without words', fix);
  }
  if (!isSecureUrl(resource)) {
    checks.report(
      'resource',
      'invalid',
      'is no https URL without fragment',
      'give the identifier of this API, such as "https://api.example.com"',
    );
  }
  return checkJwtOptions(
    issuers ?? [],
    'oauth2',
    problems,
    environment,
    typeof resource === 'string' ? resource : '',
  );
}

/** What an operator should know about sound options; for the log at boot. */
export function tokenIssuerWarnings(issuers: readonly TokenIssuer[]): readonly string[] {
  return issuers
    .filter(({ legacyTyp }) => legacyTyp)
    .map(({ issuer }) => `Tokens of ${issuer} are accepted without the type of an access token (legacyTyp)`);
}

function compileIssuer(
  checks: OptionChecks,
  scheme: TokenIssuer['scheme'],
  { production = false, clock = systemClock }: IssuerEnvironment,
  defaultAudience: string | undefined,
): TokenIssuer | undefined {
  const { options } = checks;
  checks.onlyKnown(scheme === 'jwt' ? JWT_NAMES : SHARED_NAMES);
  const lifetime = options['signingKey'] === undefined ? HOUR : 15 * MINUTE;
  const rules = compileClaimRules(checks, scheme, { production, defaultAudience, lifetime });
  const allowed = checkAlgorithms(checks);
  const keys = allowed === 'wrong' ? undefined : readIssuerKeys(checks, allowed, clock, production);
  checks.flag('allowPrivateAddresses');
  const legacyTyp = checks.flag('legacyTyp');
  const audiences = rules?.audiences;
  if (options['secret'] !== undefined && audiences && audiences.length > 1) {
    checks.report(
      'secret',
      'shared',
      'is used for several audiences, each of which could forge tokens for the others',
      'use asymmetric keys',
    );
  }
  if (rules === undefined || keys === undefined) return undefined;
  const { algorithms, source, signer } = keys;
  return Object.freeze({ ...rules, legacyTyp, algorithms, keys: source, signer });
}

function checkAlgorithms(checks: OptionChecks): readonly JwtAlgorithm[] | undefined | 'wrong' {
  const { algorithms } = checks.options;
  if (algorithms === undefined) return undefined;
  const known = [...ALGORITHMS.keys()].join(', ');
  if (!Array.isArray(algorithms) || algorithms.length === 0) {
    checks.report(
      'algorithms',
      'empty',
      'is no list with at least one algorithm',
      `leave it out, or choose from ${known}`,
    );
    return 'wrong';
  }
  const isKnown = (name: unknown): name is JwtAlgorithm => typeof name === 'string' && ALGORITHMS.has(name);
  if (algorithms.every(isKnown)) return [...new Set(algorithms)];
  checks.report(
    'algorithms',
    'unknown',
    'names an algorithm that is not supported; "none" never is',
    `choose from ${known}`,
  );
  return 'wrong';
}

function refuseRepeated(issuers: readonly TokenIssuer[], problems: ConfigurationProblems): void {
  const seen = new Set<string>();
  for (const { issuer, scheme } of issuers) {
    if (seen.has(issuer)) {
      const fix = 'name each issuer once: its tokens must mean one thing only';
      problems.add(`${scheme}.issuer.repeated`, scheme, `names the issuer ${issuer} a second time`, fix);
    }
    seen.add(issuer);
  }
}

function refuseSharedSecrets(jwt: unknown, problems: ConfigurationProblems): void {
  const list = (Array.isArray(jwt) ? jwt : [jwt]).filter(isRawOptions) as readonly RawOptions[];
  const shared = list.some((one, i) =>
    list.slice(i + 1).some((other) => isSameSecret(one['secret'], other['secret'])),
  );
  if (shared)
    problems.add(
      'jwt.secret.repeated',
      'jwt',
      'gives two issuers one secret',
      'give each issuer a secret of its own',
    );
}
