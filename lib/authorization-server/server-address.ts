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

/** The name of a request in the path of its page. */
export function interactionIn(path: string): string | undefined {
  const uid = path.startsWith(`${ROUTES.interaction}/`) ? path.slice(ROUTES.interaction.length + 1) : '';
  return /^[\w-]{20,100}$/.test(uid) ? uid : undefined;
}
