import { Logger } from '@nestjs/common';

import { LoginBackoff } from '../authentication/login-backoff.js';
import type { Mount } from '../http/mounted-paths.js';
import type { RateLimitStorage } from '../rate-limit/rate-limit-storage.js';
import { ApplicationsPage } from './applications/applications-page.js';
import { endLogin } from './browser-login.js';
import { FormTokens } from './form-tokens.js';
import { Interactions } from './interactions.js';
import { assertAccount, LoginCheck } from './login-check.js';
import { PageWriter } from './pages/page-writer.js';
import { ProviderHost } from './provider/provider-host.js';
import type { AuthorizationServerParts } from './server-parts.js';
import { renderProviderError } from './server-errors.js';
import { ServerRequests } from './server-requests.js';

const KEYS_EVERY_MS = 15_000;
const PURGE_EVERY_MS = 600_000;
const PURGED_AT_ONCE = 500;
const PURGE_ROUNDS = 1_000;

/** The authorization server itself: puts its parts together, and does what has to be done now and then. */
export class AuthorizationServer {
  readonly #logger = new Logger('AuthorizationServer');
  readonly #host: ProviderHost;
  readonly #requests: ServerRequests;
  #timers: NodeJS.Timeout[] = [];

  /** @internal */
  constructor(private readonly parts: AuthorizationServerParts) {
    const { clients, events, calls } = parts;
    const { storage: given } = parts.settings;
    // A counter that cannot be asked lets nobody try.
    const storage: RateLimitStorage = {
      consume: (charges) => calls.ask(() => given.consume(charges)),
      reset: (meter, subject) => given.reset(meter, subject),
    };
    const settings = { ...parts.settings, storage };
    const pages = new PageWriter(settings);
    const tokens = new FormTokens(settings.cookieKeys);
    const logins = new LoginCheck(settings, new LoginBackoff(storage));
    const findAccount = async (id: string) => {
      const account = await settings.findAccount(id);
      if (account) assertAccount(account);
      return account ?? undefined;
    };
    const renderError = renderProviderError.bind(undefined, { pages, settings });
    this.#host = new ProviderHost({ ...parts, settings, findAccount, renderError });
    this.#requests = new ServerRequests({
      ...parts,
      settings,
      pages,
      host: this.#host,
      interactions: new Interactions({ settings, clients, pages, tokens, logins, findAccount, events }),
      applications: new ApplicationsPage({
        ...parts,
        settings,
        pages,
        tokens,
        logins,
        findAccount,
        endLogin: async (request, response) =>
          endLogin((await this.#host.current()).provider, request, response),
      }),
    });
  }

  /** @internal What the server answers. */
  get mount(): Mount {
    return this.#requests;
  }

  /** @internal @throws Error if oidc-provider is not installed */
  async start(): Promise<void> {
    await this.#host.open();
    this.#every(KEYS_EVERY_MS, () => this.#host.ring.refresh());
    this.#every(PURGE_EVERY_MS, () => this.#purge());
  }

  /** @internal */
  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    await this.parts.settings.store.close?.();
  }

  /** Makes a new signing key now, which is published at once and signs later. @returns its `kid` */
  rotateSigningKey(): Promise<string> {
    return this.#host.ring.rotate();
  }

  /**
   * Takes a signing key out at once, for one that has leaked; other nodes know it within 15 seconds.
   * @returns false if there is no such key
   */
  removeSigningKey(kid: string): Promise<boolean> {
    return this.#host.ring.remove(kid);
  }

  #every(ms: number, work: () => Promise<unknown>): void {
    const timer = setInterval(() => void work().catch((error: unknown) => this.#logger.debug(error)), ms);
    timer.unref();
    this.#timers.push(timer);
  }

  async #purge(): Promise<void> {
    const { settings, calls, clock } = this.parts;
    for (let round = 0; round < PURGE_ROUNDS; round++) {
      const removed = await calls.ask(() => settings.store.purge(clock.now(), PURGED_AT_ONCE));
      if (removed < PURGED_AT_ONCE) return;
    }
  }
}
