import type { createRemoteJWKSet } from 'jose';

import type { SecurityClock } from '../../clock.js';
import { SecurityError } from '../../errors/security-error.js';
import { CredentialRejected } from '../credential-verifier.js';
import type { JwtAlgorithm } from './algorithms.js';
import { KeyRefused, readPublicKey, type VerificationKey } from './key-material.js';
import { KeySet, type KeySource } from './key-source.js';

const TIMEOUT_MS = 3_000;
/** Between two fetches, whatever came of the first. */
const COOLDOWN_MS = 30_000;
/** The same while there are no keys at all: nothing works until there are. */
const FIRST_COOLDOWN_MS = 5_000;
const MAX_AGE_MS = 600_000;
const MAX_STALE_MS = 3_600_000;
const MAX_BYTES = 131_072;
const MAX_KEYS = 50;

/**
 * Keys from an issuer's `jwks_uri`, through jose. Fetched when first needed, renewed in the background, and at most once in
 * 30 s for the sake of unknown names, so that made-up `kid`s cause neither traffic nor 5xx (D14). Redirects are not followed.
 */
export class RemoteKeySource implements KeySource {
  #remote: ReturnType<typeof createRemoteJWKSet> | undefined;
  readonly #uri: URL;
  #keys: KeySet | undefined;
  #loadedAt = 0;
  #nextFetch = 0;
  #pending: Promise<void> | undefined;

  constructor(
    uri: string,
    private readonly algorithms: readonly JwtAlgorithm[],
    private readonly clock: SecurityClock,
  ) {
    this.#uri = new URL(uri);
  }

  find(algorithm: string, kid: string | undefined): VerificationKey | Promise<VerificationKey> {
    const age = this.clock.monotonic() - this.#loadedAt;
    if (this.#keys && age < MAX_STALE_MS) {
      if (age >= MAX_AGE_MS) void this.#refresh();
      const key = this.#keys.find(algorithm, kid);
      if (key) return key;
    }
    return this.#findAfterRefresh(algorithm, kid);
  }

  async #findAfterRefresh(algorithm: string, kid: string | undefined): Promise<VerificationKey> {
    await this.#refresh();
    if (!this.#keys || this.clock.monotonic() - this.#loadedAt >= MAX_STALE_MS) {
      throw new SecurityError('UNAVAILABLE', 'The keys to check the token cannot be had', {
        retryAfter: Math.ceil(FIRST_COOLDOWN_MS / 1000),
        reason: 'token.keys-unavailable',
      });
    }
    const key = this.#keys.find(algorithm, kid);
    if (!key) throw new CredentialRejected('token.key-unknown');
    return key;
  }

  /** Single-flight; never rejects: a failed fetch leaves the keys that were there. */
  #refresh(): Promise<void> | undefined {
    if (this.#pending) return this.#pending;
    const now = this.clock.monotonic();
    if (now < this.#nextFetch) return undefined;
    this.#nextFetch = now + (this.#keys ? COOLDOWN_MS : FIRST_COOLDOWN_MS);
    this.#pending = this.#load()
      .catch(() => undefined)
      .finally(() => {
        this.#pending = undefined;
      });
    return this.#pending;
  }

  async #load(): Promise<void> {
    const remote = (this.#remote ??= await openKeySet(this.#uri));
    await remote.reload();
    const keys: VerificationKey[] = [];
    for (const jwk of (remote.jwks()?.keys ?? []).slice(0, MAX_KEYS)) {
      try {
        keys.push(readPublicKey(jwk, this.algorithms, true));
      } catch (error) {
        // One key that cannot be used does not spoil the set.
        if (!(error instanceof KeyRefused)) throw error;
      }
    }
    if (keys.length === 0) return;
    this.#keys = new KeySet(keys);
    this.#loadedAt = this.clock.monotonic();
    this.#nextFetch = this.#loadedAt + COOLDOWN_MS;
  }
}

async function openKeySet(uri: URL): Promise<ReturnType<typeof createRemoteJWKSet>> {
  const { createRemoteJWKSet, customFetch } = await import('jose');
  return createRemoteJWKSet(uri, { timeoutDuration: TIMEOUT_MS, [customFetch]: fetchBounded });
}

/** `fetch` that reads no more than a key set can need. */
async function fetchBounded(url: string, options: RequestInit): Promise<Response> {
  const response = await fetch(url, options);
  if (response.status !== 200 || !response.body) return new Response(null, { status: 502 });
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error('the key set is too large');
    chunks.push(chunk);
  }
  return Response.json(withObjectsOnly(JSON.parse(Buffer.concat(chunks).toString())));
}

/** jose refuses a whole set for one member that is no object. */
function withObjectsOnly(set: unknown): unknown {
  const keys: unknown = (set as { keys?: unknown } | null)?.keys;
  return Array.isArray(keys) ? { keys: keys.filter((key) => typeof key === 'object' && key !== null) } : set;
}
