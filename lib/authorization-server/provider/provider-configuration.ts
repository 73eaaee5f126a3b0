import type { JsonWebKey } from 'node:crypto';

import type * as Oidc from 'oidc-provider';

import { DPOP_ALGORITHMS } from '../../authentication/oauth2/dpop/dpop-proof.js';
import type { AuthorizationServerSettings } from '../authorization-server.settings.js';
import type { Account } from '../authorization-server.options.js';
import { grantName } from '../records/record-names.js';
import { ROUTES } from '../server-address.js';
import type { RenderError } from '../server-errors.js';
import { assertOneSecret } from './client-requests.js';
import { EXTRA_METADATA } from './client-metadata.js';
import { allowedScopes, defaultResource, mayAskFor, requestedScopes, scopesFor } from './granted-scopes.js';
import { existingGrant, type FindGrant, interactionPolicyOf } from './interaction-policy.js';
import { ACR_VALUES, MAX_AGE } from './step-up-parameters.js';

/** What configuring the provider takes beside the settings. */
export interface ProviderParts {
  readonly settings: AuthorizationServerSettings;
  readonly oidc: typeof Oidc;
  /** The key that signs. */
  readonly signingKey: JsonWebKey;
  readonly adapter: (kind: string) => { find(id: string): Promise<unknown> };
  readonly findAccount: (id: string) => Promise<Account | undefined>;
  readonly findGrant: FindGrant;
  readonly renderError: RenderError;
}

/** Longest life of a client's assertion, in seconds (R-AS-09). */
const ASSERTION_SECONDS = 300;
/** How far clocks may differ. */
const SKEW_SECONDS = 5;
const INTERACTION_SECONDS = 600;

type Context = Oidc.KoaContextWithOIDC;

/** What is known of a token that somebody asks about. */
interface IntrospectedToken {
  readonly kind: string;
  readonly aud?: unknown;
  readonly clientId: string;
}

