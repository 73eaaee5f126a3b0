import { isNative, type RegisteredClient } from '../clients/client-registration.js';

/** Members of ours beside those of RFC 7591. */
export const EXTRA_METADATA = [
  'verified',
  'allowed_scopes',
  'allowed_resources',
  'allowed_origins',
  'resource_server',
];

const METHODS = { secret: 'client_secret_basic', 'private-key': 'private_key_jwt', none: 'none' } as const;

/** A client in the terms of oidc-provider. In the place of the secret stands its digest: `compareClientSecret` knows. */
export function clientMetadata(client: RegisteredClient): Record<string, unknown> {
  const { redirectUris, secretDigest, jwks, resourceServer } = client;
  return {
    client_id: client.clientId,
    client_name: client.name,
    redirect_uris: [...redirectUris],
    grant_types: [...client.grantTypes],
    response_types: client.grantTypes.includes('authorization_code') ? ['code'] : [],
    application_type: isNative(redirectUris) ? 'native' : 'web',
    token_endpoint_auth_method: METHODS[client.authentication],
    dpop_bound_access_tokens: client.dpopBound,
    require_pushed_authorization_requests: client.pushedRequests,
    ...(secretDigest !== undefined && { client_secret: secretDigest }),
    ...(jwks && { jwks: structuredClone(jwks) }),
    verified: client.verified,
    allowed_scopes: client.scopes,
    allowed_resources: client.resources,
    allowed_origins: client.allowedOrigins,
    ...(resourceServer !== undefined && { resource_server: resourceServer }),
  };
}
