import { DPOP_ALGORITHMS } from '../authentication/oauth2/dpop/dpop-proof.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import { GRANT_TYPES } from './clients/client-registration.js';
import { ROUTES } from './server-address.js';

/** Authorization server metadata (RFC 8414 §2): what is there, and nothing that is not (R-AS-01). */
export function serverMetadata({ issuer, scopes, requiresPushed }: AuthorizationServerSettings): string {
  const at = (route: string) => issuer + route;
  const methods = ['client_secret_basic', 'private_key_jwt'];
  const algorithms = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];
  return JSON.stringify({
    issuer,
    authorization_endpoint: at(ROUTES.authorization),
    token_endpoint: at(ROUTES.token),
    jwks_uri: at(ROUTES.jwks),
    revocation_endpoint: at(ROUTES.revocation),
    introspection_endpoint: at(ROUTES.introspection),
    pushed_authorization_request_endpoint: at(ROUTES.pushed_authorization_request),
    ...(requiresPushed && { require_pushed_authorization_requests: true }),
    scopes_supported: Object.keys(scopes),
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment'],
    grant_types_supported: GRANT_TYPES,
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: [...methods, 'none'],
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_methods_supported: [...methods, 'none'],
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_methods_supported: methods,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
    authorization_response_iss_parameter_supported: true,
    dpop_signing_alg_values_supported: DPOP_ALGORITHMS,
  });
}
