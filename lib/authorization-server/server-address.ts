/** Where things are, below the issuer. */
export const ROUTES = Object.freeze({
  metadata: '/.well-known/oauth-authorization-server',
  jwks: '/oauth/jwks',
  authorization: '/oauth/authorize',
  token: '/oauth/token',
  revocation: '/oauth/revoke',
  introspection: '/oauth/introspect',
  pushed_authorization_request: '/oauth/par',
  interaction: '/oauth/interaction',
  applications: '/oauth/applications',
});
