import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';

import { thumbprint } from './thumbprint.js';

/** Signature algorithms of keys that this application makes itself. */
export type ManagedAlgorithm = 'ES256' | 'EdDSA';

/** A signing key as the ring keeps it. Times are epoch milliseconds. */
export interface RingKey {
  /** Thumbprint of the key (RFC 7638). */
  readonly kid: string;
  readonly algorithm: ManagedAlgorithm;
  /** The private key. */
  readonly jwk: JsonWebKey;
  readonly signsFrom: number;
}

/** When keys change. Milliseconds. */
export interface RotationSchedule {
  readonly algorithm: ManagedAlgorithm;
  readonly rotateEvery: number;
  /** How long a key is published before it signs. */
  readonly publishAhead: number;
  /** How long a token can be valid after its key has signed for the last time. */
  readonly outlive: number;
}

/** Makes a key. */
export function makeRingKey(algorithm: ManagedAlgorithm, signsFrom: number): RingKey {
  const { privateKey } =
    algorithm === 'ES256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519');
  const jwk = privateKey.export({ format: 'jwk' });
  return { kid: thumbprint(jwk), algorithm, jwk, signsFrom };
}

/** The key that signs: the one whose time began last. */
export function signingKeyAt(keys: readonly RingKey[], now: number): RingKey | undefined {
  return keys.findLast(({ signsFrom }) => signsFrom <= now);
}

/** The keys after what is due now: a first one, the next one, and without those that no valid token can need. */
export function upkeep(
  keys: readonly RingKey[],
  now: number,
  { algorithm, rotateEvery, publishAhead, outlive }: RotationSchedule,
): readonly RingKey[] {
  const kept = keys.filter((_, index) => {
    const next = keys[index + 1];
    return next === undefined || next.signsFrom + outlive > now;
  });
  if (!signingKeyAt(kept, now)) return [...kept, makeRingKey(algorithm, now)].toSorted(bySigning);
  const newest = kept.at(-1)!;
  const due = newest.signsFrom + rotateEvery;
  if (due - publishAhead > now) return kept.length === keys.length ? keys : kept;
  return [...kept, makeRingKey(algorithm, Math.max(due, now + publishAhead))];
}

const bySigning = (one: RingKey, other: RingKey): number => one.signsFrom - other.signsFrom;
