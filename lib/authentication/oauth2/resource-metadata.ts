import type { RoutePolicy } from '../../policy/route-policy.js';
import type { DpopSettings } from './dpop/dpop.options.js';
import type { OAuth2Options } from './oauth2.options.js';

const WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** Where clients find the metadata of this resource: the well-known name goes in front of the identifier's path (RFC 9728 §3.1). */
export function metadataLocation(resource: string): { readonly url: string; readonly path: string } {
  const { origin, pathname, search } = new URL(resource);
  const path = WELL_KNOWN + (pathname === '/' ? '' : pathname) + search;
  return { url: origin + path, path };
}

/**
 * Protected resource metadata (RFC 9728 §2), from the configuration and the routes alone: nothing in it comes from a request.
 * Scopes are those that a route with `@OAuth2Auth()` asks for.
 */
export function buildResourceMetadata(
  { resource, issuers, mtls, hiddenScopes = [] }: OAuth2Options,
  policies: readonly RoutePolicy[],
  dpop?: Pick<DpopSettings, 'algorithms' | 'required'>,
): string {
  const scopes = policies.flatMap(({ authentication, authorization }) => {
    const accepted = authentication.schemes.find(({ scheme }) => scheme === 'oauth2');
    return accepted ? [...accepted.scopes, ...authorization.scopes] : [];
  });
  const supported = [...new Set(scopes)].filter((scope) => !hiddenScopes.includes(scope)).toSorted();
  return JSON.stringify({
    resource,
    authorization_servers: issuers.map(({ issuer }) => issuer),
    bearer_methods_supported: ['header'],
    ...(supported.length > 0 ? { scopes_supported: supported } : {}),
    ...(mtls && { tls_client_certificate_bound_access_tokens: true }),
    ...(dpop && {
      dpop_signing_alg_values_supported: dpop.algorithms,
      dpop_bound_access_tokens_required: dpop.required,
    }),
  });
}
