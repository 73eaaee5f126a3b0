import type { Account } from './authorization-server.options.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import { isNative, type RegisteredClient } from './clients/client-registration.js';

/** What a request says about scopes. */
export interface Requested {
  readonly scope?: string;
  readonly resource?: string | string[];
}

/** A scope that is asked for, and where. */
export interface Asked {
  readonly resource: string;
  readonly scope: string;
}

/** The members of a grant that consent is about: scopes by resource, given and denied. */
export interface GrantMembers {
  resources?: Readonly<Record<string, string>>;
  rejected?: unknown;
}

/** What the request, the client, the resources and the user have in common: nothing else is offered (R-AS-11). */
export function askedFor(
  { scope = '', resource = [] }: Requested,
  resources: AuthorizationServerSettings['resources'],
  client: RegisteredClient,
  account: Account,
): readonly Asked[] {
  const requested = scope.split(' ');
  return [resource].flat().flatMap((identifier) =>
    (resources.get(identifier)?.scopes ?? [])
      .filter((one) => requested.includes(one) && client.scopes.includes(one))
      .filter((one) => account.scopes?.includes(one) ?? true)
      .map((one) => ({ resource: identifier, scope: one })),
  );
}

/** What stands for it in a form. */
export const valueOf = ({ resource, scope }: Asked): string => `${scope} ${resource}`;

/** Writes into a grant what was chosen of what was asked; what was given before and is not asked about now stays. */
export function applyChoice(grant: GrantMembers, asked: readonly Asked[], chosen: readonly Asked[]): void {
  const resources: Record<string, string> = { ...grant.resources };
  const rejected: Record<string, string> = {};
  for (const resource of new Set(asked.map((one) => one.resource))) {
    const scopesIn = (list: readonly Asked[]) =>
      list.flatMap((one) => (one.resource === resource ? one.scope : []));
    const offered = scopesIn(asked);
    const before = (resources[resource] ?? '').split(' ');
    const kept = before.filter((one) => one !== '' && !offered.includes(one));
    resources[resource] = [...kept, ...scopesIn(chosen)].join(' ');
    rejected[resource] = scopesIn(asked.filter((one) => !chosen.includes(one))).join(' ');
  }
  grant.resources = resources;
  grant.rejected = { resources: rejected };
}

/** Where the answer goes, as far as people can judge it. */
export function destinationOf(redirectUri: unknown, { redirectUris }: RegisteredClient): string {
  const { protocol, host } = new URL(String(redirectUri));
  if (protocol === 'https:') return host;
  return isNative(redirectUris) && protocol !== 'http:'
    ? `the application ${protocol.slice(0, -1)}`
    : 'an application on this device';
}
