import type * as Oidc from 'oidc-provider';

import { isNative } from '../clients/client-registration.js';
import { stepUpCheck } from './step-up-parameters.js';

type Context = Oidc.KoaContextWithOIDC;

/** Finds the consent that a user has given a client before. */
export type FindGrant = (provider: Oidc.Provider, accountId: string, clientId: string) => Promise<unknown>;

/** When people are asked: for a login that is not enough, for scopes that they have not given, and always where nobody can be sure which application it is (R-AS-10). */
export function interactionPolicyOf(oidc: typeof Oidc) {
  const { base, Check } = oidc.interactionPolicy;
  const policy = base();
  policy.get('login')?.checks.add(stepUpCheck(oidc) as never);
  const unsure = new Check(
    'unassured_client',
    'the client cannot be told from another application',
    'consent_required',
    (ctx: Context) => {
      const { client, result } = ctx.oidc as unknown as {
        client: Oidc.Client;
        result?: { consent?: unknown };
      };
      const asks = client['clientAuthMethod'] === 'none' && isNative(client.redirectUris ?? []);
      return asks && !result?.consent ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT;
    },
  );
  policy.get('consent')?.checks.add(unsure);
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
