import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { RouteMetadata } from '../policy/metadata.js';
import type { PolicyPart } from '../policy/policy-compiler.js';
import type {
  AcceptedScheme,
  AuthenticationPolicy,
  CredentialScheme,
  StepUpPolicy,
} from '../policy/route-policy.js';
import { StepUpInvalid, stepUpOf } from '../policy/step-up.js';
import { buildChallenge } from './challenges.js';

/** What the module's configuration says about authentication. */
export interface AuthenticationSetup {
  /** The schemes that are configured. */
  readonly schemes: readonly CredentialScheme[];
  readonly realm: string;
  /** Absolute URL for `resource_metadata`, where OAuth is configured (RFC 9728 §5.1). */
  readonly resourceMetadata: string | undefined;
  /** What to do with a route that has no decorator. */
  readonly undecorated: 'authenticate' | 'refuse';
  /** Scopes that are described in words; any where this is missing. */
  readonly describedScopes?: readonly string[] | undefined;
  /** How tokens are bound to their senders, where OAuth is configured. */
  readonly dpop?: { readonly algorithms: readonly string[]; readonly required: boolean } | undefined;
}

const DECORATORS: Readonly<Record<CredentialScheme, string>> = {
  'api-key': '@ApiKeyAuth',
  jwt: '@JwtAuth',
  oauth2: '@OAuth2Auth',
};
const OPTIONS: Readonly<Record<CredentialScheme, string>> = {
  'api-key': 'apiKeys',
  jwt: 'jwt',
  oauth2: 'oauth2',
};

/** Compiles `@Public()` and the schemes' decorators (R-AU-01). */
export function authenticationPart(setup: AuthenticationSetup): PolicyPart<'authentication'> {
  return ({ metadata, where }, problems) => {
    const own = metadata.ofHandler<AcceptedScheme[]>('schemes');
    const inherited = metadata.ofController<AcceptedScheme[]>('schemes');
    const openedHere = metadata.ofHandler<boolean>('public') === true;
    const isPublic = openedHere || (metadata.ofController<boolean>('public') === true && own === undefined);
    if (openedHere && own) {
      problems.add(
        'policy.public.with-scheme',
        where,
        '@Public() stands beside a scheme',
        'keep one of the two',
      );
    }
    const demands = [metadata.all('scopes'), metadata.all('roles'), metadata.all('stepUp')].flat().length;
    if (isPublic && (demands > 0 || metadata.nearest('userOnly') === true)) {
      problems.add(
        'policy.public.with-demands',
        where,
        '@Public() stands with @RequireScopes(), @RequireRoles(), @StepUp() or @UserOnly()',
        'remove @Public(), or the demands: nobody is asked who they are on a public route',
      );
    }
    const declared = own ? withScopesOf(own, inherited ?? []) : (inherited ?? []);
    for (const { scheme } of declared) {
      if (setup.schemes.includes(scheme)) continue;
      problems.add(
        'policy.scheme.unconfigured',
        where,
        `${DECORATORS[scheme]}() is used, but \`${OPTIONS[scheme]}\` is not configured`,
        `configure \`${OPTIONS[scheme]}\` in SecurityModule.forRoot(), or remove the decorator`,
      );
    }
    for (const scope of undescribed(declared, metadata, setup)) {
      const fix = 'describe it in `oauth2.scopes`, or correct its name';
      problems.add('policy.scope.undescribed', where, `asks for the scope ${scope}, which has no words`, fix);
    }
    if (!isPublic && declared.length === 0) {
      if (setup.undecorated === 'refuse') {
        problems.add('policy.undecorated', where, 'has no security decorator', 'add a scheme, or @Public()');
      } else if (setup.schemes.length === 0) {
        problems.add(
          'policy.unreachable',
          where,
          'needs a credential, but no scheme is configured',
          'configure `apiKeys`, `jwt` or `oauth2`, or open the route with @Public()',
        );
      }
    }
    const dpopRequired = metadata.nearest<boolean>('dpopRequired') === true;
    if (
      dpopRequired &&
      (isPublic || declared.length === 0 || declared.some(({ scheme }) => scheme !== 'oauth2'))
    ) {
      const fix = 'let it accept @OAuth2Auth() alone: nothing else can be bound to a key';
      problems.add('policy.dpop.other-scheme', where, '@RequireDpop() stands with another scheme', fix);
    }
    const accepted = isPublic || declared.length === 0 ? anyOf(setup.schemes) : merged(declared);
    return compile(
      isPublic ? 'public' : 'required',
      accepted,
      metadata.all<readonly string[]>('scopes').flat(),
      checkedStepUp(metadata, accepted, where, problems),
      dpopRequired,
      setup,
    );
  };
}

