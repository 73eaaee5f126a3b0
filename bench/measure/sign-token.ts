import { createHmac, sign, type KeyObject } from 'node:crypto';

import type { Algorithm } from '../apps/contestant.js';

export interface TokenInput {
  readonly algorithm: Algorithm;
  readonly key: KeyObject;
  readonly issuer: string;
  readonly audience: string;
  /** Makes tokens differ. */
  readonly index: number;
}

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT access token (RFC 9068) that is good for an hour. */
export function signToken({ algorithm, key, issuer, audience, index }: TokenInput): string {
  const now = Math.floor(Date.now() / 1000);
  const content = `${encode({ alg: algorithm, typ: 'at+jwt' })}.${encode({
    iss: issuer,
    aud: audience,
    sub: `user-${String(index % 1000)}`,
    client_id: 'bench',
    jti: `token-${String(index)}`,
    scope: 'orders:read orders:write',
    iat: now,
    exp: now + 3600,
  })}`;
  return `${content}.${signature(algorithm, key, content)}`;
}

function signature(algorithm: Algorithm, key: KeyObject, content: string): string {
  if (algorithm === 'HS256') return createHmac('sha256', key).update(content).digest('base64url');
  return sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}
