import { createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import type { SecurityEvents } from '../../events/security-events.js';
import { CredentialRejected } from '../credential-verifier.js';
import type { StoreCalls } from '../store-calls.js';
import type { JwtAlgorithm } from './algorithms.js';
import type { VerificationKey } from './key-material.js';
import type { KeyRingSeal } from './key-ring-seal.js';
import type { KeyRingStore, StoredKeyRing } from './key-ring-store.js';
import { makeRingKey, type RingKey, type RotationSchedule, signingKeyAt, upkeep } from './key-ring.js';
import { KeySet, type KeySource } from './key-source.js';
import type { SigningKeys, TokenSigner } from './token-issuer.js';

/** Algorithms of tokens that managed keys sign; Ed25519 has two names. */
export const MANAGED_ALGORITHMS: readonly JwtAlgorithm[] = ['ES256', 'EdDSA', 'Ed25519'];

/** Between two looks into the store for the sake of an unknown `kid`. */
const COOLDOWN_MS = 1_000;
/** Tries against other nodes that change the ring at the same time. */
const MAX_TRIES = 10;

/** What a ring works with. */
export interface KeyRingParts {
  readonly issuer: string;
  readonly store: KeyRingStore;
  readonly seal: KeyRingSeal;
  readonly schedule: RotationSchedule;
  readonly calls: StoreCalls;
  readonly events: SecurityEvents;
}

/** A key ready for use. */
interface LoadedKey extends RingKey {
  readonly signer: TokenSigner;
}

/**
 * Signing keys that the nodes of an application make, share and rotate by themselves: a new one is published some time
 * before it signs, an old one verifies for as long as its tokens can be valid. Every change replaces the ring that was read
 * and no other, so nodes that do the same thing at the same time do it once.
 */
export class SigningKeyRing implements KeySource, SigningKeys {
  #parts: KeyRingParts | undefined;
  #version = 0;
  #generation = 0;
  #keys: readonly LoadedKey[] = [];
  #verifying = new KeySet([]);
  #pending: Promise<void> | undefined;
  #nextMiss = Number.NEGATIVE_INFINITY;

  constructor(private readonly clock: SecurityClock) {}

  /** Tells it where its keys are; it is made before that is known. */
  open(parts: KeyRingParts): void {
    this.#parts = parts;
  }

  get generation(): number {
    return this.#generation;
  }

  signer(): TokenSigner {
    const key = signingKeyAt(this.#keys, this.clock.now()) as LoadedKey | undefined;
    if (!key) throw unavailable();
    return key.signer;
  }

  publicJwks(): readonly JsonWebKey[] {
    return this.#keys.map(({ signer }) => signer.publicJwk);
  }

  find(algorithm: string, kid: string | undefined): VerificationKey | Promise<VerificationKey> {
    const key = this.#verifying.find(algorithm, kid);
    return key ?? this.#findAfterReload(algorithm, kid);
  }

  async ready(): Promise<boolean> {
    if (this.#keys.length === 0) await this.refresh().catch(() => undefined);
    return this.#keys.length > 0;
  }

  /** Reads the ring again and does what is due. Single-flight. Rejects if that fails, and then goes on with the keys it has. */
  refresh(): Promise<void> {
    this.#pending ??= this.#change((keys, { schedule }) => upkeep(keys, this.clock.now(), schedule)).finally(
      () => {
        this.#pending = undefined;
      },
    );
    return this.#pending;
  }

  /** Adds a key that signs after `publishAhead`. @returns its `kid` */
  async rotate(): Promise<string> {
    let kid = '';
    await this.#change((keys, { schedule }) => {
      const next = makeRingKey(schedule.algorithm, this.clock.now() + schedule.publishAhead);
      ({ kid } = next);
      // One that was to come later is not needed any more.
      return [...keys.filter(({ signsFrom }) => signsFrom <= this.clock.now()), next];
    });
    this.#parts?.events.emit('signing-key.added', { kid });
    return kid;
  }

  /** Takes a key out at once. @returns false if there is none of that name */
  async remove(kid: string): Promise<boolean> {
    let found = false;
    await this.#change((keys, { schedule }) => {
      const rest = keys.filter((key) => key.kid !== kid);
      found = rest.length < keys.length;
      return found ? upkeep(rest, this.clock.now(), schedule) : keys;
    });
    if (found) this.#parts?.events.emit('signing-key.removed', { kid });
    return found;
  }

  async #findAfterReload(algorithm: string, kid: string | undefined): Promise<VerificationKey> {
    const now = this.clock.monotonic();
    if (this.#pending || now >= this.#nextMiss) {
      this.#nextMiss = now + COOLDOWN_MS;
      await this.refresh().catch(() => undefined);
    }
    if (this.#keys.length === 0) throw unavailable();
    const key = this.#verifying.find(algorithm, kid);
    if (!key) throw new CredentialRejected('token.key-unknown');
    return key;
  }

  async #change(next: (keys: readonly RingKey[], parts: KeyRingParts) => readonly RingKey[]): Promise<void> {
    const parts = this.#parts;
    if (!parts) throw unavailable();
    const { issuer, store, seal, calls } = parts;
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const stored = await calls.ask(() => store.keyRing(issuer));
      const keys = await this.#read(stored, parts);
      const changed = next(keys, parts);
      if (changed === keys) return this.#load(stored?.version ?? 0, keys);
      const sealed = await seal.seal(changed.map(plain), (stored?.version ?? 0) + 1);
      if (await calls.ask(() => store.replaceKeyRing(issuer, sealed)))
        return this.#load(sealed.version, changed);
    }
    throw new Error('the signing keys are being changed by others all the time');
  }

  async #read(stored: StoredKeyRing | undefined, { seal, calls }: KeyRingParts): Promise<readonly RingKey[]> {
    try {
      if ((stored?.version ?? 0) < this.#version) {
        throw new Error('the signing keys in the store are older than those seen before, and are not taken');
      }
      if (stored?.version === this.#version) return this.#keys;
      return stored ? await seal.open(stored) : [];
    } catch (error) {
      calls.report(error);
      throw error;
    }
  }

  #load(version: number, keys: readonly RingKey[]): void {
    if (version === this.#version) return;
    const known = new Map(this.#keys.map((key) => [key.kid, key]));
    if (this.#keys.some(({ kid }) => !keys.some((key) => key.kid === kid))) this.#generation++;
    this.#keys = keys.map((key) => known.get(key.kid) ?? { ...key, signer: signerOf(key) });
    this.#verifying = new KeySet(this.#keys.map(verificationKeyOf));
    this.#version = version;
  }
}

const plain = ({ kid, algorithm, jwk, signsFrom }: RingKey): RingKey => ({ kid, algorithm, jwk, signsFrom });

function signerOf({ kid, algorithm, jwk }: RingKey): TokenSigner {
  const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
  const publicJwk = createPublicKey(privateKey).export({ format: 'jwk' });
  return {
    privateKey,
    kid,
    algorithm,
    publicJwk: Object.freeze({ ...publicJwk, kid, alg: algorithm, use: 'sig' }),
  };
}

const verificationKeyOf = ({ kid, algorithm, signer }: LoadedKey): VerificationKey => ({
  key: createPublicKey(signer.privateKey),
  kid,
  algorithms: algorithm === 'ES256' ? ['ES256'] : ['EdDSA', 'Ed25519'],
  signatureBytes: 64,
});

const unavailable = (): SecurityError =>
  new SecurityError('UNAVAILABLE', 'The keys of tokens cannot be had', {
    retryAfter: 5,
    reason: 'token.keys-unavailable',
  });
