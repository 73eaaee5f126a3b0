import { inspect } from 'node:util';

import { Injectable } from '@nestjs/common';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEventContext } from '../../events/security-event.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { Principal } from '../../principal/principal.js';
import { CredentialRejected, type CredentialVerifier } from '../credential-verifier.js';
import { sha256 } from '../sha256.js';
import { StoreCalls } from '../store-calls.js';
import type { ApiKeyDigest } from './api-key-digest.js';
import type { ApiKeySettings, ExposedApiKey } from './api-key.options.js';
import {
  type ApiKeyChange,
  type ApiKeyDay,
  type ApiKeyRecord,
  type ApiKeyStore,
  USAGE_DAYS,
} from './api-key-store.js';
import { maskKey, parseKey } from './key-format.js';
import { assertWithinGrant, type KeyGrant } from './key-grant.js';
import { checkedChanges, checkNewKey, type IssueApiKey, type UpdateApiKey } from './key-input.js';
import { limitsToKeep } from './key-limits.js';
import { boundedExpiry, makeKey } from './key-maker.js';
import { reasonAgainst } from './key-standing.js';
import type { UseLog } from './use-log.js';

export type { IssueApiKey, UpdateApiKey } from './key-input.js';

/** A key as it may be shown: without its digest. */
export type ApiKeyInfo = Omit<ApiKeyRecord, 'digest'>;

/** A key that was just made: the only time that its text is seen (R-AK-05). `util.inspect` shows it masked. */
export type IssuedApiKey = ApiKeyInfo & { readonly key: string };

/** How a key was used. */
export interface ApiKeyUsage {
  readonly lastUsedAt: number | undefined;
  /** The client's address then. */
  readonly lastUsedFrom: string | undefined;
  /** Uses in all of `days`. */
  readonly uses: number;
  /** By day in UTC, oldest first; days without any are left out. */
  readonly days: readonly ApiKeyDay[];
}

/** What verifies keys, remembers them, and counts their uses. */
type KeyVerifier = CredentialVerifier & { readonly uses: UseLog };

const MAX_PAGE = 100;
const DAY_MS = 86_400_000;

/**
 * The life of API keys: issue, list, change, rotate, revoke. Secrets leave it once, when a key is made.
 * Every method that asks the store throws `SecurityError` `UNAVAILABLE` if that fails.
 *
 * @example
 * const { key, id } = await keys.issue({ owner: user.id, name: 'CI', scopes: ['orders:read'] });
 */
