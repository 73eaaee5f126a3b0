import type { TokenSession } from '../authentication/jwt/session-store.js';
import { textOf } from './column-text.js';
import type { SessionRow } from './sql-schema.js';

/** The columns that a session fills; those of its tokens are beside them. */
export type SessionColumns = Omit<SessionRow, 'family' | 'newest' | 'previous' | 'salt' | 'grace_until'>;

/** The columns of a session. */
export function columnsOf(session: TokenSession): SessionColumns {
  const { id, subject, lastAddress, createdAt, lastUsedAt, idleUntil, expiresAt, ...data } = session;
  return {
    id,
    subject,
    data: JSON.stringify(data),
    last_address: lastAddress ?? null,
    created_at: createdAt,
    last_used_at: lastUsedAt,
    idle_until: idleUntil,
    expires_at: expiresAt,
  };
}

/** The session of a row, which may have columns that are newer than this code. */
export function sessionOf(row: SessionRow): TokenSession {
  const data = JSON.parse(textOf(row.data)) as Omit<TokenSession, 'id' | 'subject'>;
  return {
    id: textOf(row.id),
    subject: textOf(row.subject),
    clientId: data.clientId,
    audience: data.audience,
    scopes: data.scopes,
    roles: data.roles,
    claims: data.claims,
    device: data.device,
    address: data.address,
    lastAddress: row.last_address === null ? undefined : textOf(row.last_address),
    createdAt: Number(row.created_at),
    lastUsedAt: Number(row.last_used_at),
    idleUntil: Number(row.idle_until),
    expiresAt: Number(row.expires_at),
  };
}