/** Scopes that OAuth tokens need here, and nobody has described. */
function undescribed(
  declared: readonly AcceptedScheme[],
  metadata: RouteMetadata,
  { describedScopes }: AuthenticationSetup,
): readonly string[] {
  const oauth2 = declared.filter(({ scheme }) => scheme === 'oauth2');
  if (describedScopes === undefined || oauth2.length === 0) return [];
  const needed = [
    ...metadata.all<readonly string[]>('scopes').flat(),
    ...oauth2.flatMap(({ scopes }) => scopes),
  ];
  return [...new Set(needed)].filter((scope) => !describedScopes.includes(scope));
}

function compile(
  mode: AuthenticationPolicy['mode'],
  schemes: readonly AcceptedScheme[],
  routeScopes: readonly string[],
  stepUp: StepUpPolicy | undefined,
  dpopRequired: boolean,
  { realm, resourceMetadata, dpop }: AuthenticationSetup,
): AuthenticationPolicy {
  const oauth2 = schemes.filter(({ scheme }) => scheme === 'oauth2');
  const onlyBound = dpopRequired || dpop?.required === true;
  const bearer = schemes.filter(({ scheme }) => scheme === 'jwt' || (scheme === 'oauth2' && !onlyBound));
  const apiKey = schemes.filter(({ scheme }) => scheme === 'api-key');
  const challenges = [];
  const scopesOf = (accepted: readonly AcceptedScheme[]) => [
    ...new Set([...routeScopes, ...accepted.flatMap(({ scopes }) => scopes)]),
  ];
  if (bearer.length > 0) {
    challenges.push(buildChallenge('Bearer', { realm, resourceMetadata, scopes: scopesOf(bearer), stepUp }));
  }
  if (oauth2.length > 0 && dpop) {
    const { algorithms } = dpop;
    const scopes = scopesOf(oauth2);
    challenges.push(buildChallenge('DPoP', { realm, resourceMetadata, scopes, stepUp, algorithms }));
  }
  if (apiKey.length > 0) challenges.push(buildChallenge('Api-Key', { realm, scopes: scopesOf(apiKey) }));
  return Object.freeze({
    mode,
    schemes: Object.freeze(schemes),
    challenges: Object.freeze(challenges),
    dpopRequired,
  });
}

function checkedStepUp(
  metadata: RouteMetadata,
  accepted: readonly AcceptedScheme[],
  where: string,
  problems: ConfigurationProblems,
): StepUpPolicy | undefined {
  try {
    const stepUp = stepUpOf(metadata);
    if (stepUp && accepted.every(({ scheme }) => scheme === 'api-key')) {
      problems.add(
        'policy.step-up.no-token',
        where,
        'demands a login by @StepUp(), but takes no token that could tell of one',
        'add @JwtAuth() or @OAuth2Auth()',
      );
    }
    return stepUp;
  } catch (error) {
    if (!(error instanceof StepUpInvalid)) throw error;
    const fix = "give maxAge of at least '1s', and acr and amr without spaces, quotes and backslashes";
    problems.add('policy.step-up.invalid', where, '@StepUp() demands nothing that a token can tell', fix);
    return undefined;
  }
}

function anyOf(schemes: readonly CredentialScheme[]): AcceptedScheme[] {
  return schemes.map((scheme) => Object.freeze({ scheme, scopes: Object.freeze([]) }));
}

/** A method's schemes replace its controller's, but never drop the scopes that the controller asks of the same scheme. */
function withScopesOf(
  own: readonly AcceptedScheme[],
  inherited: readonly AcceptedScheme[],
): AcceptedScheme[] {
  return [...own, ...inherited.filter(({ scheme }) => own.some((one) => one.scheme === scheme))];
}

function merged(declared: readonly AcceptedScheme[]): AcceptedScheme[] {
  const byScheme = new Map<CredentialScheme, Set<string>>();
  for (const { scheme, scopes } of declared) {
    byScheme.set(scheme, new Set([...(byScheme.get(scheme) ?? []), ...scopes]));
  }
  return [...byScheme].map(([scheme, scopes]) =>
    Object.freeze({ scheme, scopes: Object.freeze([...scopes]) }),
  );
}
