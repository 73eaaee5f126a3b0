import { randomBytes } from 'node:crypto';

import { sha256 } from '../sha256.js';
import type { RefreshTokenDigests } from './refresh-token-store.js';

const PREFIX = 'rt_';
const FAMILY_LENGTH = 22;
const SHAPE = /^rt_[A-Za-z0-9_-]{65}$/;

/**
 * Opaque text of 384 random bits: 128 that all tokens of a session share, 256 of its own. The shared part is as secret as
 * the rest and not the session's public id, so nobody can end a session whose tokens he never had.
 */
export function newRefreshToken(family: string = randomBytes(16).toString('base64url')): string {
  return PREFIX + family + randomBytes(32).toString('base64url');
}

/** The digests of a token, and the part that its successor shares; `undefined` for what has not the form of one. */
export function readRefreshToken(
  token: unknown,
): { family: string; digests: RefreshTokenDigests } | undefined {
  if (typeof token !== 'string' || !SHAPE.test(token)) return undefined;
  const family = token.slice(PREFIX.length, PREFIX.length + FAMILY_LENGTH);
  return { family, digests: { family: sha256(PREFIX + family), token: sha256(token) } };
}
