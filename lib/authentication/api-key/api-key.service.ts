import { Injectable } from '@nestjs/common';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { Principal } from '../../principal/principal.js';
import type { ApiKeyDigest } from './api-key-digest.js';
import type { ApiKeySettings } from './api-key.options.js';
import type { ApiKeyRecord, ApiKeyStore } from './api-key-store.js';
import { checkKeyInput, type KeyInput } from './key-input.js';
import { generateKey, type KeyEnvironment } from './key-format.js';

/** A key as it may be shown: without its digest. */
export type ApiKeyInfo = Omit<ApiKeyRecord, 'digest'>;

/** What `issue()` takes. */
export interface IssueApiKey extends KeyInput {
  readonly owner: string;
  readonly tenant?: string;
  readonly environment?: KeyEnvironment;
}

/** A key that was just made: the only time that its text is seen (R-AK-05). */
export type IssuedApiKey = ApiKeyInfo & { readonly key: string };

/** Told of every key whose standing has changed, so that what is remembered of it can be forgotten. */
export type KeyChanged = (id: string) => void;

/**
 * The life of API keys: issue, list, change, rotate, revoke. Secrets leave it once, when a key is made.
 *
 * @example
 * const { key, id } = await keys.issue({ owner: user.id, name: 'CI', scopes: ['orders:read'] });
 */
@Injectable()
export class ApiKeyService {
  readonly #listeners: KeyChanged[] = [];

  constructor(
    private readonly store: ApiKeyStore,
    private readonly settings: ApiKeySettings,
    private readonly digests: ApiKeyDigest,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {}

  /** @throws SecurityError `VALIDATION_FAILED` for bad input */
  async issue(input: IssueApiKey): Promise<IssuedApiKey> {
    const now = this.clock.now();
    checkKeyInput(input, now);
    const { record, key } = this.#make(input, now);
    await this.store.insert(record);
    this.#changed(record.id);
    this.events.emit('api-key.issued', { keyId: record.id, owner: record.owner });
    return { ...infoOf(record), key };
  }

  /** One key, or undefined. */
  async get(id: string): Promise<ApiKeyInfo | undefined> {
    const record = await this.store.find(id);
    return record && infoOf(record);
  }

  /** An owner's keys, newest first. @param limit 1–100 */
  async list(
    owner: string,
    limit = 100,
    after?: string,
  ): Promise<{ keys: ApiKeyInfo[]; next: string | undefined }> {
    const { keys, next } = await this.store.list(owner, Math.min(Math.max(1, limit), 100), after);
    return { keys: keys.map(infoOf), next };
  }

  /** Changes a key's name, scopes, roles, addresses, metadata or expiry; undefined if there is none. */
  async update(id: string, changes: Partial<KeyInput>): Promise<ApiKeyInfo | undefined> {
    const present = await this.store.find(id);
    if (!present) return undefined;
    checkKeyInput({ name: present.name, scopes: present.scopes, ...changes }, this.clock.now());
    const record = await this.store.update(id, { ...changes });
    this.#changed(id);
    return record && infoOf(record);
  }

  /**
   * Makes a successor with the same rights; the old key goes on working for the overlap, then no more (R-AK-11).
   *
   * @param overlapMs milliseconds, 0 allowed
   * @throws SecurityError `NOT_FOUND` if there is no such key that could be rotated
   */
  async rotate(id: string, { overlapMs = 0 }: { readonly overlapMs?: number } = {}): Promise<IssuedApiKey> {
    const now = this.clock.now();
    const old = await this.store.find(id);
    if (!old || old.revokedAt !== undefined || (old.expiresAt ?? Infinity) <= now) throw notFound();
    const lifetime = old.expiresAt === undefined ? undefined : now + (old.expiresAt - old.createdAt);
    const { record, key } = this.#make({ ...old, expiresAt: lifetime }, now);
    const rotated = await this.store.rotate(id, { ...record, predecessor: id }, now + Math.max(0, overlapMs));
    if (!rotated) throw notFound();
    this.#changed(id);
    this.#changed(record.id);
    this.events.emit('api-key.rotated', { keyId: id, successorId: record.id });
    return { ...infoOf(record), predecessor: id, key };
  }

  /** Ends a key at once; false if there is none, or it had been revoked. */
  async revoke(id: string): Promise<boolean> {
    const record = await this.store.update(id, { revokedAt: this.clock.now() }, 'revokedAt');
    this.#changed(id);
    if (!record) return false;
    this.events.emit('api-key.revoked', { keyId: id });
    return true;
  }

  /** Ends all keys of an owner; tells how many. */
  async revokeAllOf(owner: string): Promise<number> {
    const ids = await this.store.revokeAllOf(owner, this.clock.now());
    for (const id of ids) {
      this.#changed(id);
      this.events.emit('api-key.revoked', { keyId: id });
    }
    return ids.length;
  }

  /** Notes that a key was seen where it should not have been; true the first time. */
  async markExposed(id: string, exposure: NonNullable<ApiKeyRecord['exposure']>): Promise<boolean> {
    return (
      (await this.store.update(id, { exposedAt: this.clock.now(), exposure }, 'exposedAt')) !== undefined
    );
  }

  /** @throws SecurityError `FORBIDDEN` if a principal would give a key more than it has itself (R-AK-15) */
  assertWithinGrant(principal: Principal, scopes: readonly string[]): void {
    if (scopes.every((scope) => principal.scopes.includes(scope))) return;
    throw new SecurityError('FORBIDDEN', 'A key cannot have scopes that its maker lacks', {
      reason: 'key.grant',
    });
  }

  /** @internal Caches follow changes through this. */
  onChange(listener: KeyChanged): void {
    this.#listeners.push(listener);
  }

  #changed(id: string): void {
    for (const listener of this.#listeners) listener(id);
  }

  #make(input: MakeInput, now: number): { record: ApiKeyRecord; key: string } {
    const { prefix, maxAgeMs } = this.settings;
    const environment = input.environment ?? this.settings.environment;
    const { key, id } = generateKey(prefix, environment);
    const longest = maxAgeMs === undefined ? undefined : now + maxAgeMs;
    const expiresAt =
      input.expiresAt === undefined ? longest : Math.min(input.expiresAt, longest ?? Infinity);
    const record: ApiKeyRecord = {
      id,
      prefix,
      environment,
      digest: this.digests.of(key),
      last4: key.slice(-4),
      name: input.name,
      owner: input.owner,
      tenant: input.tenant,
      scopes: [...new Set(input.scopes)],
      roles: [...(input.roles ?? [])],
      allowedAddresses: [...(input.allowedAddresses ?? [])],
      metadata: { ...input.metadata },
      createdAt: now,
      expiresAt,
      revokedAt: undefined,
      exposedAt: undefined,
      exposure: undefined,
      lastUsedAt: undefined,
      predecessor: undefined,
      successor: undefined,
    };
    return { record, key };
  }
}

type MakeInput = Pick<ApiKeyRecord, 'name' | 'owner' | 'scopes'> &
  Partial<
    Pick<ApiKeyRecord, 'tenant' | 'environment' | 'roles' | 'allowedAddresses' | 'metadata' | 'expiresAt'>
  >;

function infoOf({ digest: _, ...info }: ApiKeyRecord): ApiKeyInfo {
  return info;
}

function notFound(): SecurityError {
  return new SecurityError('NOT_FOUND', 'No such key');
}
