import type { IncomingMessage, ServerResponse } from 'node:http';

import type * as Oidc from 'oidc-provider';

import type { Interaction, Visit } from './visit.js';

const sessionOf = (provider: Oidc.Provider, request: IncomingMessage, response: ServerResponse) =>
  provider.Session.get(provider.createContext(request, response));

/** Ends the login of this browser: with the next question it is asked who sits there. */
export async function endLogin(
  provider: Oidc.Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const session = await sessionOf(provider, request, response);
  if (session.accountId !== undefined) await session.destroy();
}

/** Somebody else was logged in with this browser, before or meanwhile in another tab: their login ends with the new one. */
export async function endOtherLogin(
  { provider, request, response }: Visit,
  interaction: Interaction,
  accountId: string,
): Promise<void> {
  const session = await sessionOf(provider, request, response);
  if (session.accountId === undefined || session.accountId === accountId) return;
  await session.destroy();
  delete interaction.session;
  await interaction.persist();
}
