import { inspect } from 'node:util';

import { Injectable } from '@nestjs/common';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { Principal } from '../../principal/principal.js';
import type { ApiKeyDigest } from './api-key-digest.js';
import type { ApiKeySettings } from './api-key.options.js';
import type { ApiKeyRecord, ApiKeyStore } from './api-key-store.js';
import { maskKey, parseKey } from './key-format.js';
import { assertWithinGrant, type KeyGrant } from './key-grant.js';
import { checkedChanges, checkNewKey, type IssueApiKey, type KeyInput } from './key-input.js';
import { boundedExpiry, makeKey } from './key-maker.js';
import { reasonAgainst } from './key-standing.js';
import { StoreCalls } from './store-calls.js';

export type { IssueApiKey } from './key-input.js';

/** A key as it may be shown: without its digest. */
export type ApiKeyInfo = Omit<ApiKeyRecord, 'digest'>;

/** A key that was just made: the only time that its text is seen (R-AK-05). `util.inspect` shows it masked. */
export type IssuedApiKey = ApiKeyInfo & { readonly key: string };

/** Told what has changed, so that what is remembered of it can be forgotten: one key, or all of an owner. */
export type KeyChanged = (change: { readonly id: string } | { readonly owner: string }) => void;

const MAX_PAGE = 100;

/**
 * The life of API keys: issue, list, change, rotate, revoke. Secrets leave it once, when a key is made.
 * Every method that asks the store throws `SecurityError` `UNAVAILABLE` if that fails.
 *
 * @example
 * const { key, id } = await keys.issue({ owner: user.id, name: 'CI', scopes: ['orders:read'] });
 */
@Injectable()
export class ApiKeyService {
  readonly #listeners: KeyChanged[] = [];
  readonly #store: ApiKeyStore;
  readonly #settings: ApiKeySettings;
  readonly #digests: ApiKeyDigest;
  readonly #clock: SecurityClock;
  readonly #events: SecurityEvents;
  /** @internal The verifier asks the same store in the same way. */
  readonly calls: StoreCalls;

  constructor(
    store: ApiKeyStore,
    settings: ApiKeySettings,
    digests: ApiKeyDigest,
    clock: SecurityClock,
    events: SecurityEvents,
  ) {
    this.#store = store;
    this.#settings = settings;
    this.#digests = digests;
    this.#clock = clock;
    this.#events = events;
    this.calls = new StoreCalls(settings.timeoutMs, events);
  }

