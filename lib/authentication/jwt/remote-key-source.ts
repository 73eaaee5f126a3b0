import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import { BoundedCache } from '../bounded-cache.js';
import { CredentialRejected } from '../credential-verifier.js';
import type { JwtAlgorithm } from './algorithms.js';
import { type FetchedKeys, usableKeys } from './fetched-keys.js';
import type { KeyLocation } from './key-location.js';
import type { VerificationKey } from './key-material.js';
import { KeySet, type KeySource, type KeySourceTrouble } from './key-source.js';

/** When keys are fetched. Milliseconds. */
export interface KeyRefresh {
  /** How long fetched keys are used without a look; a server's `max-age` may shorten it. */
  readonly maxAge: number;
  /** How long they are used while they cannot be fetched. */
  readonly maxStale: number;
  /** Between two fetches, whatever came of the first. */
  readonly cooldown: number;
  /** Longest wait for one. */
  readonly timeout: number;
}

/** The least that a server's `max-age` may shorten it to. */
const MIN_MAX_AGE_MS = 60_000;
/** Part of the time after which keys are renewed in the background. */
const RENEW_AT = 0.8;
/** The cool-down while there are no keys at all: nothing works until there are. */
const FIRST_COOLDOWN_MS = 5_000;
/** Names that were not found, and for how many cool-downs they cause no further fetch. */
const MAX_MISSING = 128;
const MISSING_FOR = 10;
/** Requests that wait for one fetch. */
const MAX_WAITING = 100;

/**
 * Keys of an issuer that are fetched, when they are first needed, and renewed in the background. One fetch at a time, and one
 * in each cool-down, whatever made-up names tokens carry: every fetch renews everything, so a flood of them cannot keep a new
 * key from being found. While the server is down or slow, known keys go on working (R-OA-04 to R-OA-08, D14).
 */
export class RemoteKeySource implements KeySource {
  #fetched: FetchedKeys | undefined;
  #keys = new KeySet([]);
  #loadedAt = 0;
  #maxAge: number;
  #nextFetch = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;
  #waiting = 0;
  #generation = 0;
  /** When the last fetch failed, if it did. */
  #failedAt = Number.NEGATIVE_INFINITY;
  readonly #missing = new BoundedCache<number>(MAX_MISSING);
  /** Who caused the last fetch for the sake of an unknown name, and when. */
  #missed: { readonly address: string; readonly at: number } | undefined;
  #report: (trouble: KeySourceTrouble) => void = () => undefined;

  constructor(
    private readonly location: KeyLocation,
    private readonly algorithms: readonly JwtAlgorithm[],
    private readonly clock: SecurityClock,
    private readonly settings: KeyRefresh,
  ) {
    this.#maxAge = settings.maxAge;
  }

