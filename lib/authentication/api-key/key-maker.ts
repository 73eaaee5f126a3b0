import type { ApiKeyDigest } from './api-key-digest.js';
import { type ApiKeyEntry, recordOf } from './api-key-entry.js';
import type { ApiKeySettings } from './api-key.options.js';
import type { ApiKeyRecord } from './api-key-store.js';
import { generateKey } from './key-format.js';

/** Makes a key and the record to keep of it. */
export function makeKey(
  input: Omit<ApiKeyEntry, 'id' | 'digest'>,
  settings: ApiKeySettings,
  digests: ApiKeyDigest,
  now: number,
): { record: ApiKeyRecord; key: string } {
  const { prefix } = settings;
  const environment = input.environment ?? settings.environment;
  const { key, id } = generateKey(prefix, environment);
  const record = recordOf({
    id,
    prefix,
    environment,
    digest: digests.of(key),
    last4: key.slice(-4),
    name: input.name,
    owner: input.owner,
    tenant: input.tenant,
    scopes: [...new Set(input.scopes)],
    roles: [...new Set(input.roles)],
    allowedAddresses: [...(input.allowedAddresses ?? [])],
    metadata: { ...input.metadata },
    limits: input.limits,
    createdAt: now,
    expiresAt: boundedExpiry(input.expiresAt, now, settings),
  });
  return { record, key };
}

/** The expiry that was asked for, but never beyond the longest life that the options allow (R-AK-09). */
export function boundedExpiry(
  wanted: number | undefined,
  createdAt: number,
  { maxAgeMs }: Pick<ApiKeySettings, 'maxAgeMs'>,
): number | undefined {
  const latest = maxAgeMs === undefined ? undefined : createdAt + maxAgeMs;
  if (wanted === undefined || latest === undefined) return wanted ?? latest;
  return Math.min(wanted, latest);
}
