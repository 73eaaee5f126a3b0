import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Where a key works: `live` keys and `test` keys never mix (R-AK-07). */
export type KeyEnvironment = 'live' | 'test';

/** The parts of a key; the secret is not among them. */
export interface KeyParts {
  readonly prefix: string;
  readonly environment: KeyEnvironment;
  readonly id: string;
}

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 16;
/** 43 characters of base62 hold 256 bits. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const MIN_LENGTH = 40;
const MAX_LENGTH = 200;

/**
 * What a key looks like, for secret scanners: `sk_live_<id>_<secret and checksum>` with any prefix (R-AK-01).
 *
 * @example
 * text.matchAll(new RegExp(API_KEY_PATTERN, 'g'))
 */
export const API_KEY_PATTERN = '[A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_[A-Za-z0-9]{16}_[A-Za-z0-9]{49}';

/** A fresh key with 256 random bits of secret (R-AK-02). */
export function generateKey(prefix: string, environment: KeyEnvironment): { key: string; id: string } {
  const id = randomBase62(ID_LENGTH);
  const body = `${prefix}_${environment}_${id}_${randomBase62(SECRET_LENGTH)}`;
  return { key: body + checksumOf(body), id };
}

/**
 * Takes a key apart, if it is one by form and checksum: typos and guesses never reach a store (R-AK-03).
 * The checksum is no secret and no security: it only sorts out garbage.
 */
export function parseKey(text: string): KeyParts | undefined {
  if (text.length < MIN_LENGTH || text.length > MAX_LENGTH) return undefined;
  const parts = text.split('_');
  if (parts.length !== 4) return undefined;
  const [prefix = '', environment = '', id = '', secret = ''] = parts;
  if (environment !== 'live' && environment !== 'test') return undefined;
  if (id.length !== ID_LENGTH || secret.length !== SECRET_LENGTH + CHECKSUM_LENGTH) return undefined;
  if (prefix.length < 2 || prefix.length > 16 || !isBase62(prefix) || !isBase62(id) || !isBase62(secret))
    return undefined;
  const end = text.length - CHECKSUM_LENGTH;
  return checksumOf(text.slice(0, end)) === text.slice(end) ? { prefix, environment, id } : undefined;
}

/** How a key may be shown (R-AK-17): `sk_live_<id>…<last four>`. */
export function maskKey({ prefix, environment, id, last4 }: KeyParts & { readonly last4: string }): string {
  return `${prefix}_${environment}_${id}…${last4}`;
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let checksum = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    checksum = ALPHABET[rest % 62]! + checksum;
    rest = Math.floor(rest / 62);
  }
  return checksum;
}

/** Each character equally likely: bytes of 248 and more would favour the first letters, so they are thrown away. */
function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < 248 && text.length < length) text += ALPHABET[byte % 62]!;
    }
  }
  return text;
}

function isBase62(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const inRange =
      (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
    if (!inRange) return false;
  }
  return true;
}