/** oidc-provider, set to what RFC 9700 and R-AS-01 to R-AS-23 ask for. */
export function providerConfiguration(parts: ProviderParts): Oidc.Configuration {
  const { settings, oidc, signingKey, adapter } = parts;
  const { errors } = oidc;
  const { lifetimes, issuer } = settings;
  const seconds = (ms: number) => Math.floor(ms / 1000);
  const secure = issuer.startsWith('https:');
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', secure, overwrite: true } as const;
  const { algorithm } = settings.signing;

  const resourceOf = async (ctx: Context, identifier: string, client: Oidc.Client) => {
    const resource = settings.resources.get(identifier);
    if (!resource || !mayAskFor(client, identifier)) throw new errors.InvalidTarget();
    const allowed = allowedScopes(client);
    // A client that acts for itself asks one resource, and is told of each scope that it does not get (RFC 6749 §5.1).
    const isForItself = ctx.oidc.params?.['grant_type'] === 'client_credentials';
    const possible = isForItself ? allowed.filter((scope) => resource.scopes.includes(scope)) : allowed;
    const unknown = requestedScopes(ctx).find((scope) => !possible.includes(scope));
    if (unknown !== undefined)
      throw new errors.InvalidScope('the client may not ask for this scope', unknown);
    const scopes = await scopesFor(parts.findAccount, ctx, client, resource.scopes);
    return {
      scope: scopes.join(' '),
      audience: identifier,
      accessTokenTTL: seconds(lifetimes.accessToken),
      accessTokenFormat: resource.tokenFormat,
      ...(resource.tokenFormat === 'jwt' && { jwt: { sign: { alg: algorithm } } }),
    };
  };

  const configuration: Record<string, unknown> = {
    adapter,
    jwks: { keys: [signingKey] },
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt', 'none'],
    clientDefaults: { id_token_signed_response_alg: algorithm },
    enabledJWA: {
      idTokenSigningAlgValues: [algorithm],
      clientAuthSigningAlgValues: ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'],
      dPoPSigningAlgValues: [...DPOP_ALGORITHMS],
    },
    extraClientMetadata: { properties: EXTRA_METADATA },
    responseTypes: ['code'],
    extraParams: [MAX_AGE, ACR_VALUES],
    scopes: [],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    conformIdTokenClaims: true,
    clockTolerance: SKEW_SECONDS,
    cookies: {
      keys: [...settings.cookieKeys],
      names: secure
        ? { session: '__Host-as-session', interaction: '__Secure-as-request', resume: '__Secure-as-resume' }
        : { session: 'as-session', interaction: 'as-request', resume: 'as-resume' },
      long: { ...cookie, maxAge: lifetimes.session },
      short: cookie,
    },
    routes: {
      authorization: ROUTES.authorization,
      token: ROUTES.token,
      jwks: ROUTES.jwks,
      revocation: ROUTES.revocation,
      introspection: ROUTES.introspection,
      pushed_authorization_request: ROUTES.pushed_authorization_request,
    },
    ttl: {
      AccessToken: seconds(lifetimes.accessToken),
      ClientCredentials: seconds(lifetimes.accessToken),
      AuthorizationCode: seconds(lifetimes.code),
      RefreshToken: seconds(lifetimes.refreshToken),
      Grant: seconds(lifetimes.grant),
      Session: seconds(lifetimes.session),
      Interaction: INTERACTION_SECONDS,
    },
    features: {
      devInteractions: { enabled: false },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      clientCredentials: { enabled: true },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx: Context, client: Oidc.Client, token: { clientId?: string }) =>
          token.clientId === client.clientId,
      },
      introspection: {
        enabled: true,
        allowedPolicy: async (_ctx: Context, client: Oidc.Client, token: IntrospectedToken) => {
          if (token.kind === 'RefreshToken' || token.aud !== client['resource_server']) return false;
          // With its registration a client loses the tokens that it has.
          return (await adapter('Client').find(token.clientId)) !== undefined;
        },
      },
      pushedAuthorizationRequests: {
        enabled: true,
        requirePushedAuthorizationRequests: settings.requiresPushed,
      },
      dPoP: {
        enabled: true,
        ...(settings.nonceSecret && {
          nonceSecret: Buffer.from(settings.nonceSecret),
          requireNonce: () => true,
        }),
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_ctx: Context, client: Oidc.Client, oneOf?: readonly string[]) => {
          const resource = defaultResource(settings, client, oneOf);
          if (resource === undefined) throw new errors.InvalidTarget('the request must name a resource');
          return resource;
        },
        useGrantedResource: () => true,
        getResourceServerInfo: resourceOf,
      },
    },
    interactions: {
      policy: interactionPolicyOf(oidc),
      url: (_ctx: Context, { uid }: { uid: string }) => `${ROUTES.interaction}/${uid}`,
    },
    loadExistingGrant: (ctx: Context) => existingGrant(parts.findGrant, ctx),
    findAccount: async (_ctx: Context, id: string) => {
      const account = await parts.findAccount(id);
      return account && { accountId: account.id, claims: () => ({ sub: account.id }) };
    },
    // Whoever asks for refreshing is registered for it; the consent page says so.
    issueRefreshToken: (_ctx: Context, client: Oidc.Client) => client.grantTypeAllowed('refresh_token'),
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    revokeGrantPolicy: () => true,
    clientBasedCORS: (_ctx: Context, origin: string, client: Oidc.Client) =>
      (client['allowed_origins'] as readonly string[]).includes(origin),
    extraTokenClaims: (ctx: Context, token: { grantId?: string }) => extraClaims(ctx, token),
    assertJwtClientAuthClaimsAndHeader: (ctx: Context, claims: { exp?: unknown; aud?: unknown }) => {
      assertOneSecret(oidc, ctx);
      const latest = Math.floor(Date.now() / 1000) + ASSERTION_SECONDS + SKEW_SECONDS;
      if (typeof claims.exp !== 'number' || claims.exp > latest || typeof claims.aud !== 'string')
        throw new errors.InvalidClientAuth('the assertion lives too long, or has several audiences');
    },
    renderError: parts.renderError,
  };
  return configuration;
}

/** When and how the user logged in (RFC 9470 §6), and the name under which the grant can be withdrawn. */
function extraClaims(ctx: Context, { grantId }: { grantId?: string }): Record<string, unknown> | undefined {
  if (grantId === undefined) return undefined;
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities as Record<
    string,
    { authTime?: number; acr?: string; amr?: string[] } | undefined
  >;
  const { authTime, acr, amr } = AuthorizationCode ?? RefreshToken ?? {};
  return {
    sid: grantName(grantId),
    ...(authTime !== undefined && { auth_time: authTime }),
    ...(acr !== undefined && { acr }),
    ...(amr !== undefined && { amr }),
  };
}
