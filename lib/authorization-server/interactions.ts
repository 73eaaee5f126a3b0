import type * as Oidc from 'oidc-provider';

import type { SecurityEvents } from '../events/security-events.js';
import type { AuthorizationServerSettings } from './authorization-server.settings.js';
import type { Account } from './authorization-server.options.js';
import { endLogin, endOtherLogin } from './browser-login.js';
import type { RegisteredClient } from './clients/client-registration.js';
import type { ClientService } from './clients/client.service.js';
import {
  applyChoice,
  type Asked,
  askedFor,
  destinationOf,
  type GrantMembers,
  valueOf,
} from './consent-choice.js';
import type { FormTokens } from './form-tokens.js';
import type { LoginCheck } from './login-check.js';
import { formTargetsOf, type PageWriter, type WrittenPage } from './pages/page-writer.js';
import type { PermissionView } from './pages/page-views.js';
import { ACR_VALUES } from './provider/step-up-parameters.js';
import { ROUTES } from './server-address.js';
import type { Interaction, Visit } from './visit.js';

/** What cannot go on, in words for people. */
export class InteractionEnded extends Error {
  constructor(
    message: string,
    readonly status = 400,
  ) {
    super(message);
  }
}

/** A form that comes from elsewhere, or from another page. */
export const foreignForm = (): InteractionEnded =>
  new InteractionEnded('The form is not one that this page has made.', 403);

/** What the pages of a request for access work with. */
export interface InteractionParts {
  readonly settings: AuthorizationServerSettings;
  readonly clients: ClientService;
  readonly pages: PageWriter;
  readonly tokens: FormTokens;
  readonly logins: LoginCheck;
  readonly findAccount: (id: string) => Promise<Account | undefined>;
  readonly events: SecurityEvents;
}

/** The pages between an application's question and its answer: who is it, and do they agree (R-AS-13)? */
export class Interactions {
  constructor(private readonly parts: InteractionParts) {}

  /** @throws InteractionEnded, SessionNotFound of oidc-provider */
  async handle(visit: Visit, uid: string): Promise<void> {
    const { provider, request, response, form } = visit;
    const interaction = await provider.interactionDetails(request, response);
    if (interaction.uid !== uid) throw new InteractionEnded('The page belongs to another request.');
    const client = await this.parts.clients.find(String(interaction.params['client_id']));
    if (!client) throw new InteractionEnded('The application is not registered any more.');
    if (form) {
      if (!this.parts.tokens.isGood(form.get('csrf'), uid, interaction.prompt.name)) throw foreignForm();
      if (['cancel', 'deny'].includes(form.get('action') ?? '')) {
        const refusal = { error: 'access_denied', error_description: 'the user did not allow it' };
        return provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
      }
      if (form.get('action') === 'switch') return this.#switch(visit, interaction);
    }
    if (interaction.prompt.name === 'login') return this.#login(visit, interaction, client);
    return this.#consent(visit, interaction, client);
  }

