import { readFileSync, statSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

import type { SecurityClock } from '../../clock.js';
import { CredentialRejected } from '../credential-verifier.js';
import type { JwtAlgorithm } from './algorithms.js';
import { type FetchedKeys, usableKeys } from './fetched-keys.js';
import { KeyRefused, type VerificationKey } from './key-material.js';
import { KeySet, type KeySource, type KeySourceTrouble } from './key-source.js';

const MAX_BYTES = 131_072;
const LOOK_EVERY_MS = 30_000;

/** Keys from a file with a JWK Set, which is read again when it has changed. A version that cannot be used changes nothing. */
export class FileKeySource implements KeySource {
  #fetched: FetchedKeys;
  #keys: KeySet;
  #changedAt: number;
  #nextLook: number;
  #generation = 0;
  #report: (trouble: KeySourceTrouble) => void = () => undefined;

  /** @throws KeyRefused if there is no file that can be used */
  constructor(
    private readonly path: string,
    private readonly algorithms: readonly JwtAlgorithm[],
    private readonly clock: SecurityClock,
  ) {
    try {
      const { size, mtimeMs } = statSync(path);
      if (size > MAX_BYTES) throw new KeyRefused(`has more than ${MAX_BYTES} bytes`);
      this.#fetched = usableKeys(JSON.parse(readFileSync(path, 'utf8')), algorithms);
      this.#changedAt = mtimeMs;
    } catch (error) {
      if (error instanceof KeyRefused) throw error;
      const isJson = error instanceof SyntaxError;
      throw new KeyRefused(isJson ? 'holds no JSON' : 'cannot be read');
    }
    this.#keys = new KeySet(this.#fetched.keys);
    this.#nextLook = clock.monotonic() + LOOK_EVERY_MS;
  }

  get generation(): number {
    this.#lookSometimes();
    return this.#generation;
  }

  find(algorithm: string, kid: string | undefined): VerificationKey {
    this.#lookSometimes();
    const key = this.#keys.find(algorithm, kid);
    if (!key) throw new CredentialRejected('token.key-unknown');
    return key;
  }

  async refresh(): Promise<void> {
    const { size, mtimeMs } = await stat(this.path);
    if (mtimeMs === this.#changedAt) return;
    if (size > MAX_BYTES) throw new KeyRefused(`has more than ${MAX_BYTES} bytes`);
    const fetched = usableKeys(JSON.parse(await readFile(this.path, 'utf8')), this.algorithms);
    if ([...this.#fetched.ids].some((id) => !fetched.ids.has(id))) this.#generation++;
    this.#fetched = fetched;
    this.#keys = new KeySet(fetched.keys);
    this.#changedAt = mtimeMs;
  }

  watch(report: (trouble: KeySourceTrouble) => void): void {
    this.#report = report;
  }

  /** Never keeps a request waiting. */
  #lookSometimes(): void {
    const now = this.clock.monotonic();
    if (now < this.#nextLook) return;
    this.#nextLook = now + LOOK_EVERY_MS;
    this.refresh().catch((error: unknown) => {
      const reason = error instanceof KeyRefused ? error.message : 'the file cannot be read';
      this.#report({ kind: 'failed', reason });
    });
  }
}
