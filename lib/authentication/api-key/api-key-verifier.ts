import type { PassportStatic } from 'passport';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import {
  CredentialRejected,
  type CredentialVerifier,
  type VerifiedCredential,
} from '../credential-verifier.js';
import { createPassport, runStrategy, StrategyFailed } from '../passport-runner.js';
import { sha256 } from '../sha256.js';
import type { StoreCalls } from '../store-calls.js';
import type { ApiKeyDigest } from './api-key-digest.js';
import type { ApiKeySettings } from './api-key.options.js';
import { API_KEY_STRATEGY, createApiKeyStrategy, FACADE_HEADER, type KeyLookup } from './api-key.strategy.js';
import type { ApiKeyChange, ApiKeyRecord, ApiKeyStore } from './api-key-store.js';
import type { ApiKeyService } from './api-key.service.js';
import { credentialOf } from './key-credential.js';
import { MAX_KEY_LENGTH, parseKey } from './key-format.js';
import { reasonAgainst } from './key-standing.js';
import { UseLog } from './use-log.js';
import { type AcceptedKey, VerdictCache } from './verdict-cache.js';

/** A verdict as the strategy hands it through passport: nothing else that comes out of there lets anybody in (PITFALL P5). */
class Verdict {
  constructor(readonly credential: VerifiedCredential) {}
}

/** Of a verification under way: whose it is, and whether the key has changed since, so that the outcome is no longer true. */
interface Progress {
  readonly keyId: string;
  /** Monotonic time of its beginning. */
  readonly since: number;
  stale: boolean;
}

/** Everybody with the same key waits for the same verification. */
interface Pending {
  readonly progress: Progress;
  readonly verdict: Promise<AcceptedKey>;
}

/** Verifies API keys: what it has just seen from memory, everything else through passport and the store. */
export class ApiKeyVerifier implements CredentialVerifier {
  readonly wireScheme = 'api-key';
  readonly #passport: PassportStatic = createPassport();
  readonly #store: ApiKeyStore;
  readonly #settings: ApiKeySettings;
  readonly #digests: ApiKeyDigest;
  readonly #clock: SecurityClock;
  readonly #calls: StoreCalls;
  readonly #cache: VerdictCache;
  /** What is still to be written about uses. */
  readonly uses: UseLog;
  readonly #pending = new Map<string, Pending>();

  /** @param register puts the strategy on the passport; a test may put another one there */
  constructor(
    store: ApiKeyStore,
    settings: ApiKeySettings,
    digests: ApiKeyDigest,
    clock: SecurityClock,
    service: ApiKeyService,
    register: (passport: PassportStatic, lookup: KeyLookup) => void = createApiKeyStrategy,
  ) {
    this.#store = store;
    this.#settings = settings;
    this.#digests = digests;
    this.#clock = clock;
    this.#calls = service.calls;
    this.#cache = new VerdictCache(clock, settings.cacheMs, settings.staleMs, settings.cacheSize);
    this.uses = new UseLog((uses) => this.#calls.ask(() => store.recordUses(uses)), clock);
    register(this.#passport, (key) => this.#look(key));
    service.attach(this, (change) => this.#forget(change));
  }

  /** How many keys are remembered. */
  get remembered(): VerdictCache['size'] {
    return this.#cache.size;
  }

  cached(key: string, address?: string): VerifiedCredential | undefined {
    if (key.length > MAX_KEY_LENGTH) return undefined;
    const known = this.#cache.accepted(sha256(key));
    if (known === undefined) return undefined;
    this.uses.note(known.uses, address);
    return known.credential;
  }

  async verify(key: string, address?: string): Promise<VerifiedCredential> {
    const known = await this.#verify(key);
    this.uses.note(known.uses, address);
    return known.credential;
  }

  async #verify(key: string): Promise<AcceptedKey> {
    // Garbage costs no digest, no store and no passport (R-AU-14).
    const parts = parseKey(key);
    if (!parts) throw new CredentialRejected('key.malformed');
    if (parts.environment !== this.#settings.environment) {
      throw new CredentialRejected('key.environment', parts.id);
    }
    const digest = sha256(key);
    const refused = this.#cache.refused(parts.id, digest);
    if (refused) throw refused;
    return this.#pending.get(digest)?.verdict ?? this.#begin(key, digest, parts.id);
  }

  #begin(key: string, digest: string, keyId: string): Promise<AcceptedKey> {
    const progress: Progress = { keyId, since: this.#clock.monotonic(), stale: false };
    const verdict = this.#conclude(key, digest, progress);
    this.#pending.set(digest, { progress, verdict });
    return verdict;
  }

  /** Remembers the outcome, or asks again if the key was changed meanwhile: a revocation must not be overtaken (R-AK-10). */
  async #conclude(key: string, digest: string, progress: Progress): Promise<AcceptedKey> {
    let outcome: VerifiedCredential | CredentialRejected;
    try {
      outcome = await this.#authenticate(key, progress.keyId);
    } catch (error) {
      if (!(error instanceof CredentialRejected)) {
        // Not even looked for if the key was changed meanwhile: then nothing is known of it.
        const known = progress.stale ? undefined : this.#cache.stale(digest);
        if (known) return known;
        throw error;
      }
      outcome = error;
    } finally {
      if (!progress.stale) this.#pending.delete(digest);
    }
    if (progress.stale) return this.#verify(key);
    if (outcome instanceof CredentialRejected) {
      this.#cache.refuse(progress.keyId, digest, outcome.reason, progress.since);
      throw outcome;
    }
    return this.#cache.accept(digest, outcome, progress.since);
  }

  /** Drops what is remembered of a change, and what is being found out about it. */
  #forget(change: ApiKeyChange): void {
    if (change === 'anything') this.#cache.clear();
    else if ('id' in change) this.#cache.forget(change.id);
    else this.#cache.forgetOwner(change.owner);
    this.#outdate(change !== 'anything' && 'id' in change ? change.id : undefined);
  }