@Injectable()
export class ApiKeyService {
  readonly #store: ApiKeyStore;
  readonly #settings: ApiKeySettings;
  readonly #digests: ApiKeyDigest;
  readonly #clock: SecurityClock;
  readonly #events: SecurityEvents;
  /** @internal The verifier asks the same store in the same way. */
  readonly calls: StoreCalls;
  #verifier: KeyVerifier | undefined;
  #changed: (change: ApiKeyChange) => void = () => undefined;
  #unsubscribe: (() => Promise<void>) | undefined;

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
    this.calls = new StoreCalls(settings.timeoutMs, events, {
      store: 'api-keys',
      message: 'API keys are not available right now',
      reason: 'api-keys.store',
    });
  }

  /**
   * Makes a key. Who may have which is the caller's decision: see `assertWithinGrant()`.
   * @throws SecurityError `VALIDATION_FAILED` with every problem of the input
   */
  async issue(input: IssueApiKey): Promise<IssuedApiKey> {
    const now = this.#clock.now();
    const { plans } = this.#settings;
    checkNewKey(input, { now, plans });
    const limits = limitsToKeep(input.limits, plans);
    const { record, key } = makeKey({ ...input, limits }, this.#settings, this.#digests, now);
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
   * Who a key belongs to, verified as for a request: from memory if it was seen a moment ago.
   *
   * @param address the client's; a key that is bound to others does not work
   * @returns the principal; undefined if the key does not work, for whatever reason
   */
  async verify(key: string, address?: string): Promise<Principal | undefined> {
    const verifier = this.#verifier;
    if (verifier === undefined) throw new Error('nothing verifies keys yet');
    try {
      const verified = verifier.cached(key, address) ?? (await verifier.verify(key, address));
      return (verified.allowsAddress?.(address ?? '') ?? true) ? verified.principal : undefined;
    } catch (error) {
      if (error instanceof CredentialRejected) return undefined;
      throw error;
    }
  }

  /**
   * Changes a key's name, scopes, roles, addresses, metadata, limits or expiry, and nothing else whatever the object holds;
   * `null` takes expiry or limits away. It never brings back a key that was revoked or replaced, and no expiry goes beyond
   * `maxAge`.
   *
   * @returns the key as it now is; undefined if there is none
   * @throws SecurityError `VALIDATION_FAILED`
   */
  async update(id: string, changes: UpdateApiKey): Promise<ApiKeyInfo | undefined> {
    const checked = checkedChanges(changes, { now: this.#clock.now(), plans: this.#settings.plans });
    const fields = Object.keys(checked);
    let bounded = checked;
    if ('expiresAt' in checked) {
      const present = await this.calls.ask(() => this.#store.find(id));
      if (!present) return undefined;
      bounded = {
        ...checked,
        expiresAt: boundedExpiry(checked.expiresAt, present.createdAt, this.#settings),
      };
    }
    let record: ApiKeyRecord | undefined;
    try {
      record = await this.calls.ask(() => this.#store.update(id, bounded));
    } finally {
      this.#changed({ id });
    }
    if (record) this.#events.emit('api-key.updated', { keyId: id, fields });
    return record && infoOf(record);
  }

  /**
   * How often a key was used, by day.
   *
   * @param days how many, today included: 30 by default, 400 at most
   * @returns undefined if there is no such key
   */
  async usage(id: string, days = 30): Promise<ApiKeyUsage | undefined> {
    const back = Math.min(Math.max(1, Math.trunc(days) || 1), USAGE_DAYS) - 1;
    const firstDay = new Date(this.#clock.now() - back * DAY_MS).toISOString().slice(0, 10);
    // What this process has counted is written first, so that nobody sees less than they have done.
    await this.calls.ask(() => this.#verifier?.uses.flush());
    const record = await this.calls.ask(() => this.#store.find(id));
    if (!record) return undefined;
    const used = await this.calls.ask(() => this.#store.usage(id, firstDay));
    const { lastUsedAt, lastUsedFrom } = record;
    return { lastUsedAt, lastUsedFrom, uses: used.reduce((sum, { uses }) => sum + uses, 0), days: used };
  }

  /**
   * Removes keys that ended before a time, with what is known of their use.
   *
   * @param endedBefore epoch milliseconds; keep keys as long as you may be asked what they did
   * @param limit most keys to remove in one call, 1 000 by default
   * @returns how many were removed; ask again if it is the limit
   */
  async purge(endedBefore: number, limit = 1_000): Promise<number> {
    if (!Number.isSafeInteger(endedBefore) || !Number.isSafeInteger(limit) || limit < 1) {
      throw new RangeError('a time in epoch milliseconds and a whole number of keys are needed');
    }
    return this.calls.ask(() => this.#store.purge(Math.min(endedBefore, this.#clock.now()), limit));
  }

  /**
   * Makes a successor with the same rights and the same lifetime; the old key goes on working for the overlap, then no
   * more (R-AK-11). A key is rotated once: of two rotations at the same time one succeeds.
   *
   * @param overlapMs milliseconds, 0 allowed; `rotationOverlap` of the options by default
   * @throws SecurityError `NOT_FOUND` if there is no such key, or it has ended; `CONFLICT` if it has a successor already
   */
  async rotate(id: string, { overlapMs }: { readonly overlapMs?: number } = {}): Promise<IssuedApiKey> {
    const overlap = overlapMs ?? this.#settings.overlapMs;
    // NaN would make an end that is never reached.
    if (!Number.isSafeInteger(overlap) || overlap < 0) throw badOverlap();
    const now = this.#clock.now();
    const old = await this.calls.ask(() => this.#store.find(id));
    if (!old || reasonAgainst(old, now) !== undefined) throw notToRotate(old);
    const expiresAt = expiryOfSuccessor(old, now);
    const { record: made, key } = makeKey({ ...old, expiresAt }, this.#settings, this.#digests, now);
    const record = { ...made, predecessor: id };
    try {
      const rotated = await this.calls.ask(() => this.#store.rotate(id, record, now + overlap));
      // Somebody else was faster, with a rotation or a revocation.
      if (!rotated) throw notToRotate(await this.calls.ask(() => this.#store.find(id)));
    } finally {
      this.#changed({ id });
    }
    this.#changed({ id: record.id });
    this.#events.emit('api-key.rotated', { keyId: id, successorId: record.id });
    return issued(record, key);
  }

  /** Whether a key works at present: it has not been revoked, has not expired, and no successor has taken its place. */
  works(key: Pick<ApiKeyInfo, 'expiresAt' | 'overlapEndsAt' | 'revokedAt'>): boolean {
    return reasonAgainst(key, this.#clock.now()) === undefined;
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

  /**
   * Takes a key that somebody has found, such as a secret scanner, or the proof of it: if it is genuine and still works it is
   * marked as exposed, its owner is told, and with `onPlaintext: 'revoke'` it is revoked (R-AK-16).
   *
   * @param found the key, however long or wrong; or its id and its SHA-256 in hexadecimal, so that it need not travel
   * @param revoke whether it is revoked, whatever `onPlaintext` says
   * @returns the key as it was before; undefined if it is none, or has ended
   */
  async reportExposed(
    found: string | { readonly id: string; readonly sha256: string },
    { revoke = this.#settings.onPlaintext === 'revoke' }: { readonly revoke?: boolean } = {},
  ): Promise<ApiKeyInfo | undefined> {
    const proof = proofOf(found);
    if (!proof) return undefined;
    const record = await this.calls.ask(() => this.#store.find(proof.id));
    if (this.#digests.position(proof.hash, record?.digest) < 0 || !record) return undefined;
    if (reasonAgainst(record, this.#clock.now()) !== undefined) return undefined;
    await this.expose(record.id, 'reported', revoke);
    return infoOf(record);
  }

  /**
   * @internal Marks a key as exposed, revokes it if that is wanted, and tells of it what is new: the event says each thing
   * that happened, the owner is told once.
   */
  async expose(
    id: string,
    reason: ExposedApiKey['reason'],
    revoke: boolean,
    context?: SecurityEventContext,
  ): Promise<void> {
    const exposedAt = this.#clock.now();
    const exposure = { exposedAt, exposure: reason };
    const marked = await this.calls.ask(() => this.#store.update(id, exposure, 'exposedAt'));
    let revoked = false;
    try {
      revoked = revoke && (await this.revoke(id));
    } finally {
      // A mark is made once: who is not told of it now never will be, even if the revocation failed.
      if (marked || revoked) this.#events.emit('api-key.exposed', { keyId: id, reason, revoked }, context);
      if (marked) await this.#tellOwner(marked, reason, revoked);
    }
  }

  async #tellOwner(
    { id, owner, name }: ApiKeyRecord,
    reason: ExposedApiKey['reason'],
    revoked: boolean,
  ): Promise<void> {
    const { onExposed } = this.#settings;
    // It has been reported that it failed, and no more can be done.
    await this.calls.ask(() => onExposed?.({ id, owner, name, reason, revoked })).catch(() => undefined);
  }

  /**
   * Makes sure that a maker of keys gives no more than they have: see the function of that name (R-AK-15).
   * @throws SecurityError `FORBIDDEN`
   */
  assertWithinGrant(principal: Principal, wanted: readonly string[] | KeyGrant): void {
    assertWithinGrant(principal, wanted);
  }

  /** @internal The verifier remembers keys, and forgets them as they change. */
  attach(verifier: KeyVerifier, changed: (change: ApiKeyChange) => void): void {
    this.#verifier = verifier;
    this.#changed = changed;
  }

  /** @internal Follows changes that other processes make, where the store can tell of them. */
  async start(): Promise<void> {
    const subscribe = async () => {
      this.#unsubscribe = await this.#store.subscribe?.((change) => this.#changed(change));
    };
    // Without it, changes of others count from the end of `cacheTtl` on all the same (R-AK-10).
    await this.calls.ask(subscribe).catch(() => undefined);
  }

  /** @internal Writes what is still to be written, and lets go of the store. */
  async stop(): Promise<void> {
    await this.#verifier?.uses.flush();
    // Each takes its time at most, and what fails has been reported: a shutdown goes on.
    await this.calls.ask(() => this.#unsubscribe?.()).catch(() => undefined);
    await this.calls.ask(() => this.#store.close?.()).catch(() => undefined);
  }
}

/** The id and the SHA-256 in base64url of what was found. */
function proofOf(
  found: string | { readonly id: string; readonly sha256: string },
): { readonly id: string; readonly hash: string } | undefined {
  if (typeof found !== 'string') {
    const { id, sha256: hex } = found;
    return /^[0-9a-f]{64}$/i.test(hex)
      ? { id, hash: Buffer.from(hex, 'hex').toString('base64url') }
      : undefined;
  }
  const parts = parseKey(found);
  return parts && { id: parts.id, hash: sha256(found) };
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

/** The same lifetime again; of a key from the configuration, which may not say when it was made, what is left of it. */
function expiryOfSuccessor({ createdAt, expiresAt }: ApiKeyRecord, now: number): number | undefined {
  if (typeof expiresAt !== 'number') return undefined;
  return createdAt > 0 ? now + (expiresAt - createdAt) : expiresAt;
}

/** Why a key cannot be rotated: there is none that works, or it has been. */
function notToRotate(record: ApiKeyRecord | undefined): SecurityError {
  return typeof record?.successor === 'string'
    ? new SecurityError('CONFLICT', 'The key has been rotated already')
    : new SecurityError('NOT_FOUND', 'No such key');
}

function badOverlap(): SecurityError {
  const message = 'overlapMs must be a whole number of milliseconds, 0 or more';
  return new SecurityError('VALIDATION_FAILED', 'Validation failed', {
    details: [{ path: 'overlapMs', rule: 'apiKey', message }],
  });
}
