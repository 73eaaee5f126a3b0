import { createHash } from 'node:crypto';

import type { StoreCalls } from '../../authentication/store-calls.js';
import type { FoundRecord } from './authorization-store.js';

/** A record that is of no use any more: its key was dropped, or somebody changed it. */
export class RecordUnreadable extends Error {}

/**
 * Encrypts and authenticates records (JWE, AES-256-GCM), each for its own place: who can read the store learns no secret, and
 * who can write it can neither make a record nor move one. Several secrets to change one: the first seals, all open.
 */
export class RecordSeal {
  /** @param secrets of at least 32 random bytes each */
  constructor(private readonly secrets: readonly Uint8Array[]) {}

  async seal(kind: string, id: string, content: object): Promise<string> {
    const { CompactEncrypt } = await import('jose');
    return new CompactEncrypt(Buffer.from(JSON.stringify({ id, content })))
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .encrypt(keyFor(kind, this.secrets[0]!));
  }

  /** @throws RecordUnreadable if it was made with another secret, for another place, or was changed */
  async open(kind: string, id: string, text: string): Promise<Record<string, unknown>> {
    const { compactDecrypt, errors } = await import('jose');
    for (const secret of this.secrets) {
      try {
        const { plaintext } = await compactDecrypt(text, keyFor(kind, secret), {
          keyManagementAlgorithms: ['dir'],
          contentEncryptionAlgorithms: ['A256GCM'],
        });
        const sealed = JSON.parse(Buffer.from(plaintext).toString()) as Sealed;
        if (sealed.id === id) return sealed.content;
      } catch (error) {
        if (!(error instanceof errors.JOSEError)) throw error;
      }
    }
    throw new RecordUnreadable(`a record of the kind ${kind} cannot be opened with this encryptionKey`);
  }

  /** The same; a record that cannot be opened is reported, and as good as none. */
  async openOrReport(
    kind: string,
    { id, payload }: FoundRecord,
    calls: StoreCalls,
  ): Promise<Record<string, unknown> | undefined> {
    try {
      return await this.open(kind, id, payload);
    } catch (error) {
      if (!(error instanceof RecordUnreadable)) throw error;
      calls.report(error);
      return undefined;
    }
  }
}

interface Sealed {
  readonly id: string;
  readonly content: Record<string, unknown>;
}

/** A key for each kind, so that no record passes for another, and none of the keys is used too often. */
const keyFor = (kind: string, secret: Uint8Array): Uint8Array =>
  createHash('sha256').update(`authorization record ${kind} `).update(secret).digest();