  /**
   * Asked with every token that was verified before; so it is also what makes keys be renewed in time. `NaN`, which equals
   * nothing, itself included, sends a token the long way, which waits for the keys, or knows that there are none.
   */
  get generation(): number {
    const now = this.clock.monotonic();
    const age = now - this.#loadedAt;
    if (!this.#fetched || age < this.#maxAge * RENEW_AT) return this.#generation;
    const mayFetch = this.#pending !== undefined || now >= this.#nextFetch;
    if ((this.#isAwaited(now) && mayFetch) || age >= this.settings.maxStale) return Number.NaN;
    void this.#fetch(now);
    return this.#generation;
  }

  find(
    algorithm: string,
    kid: string | undefined,
    address?: string,
  ): VerificationKey | Promise<VerificationKey> {
    const now = this.clock.monotonic();
    const age = now - this.#loadedAt;
    const isUsable = this.#fetched !== undefined && age < this.settings.maxStale;
    if (!isUsable) return this.#findAfter(this.#fetch(now), algorithm, kid);
    const renewal = age >= this.#maxAge * RENEW_AT ? this.#fetch(now) : undefined;
    if (renewal && this.#isAwaited(now)) return this.#findAfter(renewal, algorithm, kid);
    const key = this.#keys.find(algorithm, kid);
    return key ?? this.#findAfter(this.#fetchForMiss(now, kid, address), algorithm, kid);
  }

  async ready(): Promise<boolean> {
    const isUsable = () =>
      this.#fetched !== undefined && this.clock.monotonic() - this.#loadedAt < this.settings.maxStale;
    if (!isUsable()) await this.#fetch(this.clock.monotonic());
    return isUsable();
  }

  async refresh(): Promise<void> {
    if (this.#pending) await this.#pending;
    this.#nextFetch = Number.NEGATIVE_INFINITY;
    const before = this.#fetched;
    await this.#fetch(this.clock.monotonic());
    // Whoever asks for it wants to be rid of a key: old ones are no answer.
    if (this.#fetched === before) throw unavailable();
  }

  watch(report: (trouble: KeySourceTrouble) => void): void {
    this.#report = report;
  }

  async #findAfter(
    pending: Promise<void> | undefined,
    algorithm: string,
    kid: string | undefined,
  ): Promise<VerificationKey> {
    if (pending) await this.#wait(pending);
    const now = this.clock.monotonic();
    if (!this.#fetched || now - this.#loadedAt >= this.settings.maxStale) throw unavailable();
    const key = this.#keys.find(algorithm, kid);
    if (key) return key;
    // One that nobody looked for, because it came within the cool-down, may be there by the next fetch.
    if (pending && kid !== undefined) this.#missing.set(kid, now + MISSING_FOR * this.settings.cooldown);
    throw new CredentialRejected('token.key-unknown');
  }

  /** Keys that are due are waited for, because one may have been withdrawn; not while their server is down or slow. */
  #isAwaited(now: number): boolean {
    return now - this.#loadedAt >= this.#maxAge && now - this.#failedAt > 2 * this.settings.cooldown;
  }

  async #wait(pending: Promise<void>): Promise<void> {
    if (this.#waiting >= MAX_WAITING) throw unavailable();
    this.#waiting++;
    try {
      await pending;
    } finally {
      this.#waiting--;
    }
  }

  /** A fetch for a name that is not known, unless it was looked for lately or its client caused the last one too. */
  #fetchForMiss(
    now: number,
    kid: string | undefined,
    address: string | undefined,
  ): Promise<void> | undefined {
    if (kid !== undefined && now < (this.#missing.get(kid) ?? now)) return undefined;
    const last = this.#missed;
    if (address !== undefined && last?.address === address && now < last.at + 2 * this.settings.cooldown) {
      return undefined;
    }
    const isNew = this.#pending === undefined;
    const pending = this.#fetch(now);
    if (pending && isNew && address !== undefined) this.#missed = { address, at: now };
    return pending;
  }

  /** Single-flight; never rejects: a fetch that fails leaves the keys that were there. `undefined` within the cool-down. */
  #fetch(now: number): Promise<void> | undefined {
    if (this.#pending) return this.#pending;
    if (now < this.#nextFetch) return undefined;
    // Claimed before, so that it holds whatever comes of it.
    this.#nextFetch =
      now + (this.#fetched ? this.settings.cooldown : Math.min(FIRST_COOLDOWN_MS, this.settings.cooldown));
    this.#pending = this.#load(now)
      .catch((error: unknown) => {
        this.#failedAt = this.clock.monotonic();
        this.#report({ kind: 'failed', reason: error instanceof Error ? error.message : 'unknown' });
      })
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  async #load(now: number): Promise<void> {
    const { json, maxAgeMs } = await this.location.fetch(this.settings.timeout, now);
    const fetched = usableKeys(json, this.algorithms);
    for (const kid of fetched.ambiguous) this.#report({ kind: 'ambiguous', kid });
    const withdrawn = [...(this.#fetched?.ids ?? [])].some((id) => !fetched.ids.has(id));
    if (withdrawn) this.#generation++;
    this.#fetched = fetched;
    this.#failedAt = Number.NEGATIVE_INFINITY;
    this.#keys = new KeySet(fetched.keys);
    this.#loadedAt = this.clock.monotonic();
    this.#nextFetch = this.#loadedAt + this.settings.cooldown;
    this.#maxAge = Math.min(this.settings.maxAge, Math.max(MIN_MAX_AGE_MS, maxAgeMs ?? this.settings.maxAge));
  }
}

const unavailable = (): SecurityError =>
  new SecurityError('UNAVAILABLE', 'The keys to check the token cannot be had', {
    retryAfter: Math.ceil(FIRST_COOLDOWN_MS / 1000),
    reason: 'token.keys-unavailable',
  });
