import { createHmac, randomBytes } from 'node:crypto';

import { sha256 } from '../sha256.js';
import type { RefreshTokenDigests } from './session-store.js';

const PREFIX = 'rt_';
const FAMILY_LENGTH = 22;
const SHAPE = /^rt_[A-Za-z0-9_-]{65}$/;

/** A refresh token as it was presented. */
export interface PresentedToken {
  readonly text: string;
  readonly digests: RefreshTokenDigests;
}

/**
 * Opaque text of 384 random bits: 128 that all tokens of a session share, 256 of its own. The shared part is as secret as
 * the rest and not the session's public id, so nobody can end a session whose tokens he never had.
 */
export function newRefreshToken(): string {
  return PREFIX + randomBytes(16).toString('base64url') + newSalt();
}

/** 256 random bits. */
export const newSalt = (): string => randomBytes(32).toString('base64url');

/**
 * The token that takes the place of another: the same for the same salt, so that a client whose answer was lost can be given
 * it again (R-RT-05). It takes the predecessor and the salt to make it; a store has the salt only.
 */
export function successorOf({ text }: PresentedToken, salt: string): string {
  const own = createHmac('sha256', salt).update(text).digest('base64url');
  return text.slice(0, PREFIX.length + FAMILY_LENGTH) + own;
}

/** The token with its digests; `undefined` for what has not the form of one. */
export function readRefreshToken(text: unknown): PresentedToken | undefined {
  if (typeof text !== 'string' || !SHAPE.test(text)) return undefined;
  return { text, digests: digestsOf(text) };
}

/** What a store keeps of a token. */
export function digestsOf(text: string): RefreshTokenDigests {
  return { family: sha256(text.slice(0, PREFIX.length + FAMILY_LENGTH)), token: sha256(text) };
}
