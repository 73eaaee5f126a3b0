import { BlockList } from 'node:net';

import type { PassportStatic } from 'passport';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import { addBlock, isInBlocks } from '../../http/proxy-trust.js';
import { createPrincipal } from '../../principal/principal.js';
import { BoundedCache } from '../bounded-cache.js';
import {
  CredentialRejected,
  type CredentialVerifier,
  type VerifiedCredential,
} from '../credential-verifier.js';
import { createPassport, runStrategy } from '../passport-runner.js';
import { sha256 } from '../sha256.js';
import type { ApiKeyDigest } from './api-key-digest.js';
import type { ApiKeySettings } from './api-key.options.js';
import { API_KEY_STRATEGY, createApiKeyStrategy, FACADE_HEADER } from './api-key.strategy.js';
import type { ApiKeyRecord, ApiKeyStore } from './api-key-store.js';
import type { ApiKeyService } from './api-key.service.js';
import { parseKey } from './key-format.js';

/** A verdict as the strategy hands it through passport: nothing else that comes out of there lets anybody in (PITFALL P5). */
class Verdict {
  constructor(
    readonly credential: VerifiedCredential,
    readonly keyId: string,
  ) {}
}

interface Remembered extends Verdict {
  /** Monotonic time until which the store need not be asked again. */
  readonly freshUntil: number;
}

/** How long an unknown key is remembered, unless a key of that id is made meanwhile (R-AK-13). */
const NEGATIVE_MS = 1_000;
const NEGATIVE_SIZE = 10_000;

/** Verifies API keys: what it has just seen from memory, everything else through passport and the store. */
export class ApiKeyVerifier implements CredentialVerifier {
  readonly wireScheme = 'api-key';
  readonly #passport: PassportStatic = createPassport();
  readonly #verified: BoundedCache<Remembered>;
  /** Digest of the last verified key by key id, so that a change can find what to forget. */
  readonly #digestById: BoundedCache<string>;
  readonly #unknown = new BoundedCache<{
    readonly keyId: string;
    readonly until: number;
    readonly reason: string;
  }>(NEGATIVE_SIZE);
  readonly #pending = new Map<string, Promise<VerifiedCredential>>();
  /** Counts changes, so that a look-up that one has overtaken is not remembered. */
  #changes = 0;

  constructor(
    private readonly store: ApiKeyStore,
    private readonly settings: ApiKeySettings,
    private readonly digests: ApiKeyDigest,
    private readonly clock: SecurityClock,
    service: ApiKeyService,
  ) {
    this.#verified = new BoundedCache(settings.cacheSize);
    this.#digestById = new BoundedCache(settings.cacheSize);
    createApiKeyStrategy(this.#passport, (key) => this.#look(key));
    service.onChange((id) => this.#forget(id));
  }

  cached(key: string): VerifiedCredential | undefined {
    const known = this.#verified.get(sha256(key));
    if (known === undefined) return undefined;
    if (known.freshUntil <= this.clock.monotonic() || known.credential.expiresAt <= this.clock.now())
      return undefined;
    return known.credential;
  }

  async verify(key: string): Promise<VerifiedCredential> {
    // Garbage costs no digest, no store and no passport (R-AU-14).
    const parts = parseKey(key);
    if (!parts || parts.prefix !== this.settings.prefix) throw new CredentialRejected('key.malformed');
    const digest = sha256(key);
    const unknown = this.#unknown.get(digest);
    if (unknown && unknown.until > this.clock.monotonic())
      throw new CredentialRejected(unknown.reason, parts.id);
    const pending = this.#pending.get(digest);
    if (pending) return pending;
    const verifying = this.#verify(key, digest, parts.id).finally(() => this.#pending.delete(digest));
    this.#pending.set(digest, verifying);
    return verifying;
  }

  async #verify(key: string, digest: string, keyId: string): Promise<VerifiedCredential> {
    const changes = this.#changes;
    try {
      const verdict = await runStrategy(this.#passport, API_KEY_STRATEGY, {
        headers: { [FACADE_HEADER]: key },
      });
      if (!(verdict instanceof Verdict)) throw new CredentialRejected('key.verdict', keyId);
      if (changes === this.#changes) this.#remember(digest, verdict);
      return verdict.credential;
    } catch (error) {
      if (error instanceof SecurityError) throw error;
      const rejected =
        error instanceof CredentialRejected ? error : new CredentialRejected('key.strategy', keyId);
      if (changes === this.#changes) {
        this.#unknown.set(digest, {
          keyId,
          until: this.clock.monotonic() + NEGATIVE_MS,
          reason: rejected.reason,
        });
      }
      throw rejected;
    }
  }

  /** What the strategy asks: finds the record and judges it. */
  async #look(key: string): Promise<Verdict> {
    const parts = parseKey(key);
    if (!parts) throw new CredentialRejected('key.malformed');
    const record = await this.#ask(() => this.store.find(parts.id));
    const matches = this.digests.matches(key, record?.digest);
    if (!record) throw new CredentialRejected('key.unknown', parts.id);
    if (!matches) throw new CredentialRejected('key.secret', parts.id);
    const now = this.clock.now();
    if (record.revokedAt !== undefined) throw new CredentialRejected('key.revoked', parts.id);
    if (record.expiresAt !== undefined && record.expiresAt <= now)
      throw new CredentialRejected('key.expired', parts.id);
    if (record.environment !== this.settings.environment || parts.environment !== record.environment) {
      throw new CredentialRejected('key.environment', parts.id);
    }
    return new Verdict(await this.#credentialOf(record), record.id);
  }

  async #credentialOf(record: ApiKeyRecord): Promise<VerifiedCredential> {
    const { ownerRights } = this.settings;
    let { scopes, roles } = record;
    if (ownerRights) {
      const rights = await this.#ask(async () => ownerRights(record.owner));
      if (!rights) throw new CredentialRejected('key.owner-disabled', record.id);
      scopes = scopes.filter((scope) => rights.scopes.includes(scope));
      roles = roles.filter((role) => rights.roles?.includes(role));
    }
    const principal = createPrincipal({
      type: 'api-key',
      id: record.id,
      scheme: 'api-key',
      scopes,
      roles,
      owner: record.owner,
      tenant: record.tenant,
    });
    const expiresAt = record.expiresAt ?? Infinity;
    if (record.allowedAddresses.length === 0) return { principal, expiresAt };
    const blocks = new BlockList();
    for (const block of record.allowedAddresses) addBlock(blocks, block);
    return { principal, expiresAt, allowsAddress: (address) => isInBlocks(blocks, address) };
  }

  /** A store that fails or hangs is 503: nobody may take it for "unknown key" (R-AK-19). */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error('the key store did not answer in time')),
        this.settings.timeoutMs,
      );
      timer.unref();
    });
    try {
      return await Promise.race([question(), deadline]);
    } catch (cause) {
      throw new SecurityError('UNAVAILABLE', 'Credentials cannot be verified right now', {
        retryAfter: 5,
        reason: 'api-keys.store',
        cause,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #remember(digest: string, verdict: Verdict): void {
    const freshUntil = this.clock.monotonic() + this.settings.cacheMs;
    this.#verified.set(digest, { credential: verdict.credential, keyId: verdict.keyId, freshUntil });
    this.#digestById.set(verdict.keyId, digest);
    this.#unknown.delete(digest);
  }

  #forget(id: string): void {
    this.#changes++;
    const digest = this.#digestById.get(id);
    if (digest !== undefined) this.#verified.delete(digest);
    this.#digestById.delete(id);
    this.#unknown.deleteWhere(({ keyId }) => keyId === id);
  }
}
