import { createHash } from 'node:crypto';

import type { StoredKeyRing } from './key-ring-store.js';
import type { RingKey } from './key-ring.js';

/** A ring that cannot be opened: it is another application's, older than one seen before, or was tampered with. */
export class KeyRingUnreadable extends Error {}

/**
 * Encrypts and authenticates the whole ring (JWE, AES-256-GCM), so that whoever can read the store has no key, and whoever can
 * write it cannot add one. Several secrets to change one: the first seals, all open.
 */
export class KeyRingSeal {
  readonly #keys: readonly Uint8Array[];

  /** @param secrets of at least 32 random bytes each */
  constructor(
    private readonly issuer: string,
    secrets: readonly Uint8Array[],
  ) {
    this.#keys = secrets.map((secret) => createHash('sha256').update('key ring').update(secret).digest());
  }

  async seal(keys: readonly RingKey[], version: number): Promise<StoredKeyRing> {
    const { CompactEncrypt } = await import('jose');
    const plain = JSON.stringify({ issuer: this.issuer, version, keys });
    const content = await new CompactEncrypt(Buffer.from(plain))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(this.#keys[0]!);
    return { version, content };
  }

  /** @throws KeyRingUnreadable */
  async open({ version, content }: StoredKeyRing): Promise<readonly RingKey[]> {
    const { compactDecrypt, errors } = await import('jose');
    for (const key of this.#keys) {
      try {
        const { plaintext } = await compactDecrypt(content, key, {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        const ring = JSON.parse(Buffer.from(plaintext).toString()) as Ring;
        if (ring.issuer !== this.issuer || ring.version !== version) break;
        return ring.keys;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    throw new KeyRingUnreadable(
      'the signing keys in the store cannot be opened: give the encryptionKey that they were made with, as the second one of a list to change it',
    );
  }
}

interface Ring {
  readonly issuer: string;
  readonly version: number;
  readonly keys: readonly RingKey[];
}
