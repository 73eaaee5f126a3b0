import type * as Oidc from 'oidc-provider';

import type { Account } from '../authorization-server.options.js';
import type { AuthorizationServerSettings } from '../authorization-server.settings.js';

type Context = Oidc.KoaContextWithOIDC;

/** What a client is registered for. */
export const allowedScopes = (client: Oidc.Client): readonly string[] =>
  client['allowed_scopes'] as readonly string[];

/** A client that names no resources may ask for all. */
export function mayAskFor(client: Oidc.Client, resource: string): boolean {
  const allowed = client['allowed_resources'] as readonly string[];
  return allowed.length === 0 || allowed.includes(resource);
}

/** What a request asks for. */
export function requestedScopes(ctx: Context): readonly string[] {
  const { scope } = (ctx.oidc.params ?? {}) as { scope?: string };
  return scope === undefined ? [] : scope.split(' ').filter((one) => one !== '');
}

/** What the resource, the client and the user have in common: nobody gives away more than that (R-AS-11). */
export async function scopesFor(
  findAccount: (id: string) => Promise<Account | undefined>,
  ctx: Context,
  client: Oidc.Client,
  ofResource: readonly string[],
): Promise<readonly string[]> {
  const ofClient = allowedScopes(client);
  const { entities, session } = ctx.oidc as unknown as {
    entities: { Account?: { accountId: string } };
    session?: { accountId?: string };
  };
  const accountId = entities.Account?.accountId ?? session?.accountId;
  const account = accountId === undefined ? undefined : await findAccount(accountId);
  return ofResource.filter((scope) => ofClient.includes(scope) && (account?.scopes?.includes(scope) ?? true));
}

/** The resource that is meant where a request names none. */
export function defaultResource(
  { resources }: AuthorizationServerSettings,
  client: Oidc.Client,
  oneOf: readonly string[] | undefined,
): string | undefined {
  if (oneOf) return oneOf[0];
  const allowed = [...resources.keys()].filter((one) => mayAskFor(client, one));
  // With several the client has to say which: a token is for one audience (R-AS-12).
  return allowed.length === 1 ? allowed[0] : undefined;
}
