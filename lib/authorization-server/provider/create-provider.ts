import { timingSafeEqual } from 'node:crypto';

import type * as Oidc from 'oidc-provider';

import type { TokenSigner } from '../../authentication/jwt/token-issuer.js';
import { sha256 } from '../../authentication/sha256.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { AuthorizationServerSettings } from '../authorization-server.settings.js';
import type { Account } from '../authorization-server.options.js';
import { ROUTES } from '../server-address.js';
import type { RenderError } from '../server-errors.js';
import { assertOneSecret, keepOriginsApart } from './client-requests.js';
import { providerConfiguration } from './provider-configuration.js';

const REPLAYED_PROOF = 'DPoP proof JWT Replay detected';
const NO_CREDENTIALS = 'no client authentication mechanism provided';

/** What making a provider takes. */
export interface CreateProviderParts {
  readonly oidc: typeof Oidc;
  readonly settings: AuthorizationServerSettings;
  readonly signer: TokenSigner;
  readonly adapter: (kind: string) => { find(id: string): Promise<unknown> };
  readonly findAccount: (id: string) => Promise<Account | undefined>;
  readonly grantIdOf: (accountId: string, clientId: string) => Promise<string | undefined>;
  readonly renderError: RenderError;
  readonly events: SecurityEvents;
}

/** oidc-provider with one signing key. All that it knows is in the store, so another one can take its place at any time. */
export function createProvider(parts: CreateProviderParts): Oidc.Provider {
  const { oidc, settings, signer, adapter, findAccount, grantIdOf, renderError, events } = parts;
  const { kid, algorithm, privateKey } = signer;
  const signingKey = { ...privateKey.export({ format: 'jwk' }), kid, alg: algorithm, use: 'sig' };
  const provider = new (redirectingProvider(oidc))(
    settings.issuer,
    providerConfiguration({
      settings,
      oidc,
      signingKey,
      adapter,
      findAccount,
      renderError,
      findGrant: async (own, accountId, clientId) => {
        const grantId = await grantIdOf(accountId, clientId);
        return grantId === undefined ? undefined : own.Grant.find(grantId);
      },
    }),
  );
  // The scheme and host that it sees are those of the issuer, which stand in the request in place of what was sent.
  provider.proxy = true;
  const { Client } = provider as unknown as { Client: { prototype: ClientPrototype } };
  // What is kept is the digest of a secret, so the digest of what is sent is compared.
  Client.prototype.compareClientSecret = function compare(actual) {
    assertOneSecret(oidc, oidc.Provider.ctx as Oidc.KoaContextWithOIDC);
    const [known, sent] = [Buffer.from(this.clientSecret ?? ''), Buffer.from(sha256(actual))];
    return known.length === sent.length && timingSafeEqual(known, sent);
  };
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.status === 503) ctx.set('Retry-After', '5');
    keepOriginsApart(ctx as Oidc.KoaContextWithOIDC);
    // Who brings no credentials has failed to authenticate like everybody else (RFC 6749 §5.2).
    const body = ctx.body as { error?: string; error_description?: string } | undefined;
    if (body?.error_description === NO_CREDENTIALS) {
      ctx.status = 401;
      ctx.body = { error: 'invalid_client', error_description: NO_CREDENTIALS };
    }
    const { client } = (ctx['oidc'] ?? {}) as { client?: Oidc.Client };
    if (
      ctx.path === ROUTES.introspection &&
      ctx.status < 400 &&
      typeof client?.['resource_server'] !== 'string'
    ) {
      // Who is no resource server learns nothing, not even whether there is such a token (RFC 7662 §2.1, §4).
      ctx.status = 401;
      ctx.set('WWW-Authenticate', `Basic realm="${settings.issuer}", error="invalid_client"`);
      ctx.body = { error: 'invalid_client', error_description: 'the client is no resource server' };
      return;
    }
    // JWTs are no tokens that could be looked up here, and of those it says no more (RFC 7662 §2.2).
    if (ctx.path === ROUTES.introspection && body?.error === 'unsupported_token_type') {
      ctx.status = 200;
      ctx.body = { active: false };
    }
  });
  provider.on('grant.revoked', (ctx) => {
    // At this endpoint it can only mean that something was used a second time.
    const { route, client } = ctx.oidc as unknown as { route: string; client?: Oidc.Client };
    if (route === 'token') events.emit('oauth-grant.replayed', { clientId: client?.clientId ?? '' });
  });
  provider.on('grant.error', (ctx, error) => {
    const { client } = ctx.oidc as unknown as { client?: Oidc.Client };
    if (error.error !== 'invalid_grant') return;
    const reason = error.error_detail ?? 'invalid_grant';
    // It is the proof that is not good, and the client should make another (RFC 9449 §5).
    if (reason === REPLAYED_PROOF)
      ctx.body = { error: 'invalid_dpop_proof', error_description: 'it was used before' };
    events.emit('oauth-grant.refused', { clientId: client?.clientId ?? '', reason });
  });
  provider.on('server_error', (ctx, error) => {
    const { name, message, stack } = error;
    // What is down is reported where it was asked.
    if (error instanceof SecurityError) ctx.status = error.getStatus();
    else events.emit('error.unhandled', { name, message, stack });
  });
  return provider;
}

/** Answers go by redirect alone: a page that sends itself by POST would need a script (R-AS-01, R-AS-14). */
function redirectingProvider({ Provider }: typeof Oidc): typeof Provider {
  return class extends Provider {
    override registerResponseMode(
      ...[name, handler]: Parameters<Oidc.Provider['registerResponseMode']>
    ): void {
      if (name !== 'form_post') super.registerResponseMode(name, handler);
    }
  };
}

interface ClientPrototype {
  clientSecret?: string;
  compareClientSecret(this: ClientPrototype, actual: string): boolean;
}
