import type { ApiKeyRecord } from './api-key-store.js';

/** When a key stops by itself: its expiry or the end of its overlap, whichever comes first; `Infinity` if neither is set. */
export function endOf({
  expiresAt,
  overlapEndsAt,
}: Pick<ApiKeyRecord, 'expiresAt' | 'overlapEndsAt'>): number {
  return Math.min(expiresAt ?? Infinity, overlapEndsAt ?? Infinity);
}

/** Why a genuine key does not work at `now` (epoch milliseconds), or undefined if it does (R-AK-09, R-AK-10). */
export function reasonAgainst(
  record: Pick<ApiKeyRecord, 'expiresAt' | 'overlapEndsAt' | 'revokedAt'>,
  now: number,
): 'key.revoked' | 'key.expired' | undefined {
  // SQL stores have null for what is not set.
  if ((record.revokedAt ?? undefined) !== undefined) return 'key.revoked';
  // Asked this way round, a time that is no number has passed.
  return endOf(record) > now ? undefined : 'key.expired';
}

/** When a key ended or will end, by itself or by revocation; `Infinity` if never. */
export function endedAt(record: Pick<ApiKeyRecord, 'expiresAt' | 'overlapEndsAt' | 'revokedAt'>): number {
  return Math.min(endOf(record), record.revokedAt ?? Infinity);
}
