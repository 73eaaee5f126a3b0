import type { ApiKeyInfo } from '../authentication/api-key/api-key.service.js';
import { reasonAgainst } from '../authentication/api-key/key-standing.js';
import { maskKey } from '../authentication/api-key/key-format.js';

/** A key as documents show it: times as text, what is not set left out. */
export function documentOf(key: ApiKeyInfo): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(key)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [
        name,
        name.endsWith('At') && typeof value === 'number' ? timeOf(value) : value,
      ]),
  );
}

/** A key as lines for people. */
export function linesOf(key: ApiKeyInfo, now: number): string {
  const rows: readonly (readonly [string, string | undefined])[] = [
    ['id', key.id],
    ['key', maskKey(key)],
    ['name', key.name],
    ['owner', key.owner],
    ['tenant', key.tenant],
    ['standing', standingOf(key, now)],
    ['scopes', key.scopes.join(' ') || 'none'],
    ['roles', key.roles.join(' ')],
    ['addresses', key.allowedAddresses.join(' ')],
    ['limits', limitsOf(key)],
    ['created', timeOf(key.createdAt)],
    ['expires', timeOf(key.expiresAt)],
    ['last used', [timeOf(key.lastUsedAt), key.lastUsedFrom].filter(Boolean).join(' from ')],
    ['exposed', key.exposedAt === undefined ? '' : `${timeOf(key.exposedAt)} (${key.exposure})`],
    ['replaced by', key.successor],
    ['replaces', key.predecessor],
    ...Object.entries(key.metadata).map(([name, value]) => [`metadata ${printable(name)}`, value] as const),
  ];
  return rows
    .filter(([, value]) => value)
    .map(([label, value]) => `${label.padEnd(12)} ${printable(value!)}\n`)
    .join('');
}

/** Keys as a table for people. */
export function tableOf(keys: readonly ApiKeyInfo[], now: number): string {
  if (keys.length === 0) return 'no keys\n';
  const rows = keys.map((key) => [
    key.id,
    key.name,
    standingOf(key, now),
    timeOf(key.createdAt)?.slice(0, 10) ?? '',
    timeOf(key.lastUsedAt)?.slice(0, 10) ?? 'never used',
    key.scopes.join(' '),
  ]);
  return columns([['ID', 'NAME', 'STANDING', 'CREATED', 'LAST USED', 'SCOPES'], ...rows]);
}

/** Rows with columns as wide as they have to be. */
export function columns(rows: readonly (readonly string[])[]): string {
  const shown = rows.map((row) => row.map(printable));
  const widths = shown[0]!.map((_, at) => Math.max(...shown.map((row) => row[at]!.length)));
  return shown
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

export function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : new Date(ms).toISOString();
}

function standingOf(key: ApiKeyInfo, now: number): string {
  const reason = reasonAgainst(key, now);
  if (reason === 'key.revoked') return `revoked ${timeOf(key.revokedAt)!.slice(0, 10)}`;
  if (reason !== undefined) return key.successor === undefined ? 'expired' : 'replaced';
  if (key.exposedAt !== undefined) return 'works, exposed';
  return key.successor === undefined ? 'works' : 'works, replaced';
}

function limitsOf({ limits }: ApiKeyInfo): string | undefined {
  if (typeof limits === 'string' || limits === undefined) return limits;
  return limits.map(({ limit, window }) => `${limit} in ${window / 1_000} s`).join(', ');
}

/** Names come from people: nothing in them may steer a terminal. */
function printable(value: string): string {
  return value.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');
}
