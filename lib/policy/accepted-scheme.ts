import type { AcceptedScheme, AuthenticationPolicy, CredentialScheme } from './route-policy.js';

/** What a route asks of a scheme, if it accepts it. A loop, because it runs twice in each request. */
export function acceptedScheme(
  { schemes }: AuthenticationPolicy,
  scheme: CredentialScheme,
): AcceptedScheme | undefined {
  for (let i = 0; i < schemes.length; i++) if (schemes[i]!.scheme === scheme) return schemes[i];
  return undefined;
}
