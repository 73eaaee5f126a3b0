import type * as Oidc from 'oidc-provider';

import { KeyRingSeal } from '../../authentication/jwt/key-ring-seal.js';
import { SigningKeyRing } from '../../authentication/jwt/signing-key-ring.js';
import type { TokenSigner } from '../../authentication/jwt/token-issuer.js';
import type { RequestState } from '../../http/request-state.js';
import type { Account } from '../authorization-server.options.js';
import type { RenderError } from '../server-errors.js';
import type { AuthorizationServerParts } from '../server-parts.js';
import { ClientAdapter } from './client-adapter.js';
import { createProvider } from './create-provider.js';
import { RecordAdapter } from '../records/record-adapter.js';
import { RecordKeyRingStore } from '../records/record-key-ring-store.js';

const DAY_MS = 86_400_000;
/** Clocks, and a key that has just stopped signing on another node. */
const KEY_MARGIN_MS = 120_000;

type Callback = (request: RequestState['request'], response: RequestState['response']) => Promise<void>;

/** The provider that answers now. */
export interface CurrentProvider {
  readonly kid: string;
  readonly provider: Oidc.Provider;
  readonly callback: Callback;
}

/** What a provider is made with beside the server's parts. */
export interface ProviderHostParts extends AuthorizationServerParts {
  readonly findAccount: (id: string) => Promise<Account | undefined>;
  readonly renderError: RenderError;
}

/** Keeps the signing keys, and a provider that signs with the one whose time it is. */
export class ProviderHost {
  readonly ring: SigningKeyRing;
  #oidc: typeof Oidc | undefined;
  #current: CurrentProvider | undefined;
  readonly #ending = new Map<string, Promise<void>>();

  constructor(private readonly parts: ProviderHostParts) {
    this.ring = new SigningKeyRing(parts.clock);
  }

  /** @throws Error if oidc-provider is not installed */
  async open(): Promise<void> {
    const { settings, calls, events } = this.parts;
    const { issuer, store, encryptionKeys, signing, lifetimes } = settings;
    this.#oidc = await import('oidc-provider').catch(() => {
      throw new Error('AuthorizationServerModule needs oidc-provider: npm install oidc-provider@9');
    });
    const publishAhead = Math.min(DAY_MS, signing.rotateEvery / 2);
    this.ring.open({
      issuer,
      store: new RecordKeyRingStore(store),
      seal: new KeyRingSeal(issuer, encryptionKeys),
      schedule: { ...signing, publishAhead, outlive: lifetimes.accessToken + KEY_MARGIN_MS },
      calls,
      events,
    });
    // What fails is reported, and tried again: until then requests are answered with 503.
    await this.ring.refresh().catch(() => undefined);
  }

  /** The keys with which others verify. @throws SecurityError `UNAVAILABLE` */
  async publicJwks(): Promise<readonly object[]> {
    await this.#signer();
    return this.ring.publicJwks();
  }

  /** A new provider takes the place of the one before when another key signs. @throws SecurityError `UNAVAILABLE` */
  async current(): Promise<CurrentProvider> {
    const signer = await this.#signer();
    if (this.#current?.kid !== signer.kid) this.#current = this.#make(signer);
    return this.#current;
  }

  /** Where the store was down at the start it is asked again. */
  async #signer(): Promise<TokenSigner> {
    // Whatever is wrong with the keys has been reported; clients are told that there are none.
    if (this.ring.publicJwks().length === 0) await this.ring.refresh().catch(() => undefined);
    return this.ring.signer();
  }

  #make(signer: TokenSigner): CurrentProvider {
    const { settings, clients, applications, events, findAccount, renderError } = this.parts;
    const oidc = this.#oidc!;
    const provider = createProvider({
      oidc,
      settings,
      signer,
      adapter: (kind) => (kind === 'Client' ? new ClientAdapter(clients) : this.#records(kind, oidc)),
      findAccount,
      grantIdOf: (accountId, clientId) => applications.grantIdOf(accountId, clientId),
      renderError,
      events,
    });
    return { kid: signer.kid, provider, callback: provider.callback() };
  }

  #records(kind: string, { errors }: typeof Oidc): RecordAdapter {
    const { settings, seal, calls, clock, events } = this.parts;
    const { store } = settings;
    return new RecordAdapter(kind, {
      store,
      seal,
      calls,
      clock,
      spent: () =>
        kind === 'ReplayDetection'
          ? new errors.InvalidRequest('it was used before')
          : new errors.InvalidGrant('it was used before'),
      replayed: (clientId) => events.emit('oauth-grant.replayed', { clientId }),
      ended: (grant) => this.#endJwts(grant),
    });
  }

  /** JWTs of a grant are told apart by their `sid`. All kinds of its records end at the same time, and its JWTs once. */
  #endJwts(grant: string): Promise<void> {
    const known = this.#ending.get(grant);
    if (known) return known;
    const { settings, tokens } = this.parts;
    const target = { issuer: settings.issuer, id: grant, sessionId: grant };
    const ending = tokens
      .revoke(target as Parameters<typeof tokens.revoke>[0])
      .finally(() => this.#ending.delete(grant));
    this.#ending.set(grant, ending);
    return ending;
  }
}
