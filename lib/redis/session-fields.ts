import type { RefreshTokenDigests, TokenSession } from '../authentication/jwt/session-store.js';
import { sha256 } from '../authentication/sha256.js';
import { pairsOf } from './key-record-fields.js';

/** The fields of a session's hash: field, value, … What changes has a field of its own, the rest is one JSON. */
export function fieldsOf(session: TokenSession, { token }: RefreshTokenDigests): string[] {
  const { lastAddress, lastUsedAt, idleUntil, expiresAt, ...data } = session;
  const fields: [string, string][] = [
    ['id', session.id],
    ['owner', sha256(session.subject)],
    ['newest', token],
    ['data', JSON.stringify(data)],
    ['lastUsedAt', String(lastUsedAt)],
    ['idleUntil', String(idleUntil)],
    ['expiresAt', String(expiresAt)],
  ];
  if (lastAddress !== undefined) fields.push(['lastAddress', lastAddress]);
  return fields.flat();
}

/** The session of a hash; undefined if it is empty. */
export function sessionOf(reply: unknown): TokenSession | undefined {
  const fields = pairsOf(reply);
  if (fields.size === 0) return undefined;
  const data = JSON.parse(fields.get('data')!) as TokenSession;
  return {
    id: data.id,
    subject: data.subject,
    clientId: data.clientId,
    audience: data.audience,
    scopes: data.scopes,
    roles: data.roles,
    claims: data.claims,
    device: data.device,
    address: data.address,
    lastAddress: fields.get('lastAddress'),
    createdAt: data.createdAt,
    lastUsedAt: Number(fields.get('lastUsedAt')),
    idleUntil: Number(fields.get('idleUntil')),
    expiresAt: Number(fields.get('expiresAt')),
  };
}