  /** Marks what is under way as overtaken, so that nobody new waits for it; without an id, all of it. */
  #outdate(id: string | undefined): void {
    for (const [digest, { progress }] of this.#pending) {
      if (id !== undefined && progress.keyId !== id) continue;
      progress.stale = true;
      this.#pending.delete(digest);
    }
  }

  /** Runs passport, and takes nothing from it but our own verdict. */
  async #authenticate(key: string, keyId: string): Promise<VerifiedCredential> {
    let outcome: unknown;
    try {
      outcome = await runStrategy(this.#passport, API_KEY_STRATEGY, { headers: { [FACADE_HEADER]: key } });
    } catch (error) {
      if (error instanceof CredentialRejected || error instanceof SecurityError) throw error;
      if (error instanceof StrategyFailed) throw new CredentialRejected('key.strategy', keyId);
      // What nobody expected is no verdict about the key: it may be a good one (R-AU-13, R-AK-19).
      throw this.#calls.failure(error);
    }
    if (outcome instanceof Verdict) return outcome.credential;
    throw new CredentialRejected('key.strategy', keyId);
  }

  /** What the strategy asks: finds the record and judges it. */
  async #look(key: string): Promise<Verdict> {
    const parts = parseKey(key);
    if (!parts) throw new CredentialRejected('key.malformed');
    const { id } = parts;
    // In a list, whether there is one or not: promises look for `then` in every object that they are given (R-AK-06).
    const [record] = await this.#calls.ask(async () => [await this.#store.find(id)]);
    const position = this.#digests.position(sha256(key), record?.digest);
    if (!record) throw new CredentialRejected('key.unknown', id);
    if (position < 0) throw new CredentialRejected('key.secret', id);
    const reason = reasonAgainst(record, this.#clock.now());
    if (reason !== undefined) throw new CredentialRejected(reason, id);
    if (record.environment !== this.#settings.environment)
      throw new CredentialRejected('key.environment', id);
    const { ownerRights } = this.#settings;
    const rights = ownerRights && (await this.#calls.ask(() => ownerRights(record.owner)));
    if (ownerRights && !rights) throw new CredentialRejected('key.owner-disabled', id);
    const credential = credentialOf(record, rights);
    if (position > 0) this.#renewDigest(record, key);
    return new Verdict(credential);
  }

  /** Brings a key from an old pepper to the newest, so that the old one can go some day; nobody waits for it. */
  #renewDigest({ id }: ApiKeyRecord, key: string): void {
    const digest = this.#digests.of(key);
    this.#store.update(id, { digest }, 'revokedAt').catch((error: unknown) => this.#calls.report(error));
  }
}