  async #login(visit: Visit, interaction: Interaction, client: RegisteredClient): Promise<void> {
    const { provider, request, response, form, address } = visit;
    const { [ACR_VALUES]: acrValues } = interaction.params as { [ACR_VALUES]?: string };
    const outcome = form && (await this.parts.logins.check(form, address, acrValues?.split(' ')));
    if (outcome && 'account' in outcome) {
      const { id: accountId, acr, amr = ['pwd'] } = outcome.account;
      await endOtherLogin(visit, interaction, accountId);
      const login = { accountId, amr: [...amr], ts: Math.floor(Date.now() / 1000), ...(acr && { acr }) };
      return provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
    }
    const { settings, tokens } = this.parts;
    const hint: unknown = interaction.params['login_hint'];
    if (outcome?.retryAfter !== undefined) response.setHeader('Retry-After', outcome.retryAfter);
    this.#send(visit, interaction, outcome?.status ?? 200, (view) =>
      settings.pages.login({
        ...view,
        csrf: tokens.make(interaction.uid, 'login'),
        clientName: client.name,
        login: form?.get('login') ?? (typeof hint === 'string' ? hint.slice(0, 320) : ''),
        problem: outcome?.problem,
      }),
    );
  }

  /** Somebody else sits here than the one who is signed in: the same question again, to them. */
  async #switch(visit: Visit, interaction: Interaction): Promise<void> {
    const { provider, request, response } = visit;
    await endLogin(provider, request, response);
    delete interaction.session;
    interaction.prompt = { name: 'login', reasons: ['login_prompt'], details: {} };
    await interaction.persist();
    response.statusCode = 303;
    response.setHeader('Location', `${ROUTES.interaction}/${interaction.uid}`);
    response.setHeader('Cache-Control', 'no-store');
    response.end();
  }

  async #consent(visit: Visit, interaction: Interaction, client: RegisteredClient): Promise<void> {
    const { settings, tokens, findAccount } = this.parts;
    const { provider, form } = visit;
    const accountId = interaction.session?.accountId;
    const account = accountId === undefined ? undefined : await findAccount(accountId);
    if (!account) throw new InteractionEnded('Nobody is signed in any more.');
    const asked = askedFor(interaction.params, settings.resources, client, account);
    const grant = await grantOf(provider, interaction, account, client);
    const chosen = asked.filter((one) => form?.getAll('scope').includes(valueOf(one)));
    if (form && chosen.length > 0) return this.#allow(visit, grant, asked, chosen);
    const nothing =
      asked.length === 0 ? 'Your account has none of the permissions that it asks for.' : undefined;
    const problem = form ? 'Choose at least one permission, or deny access.' : nothing;
    this.#send(visit, interaction, form ? 400 : 200, (view) =>
      settings.pages.consent({
        ...view,
        csrf: tokens.make(interaction.uid, 'consent'),
        clientName: client.name,
        verified: client.verified,
        destination: destinationOf(interaction.params['redirect_uri'], client),
        accountName: account.name ?? account.id,
        permissions: asked.map((one) => this.#permission(one, grant, !form || chosen.includes(one))),
        until: new Date(Date.now() + settings.lifetimes.grant),
        offline: client.grantTypes.includes('refresh_token'),
        problem,
      }),
    );
  }

  async #allow(
    { provider, request, response }: Visit,
    grant: Oidc.Grant & GrantMembers,
    asked: readonly Asked[],
    chosen: readonly Asked[],
  ): Promise<void> {
    applyChoice(grant, asked, chosen);
    grant.exp = Math.floor((Date.now() + this.parts.settings.lifetimes.grant) / 1000);
    const grantId = await grant.save();
    const { accountId = '', clientId = '' } = grant;
    this.parts.events.emit('oauth-grant.given', {
      subject: accountId,
      clientId,
      scopes: chosen.map(({ scope }) => scope),
    });
    const options = { mergeWithLastSubmission: true };
    return provider.interactionFinished(request, response, { consent: { grantId } }, options);
  }

  #permission(one: Asked, grant: GrantMembers, chosen: boolean): PermissionView {
    const { scopes, resources } = this.parts.settings;
    return {
      value: valueOf(one),
      words: scopes[one.scope] ?? one.scope,
      resource: resources.get(one.resource)?.name ?? one.resource,
      given: grant.resources?.[one.resource]?.split(' ').includes(one.scope) ?? false,
      chosen,
    };
  }

  #send(
    { response }: Visit,
    { params }: Interaction,
    status: number,
    make: Parameters<PageWriter['write']>[0],
  ): void {
    const page: WrittenPage = this.parts.pages.write(make, formTargetsOf(params['redirect_uri']));
    this.parts.pages.send(response, status, page);
  }
}

async function grantOf(
  provider: Oidc.Provider,
  { grantId }: Interaction,
  { id: accountId }: Account,
  { clientId }: RegisteredClient,
): Promise<Oidc.Grant & GrantMembers> {
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const isOwn = known?.accountId === accountId && known.clientId === clientId;
  return (isOwn ? known : new provider.Grant({ accountId, clientId })) as Oidc.Grant & GrantMembers;
}
