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
/** Nothing longer is a key (R-AK-01), so nothing longer is hashed. */
export const MAX_KEY_LENGTH = 200;
/** Bytes from here up would favour the first letters of the alphabet. */
const FAIR_BYTES = 4 * ALPHABET.length;

/**
 * What a key looks like, for secret scanners: `sk_live_<id>_<secret and checksum>` with any prefix (R-AK-01).
 *
 * @example
 * text.matchAll(new RegExp(API_KEY_PATTERN, 'g'))
 */
export const API_KEY_PATTERN = '[A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_[A-Za-z0-9]{16}_[A-Za-z0-9]{49}';

/** Where random bytes come from; a test hands in its own. */
export type RandomSource = (size: number) => Uint8Array;

/**
 * A fresh key with 256 random bits of secret (R-AK-02).
 *
 * @param prefix 2–16 letters and digits, the first a letter
 * @param random a cryptographic source; Node's own by default
 */
export function generateKey(
  prefix: string,
  environment: KeyEnvironment,
  random: RandomSource = randomBytes,
): { key: string; id: string } {
  const id = randomBase62(ID_LENGTH, random);
  const body = `${prefix}_${environment}_${id}_${randomBase62(SECRET_LENGTH, random)}`;
  return { key: body + checksumOf(body), id };
}

/**
 * Takes a key apart, if it is one by form and checksum: typos and guesses never reach a store (R-AK-03).
 * The checksum is no secret and no security: it only sorts out garbage.
 */
export function parseKey(text: string): KeyParts | undefined {
  if (text.length < MIN_LENGTH || text.length > MAX_KEY_LENGTH) return undefined;
  const parts = text.split('_');
  if (parts.length !== 4) return undefined;
  const [prefix = '', environment = '', id = '', secret = ''] = parts;
  if (environment !== 'live' && environment !== 'test') return undefined;
  if (id.length !== ID_LENGTH || secret.length !== SECRET_LENGTH + CHECKSUM_LENGTH) return undefined;
  if (prefix.length < 2 || prefix.length > 16 || !isBase62(prefix) || !isBase62(id) || !isBase62(secret))
    return undefined;
  const end = text.length - CHECKSUM_LENGTH;
  if (checksumOf(text.slice(0, end)) !== text.slice(end)) return undefined;
  return { prefix, environment, id: ownCopy(id) };
}

/** How a key may be shown (R-AK-17): `sk_live_<id>…<last four>`. */
export function maskKey({ prefix, environment, id, last4 }: KeyParts & { readonly last4: string }): string {
  return `${prefix}_${environment}_${id}…${last4}`;
}

function checksumOf(text: string): string {
  let rest = crc32(text);
  let checksum = '';
  for (let i = 0; i < CHECKSUM_LENGTH; i++) {
    checksum = ALPHABET[rest % ALPHABET.length]! + checksum;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return checksum;
}

/** A slice shares memory with what it was cut from: whoever keeps the id would keep the secret in memory (R-AK-13). */
function ownCopy(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** Each character equally likely: bytes that would favour some are thrown away. */
function randomBase62(length: number, random: RandomSource): string {
  let text = '';
  while (text.length < length) {
    for (const byte of random(length)) {
      if (byte < FAIR_BYTES && text.length < length) text += ALPHABET[byte % ALPHABET.length]!;
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