  /**
   * Makes a key. Who may have which is the caller's decision: see `assertWithinGrant()`.
   * @throws SecurityError `VALIDATION_FAILED` with every problem of the input
   */
  async issue(input: IssueApiKey): Promise<IssuedApiKey> {
    const now = this.#clock.now();
    checkNewKey(input, now);
    const { record, key } = makeKey(input, this.#settings, this.#digests, now);
    await this.calls.ask(() => this.#store.insert(record));
    this.#changed({ id: record.id });
    this.#events.emit('api-key.issued', { keyId: record.id, owner: record.owner });
    return issued(record, key);
  }

  /** One key, or undefined. */
  async get(id: string): Promise<ApiKeyInfo | undefined> {
    const record = await this.calls.ask(() => this.#store.find(id));
    return record && infoOf(record);
  }

  /**
   * An owner's keys, newest first.
   * @param limit 1–100
   * @param after `next` of the page before
   */
  async list(
    owner: string,
    limit = MAX_PAGE,
    after?: string,
  ): Promise<{ keys: ApiKeyInfo[]; next: string | undefined }> {
    const size = Math.min(Math.max(1, Math.trunc(limit) || MAX_PAGE), MAX_PAGE);
    const { keys, next } = await this.calls.ask(() => this.#store.list(owner, size, after));
    return { keys: keys.map(infoOf), next };
  }

  /**
   * Changes a key's name, scopes, roles, addresses, metadata or expiry, and nothing else whatever the object holds.
   * It never brings back a key that was revoked or replaced, and no expiry goes beyond `maxAge`.
   *
   * @returns the key as it now is; undefined if there is none
   * @throws SecurityError `VALIDATION_FAILED`
   */
  async update(id: string, changes: Partial<KeyInput>): Promise<ApiKeyInfo | undefined> {
    const checked = checkedChanges(changes, this.#clock.now());
    if (checked.expiresAt !== undefined) {
      const present = await this.calls.ask(() => this.#store.find(id));
      if (!present) return undefined;
      const bounded = boundedExpiry(checked.expiresAt, present.createdAt, this.#settings);
      if (bounded !== undefined) checked.expiresAt = bounded;
    }
    try {
      const record = await this.calls.ask(() => this.#store.update(id, checked));
      return record && infoOf(record);
    } finally {
      this.#changed({ id });
    }
  }

  /**
   * Makes a successor with the same rights and the same lifetime; the old key goes on working for the overlap, then no
   * more (R-AK-11). A key is rotated once: of two rotations at the same time one succeeds.
   *
   * @param overlapMs milliseconds, 0 allowed; `rotationOverlap` of the options by default
   * @throws SecurityError `NOT_FOUND` if there is no such key, or it has ended or been rotated already
   */
  async rotate(id: string, { overlapMs }: { readonly overlapMs?: number } = {}): Promise<IssuedApiKey> {
    const overlap = overlapMs ?? this.#settings.overlapMs;
    // NaN would make an end that is never reached.
    if (!Number.isSafeInteger(overlap) || overlap < 0) throw badOverlap();
    const now = this.#clock.now();
    const old = await this.calls.ask(() => this.#store.find(id));
    if (!old || reasonAgainst(old, now) !== undefined) throw notFound();
    // SQL stores have null for what is not set.
    const expiresAt = typeof old.expiresAt === 'number' ? now + (old.expiresAt - old.createdAt) : undefined;
    const { record: made, key } = makeKey({ ...old, expiresAt }, this.#settings, this.#digests, now);
    const record = { ...made, predecessor: id };
    try {
      if (!(await this.calls.ask(() => this.#store.rotate(id, record, now + overlap)))) throw notFound();
    } finally {
      this.#changed({ id });
    }
    this.#changed({ id: record.id });
    this.#events.emit('api-key.rotated', { keyId: id, successorId: record.id });
    return issued(record, key);
  }

  /** Ends a key at once; false if there is none, or it had been revoked (R-AK-10). */
  async revoke(id: string): Promise<boolean> {
    try {
      const revokedAt = this.#clock.now();
      const record = await this.calls.ask(() => this.#store.update(id, { revokedAt }, 'revokedAt'));
      if (!record) return false;
    } finally {
      // Even if the store failed: it may have revoked the key all the same, and is asked again.
      this.#changed({ id });
    }
    this.#events.emit('api-key.revoked', { keyId: id });
    return true;
  }

  /** Ends all keys of an owner; tells how many. */
  async revokeAllOf(owner: string): Promise<number> {
    try {
      const ids = await this.calls.ask(() => this.#store.revokeAllOf(owner, this.#clock.now()));
      for (const keyId of ids) this.#events.emit('api-key.revoked', { keyId });
      return ids.length;
    } finally {
      this.#changed({ owner });
    }
  }

  /** To be called when `ownerRights` has begun to answer otherwise: this process asks anew with the next request (R-AK-08). */
  ownerChanged(owner: string): void {
    this.#changed({ owner });
  }

  /** Notes that a key was seen where it should not have been; true the first time (R-AK-16). */
  async markExposed(id: string, exposure: NonNullable<ApiKeyRecord['exposure']>): Promise<boolean> {
    const exposedAt = this.#clock.now();
    const record = await this.calls.ask(() => this.#store.update(id, { exposedAt, exposure }, 'exposedAt'));
    return record !== undefined;
  }

  /**
   * Takes a key that somebody has found, such as a secret scanner: if it is genuine and still works it is marked as exposed,
   * and with `onPlaintext: 'revoke'` revoked (R-AK-16).
   *
   * @param text what was found, however long or wrong
   * @returns the key as it was before; undefined if it is none, or has ended
   */
  async reportExposed(text: string): Promise<ApiKeyInfo | undefined> {
    const parts = parseKey(text);
    if (!parts) return undefined;
    const record = await this.calls.ask(() => this.#store.find(parts.id));
    if (!this.#digests.matches(text, record?.digest) || !record) return undefined;
    if (reasonAgainst(record, this.#clock.now()) !== undefined) return undefined;
    const isNew = await this.markExposed(record.id, 'reported');
    const revoked = this.#settings.onPlaintext === 'revoke' && (await this.revoke(record.id));
    if (isNew || revoked) {
      this.#events.emit('api-key.exposed', { keyId: record.id, reason: 'reported', revoked });
    }
    return infoOf(record);
  }

  /**
   * Makes sure that a maker of keys gives no more than they have: see the function of that name (R-AK-15).
   * @throws SecurityError `FORBIDDEN`
   */
  assertWithinGrant(principal: Principal, wanted: readonly string[] | KeyGrant): void {
    assertWithinGrant(principal, wanted);
  }

  /** @internal Caches follow changes through this. */
  onChange(listener: KeyChanged): void {
    this.#listeners.push(listener);
  }

  #changed(change: Parameters<KeyChanged>[0]): void {
    for (const listener of this.#listeners) listener(change);
  }
}

function infoOf(record: ApiKeyRecord): ApiKeyInfo {
  const info: ApiKeyInfo & { digest?: string } = { ...record };
  delete info.digest;
  return info;
}

/** The answer with the key in it; what logs show of it is masked (R-AK-17). */
function issued(record: ApiKeyRecord, key: string): IssuedApiKey {
  const info = infoOf(record);
  const shown = { ...info, key: maskKey(record) };
  return Object.defineProperty({ ...info, key }, inspect.custom, { value: () => shown });
}

function notFound(): SecurityError {
  return new SecurityError('NOT_FOUND', 'No such key');
}

function badOverlap(): SecurityError {
  const message = 'overlapMs must be a whole number of milliseconds, 0 or more';
  return new SecurityError('VALIDATION_FAILED', 'Validation failed', {
    details: [{ path: 'overlapMs', rule: 'apiKey', message }],
  });
}
