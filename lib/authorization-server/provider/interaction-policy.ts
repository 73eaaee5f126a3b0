import type * as Oidc from 'oidc-provider';

import { stepUpCheck } from './step-up-parameters.js';

type Context = Oidc.KoaContextWithOIDC;

/** Finds the consent that a user has given a client before. */
export type FindGrant = (provider: Oidc.Provider, accountId: string, clientId: string) => Promise<unknown>;

/**
 * When people are asked: for a login that is not enough, for scopes that they have not given, and each time for installed
 * applications, where nobody can be sure which one it is (R-AS-10). The last is oidc-provider's own rule for native clients.
 */
export function interactionPolicyOf(oidc: typeof Oidc) {
  const policy = oidc.interactionPolicy.base();
  policy.get('login')?.checks.add(stepUpCheck(oidc) as never);
  return policy;
}

/** The consent that a request goes by. */
export async function existingGrant(findGrant: FindGrant, ctx: Context): Promise<unknown> {
  const { provider, client, session, result } = ctx.oidc as unknown as {
    provider: Oidc.Provider;
    client: Oidc.Client;
    session: { accountId?: string };
    result?: { consent?: { grantId?: string } };
  };
  const granted = result?.consent?.grantId;
  if (granted !== undefined) return provider.Grant.find(granted);
  if (session.accountId === undefined) return undefined;
  const grant = (await findGrant(provider, session.accountId, client.clientId)) as
    | { rejected?: unknown }
    | undefined;
  // What was denied once may be asked for again.
  if (grant) delete grant.rejected;
  return grant;
}
