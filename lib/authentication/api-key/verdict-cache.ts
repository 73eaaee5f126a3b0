import type { SecurityClock } from '../../clock.js';
import { BoundedCache } from '../bounded-cache.js';
import { CredentialRejected, type VerifiedCredential } from '../credential-verifier.js';

interface Accepted {
  readonly credential: VerifiedCredential;
  /** Monotonic time until which the store need not be asked again. */
  readonly freshUntil: number;
}

interface Refused {
  readonly digest: string;
  readonly reason: string;
  readonly freshUntil: number;
}

/** How long a refusal is remembered: a key that another process makes meanwhile works after that (R-AK-13). */
const REFUSED_MS = 1_000;
const MAX_REFUSED = 10_000;

/**
 * What was found out about keys a moment ago, under digests of the keys (R-AK-13). Accepted keys have a place of their own,
 * so that made-up ones cannot push them out. Forgetting a key takes the same time however much is remembered.
 */
export class VerdictCache {
  readonly #accepted: BoundedCache<Accepted>;
  /** A key id has one secret, so one digest. */
  readonly #digestById: BoundedCache<string>;
  /** The last refusal for each key id. */
  readonly #refused = new BoundedCache<Refused>(MAX_REFUSED);

  /** @param acceptedMs how long an accepted key is trusted without the store, in milliseconds */
  constructor(
    private readonly clock: SecurityClock,
    private readonly acceptedMs: number,
    maxAccepted: number,
  ) {
    this.#accepted = new BoundedCache(maxAccepted);
    this.#digestById = new BoundedCache(maxAccepted);
  }

  get size(): { readonly accepted: number; readonly refused: number } {
    return { accepted: this.#accepted.size, refused: this.#refused.size };
  }

  accepted(digest: string): VerifiedCredential | undefined {
    const known = this.#accepted.get(digest);
    if (known === undefined || known.freshUntil <= this.clock.monotonic()) return undefined;
    // The wall clock decides about expiry, the monotonic one about age: neither can stand in for the other.
    return known.credential.expiresAt > this.clock.now() ? known.credential : undefined;
  }

  refused(id: string, digest: string): CredentialRejected | undefined {
    const known = this.#refused.get(id);
    if (known?.digest !== digest || known.freshUntil <= this.clock.monotonic()) return undefined;
    return new CredentialRejected(known.reason, id);
  }

  accept(digest: string, credential: VerifiedCredential): void {
    if (this.acceptedMs <= 0) return;
    const { id } = credential.principal;
    this.#accepted.set(digest, { credential, freshUntil: this.clock.monotonic() + this.acceptedMs });
    this.#digestById.set(id, digest);
  }

  refuse(id: string, digest: string, reason: string): void {
    this.#refused.set(id, { digest, reason, freshUntil: this.clock.monotonic() + REFUSED_MS });
  }

  forget(id: string): void {
    const digest = this.#digestById.get(id);
    if (digest !== undefined) this.#accepted.delete(digest);
    this.#digestById.delete(id);
    this.#refused.delete(id);
  }

  /** Forgets an owner's keys; this one walks through all, and is not for every request. */
  forgetOwner(owner: string): void {
    this.#accepted.deleteWhere(({ credential }) => credential.principal.owner === owner);
    // A refusal does not say whose key it was.
    this.#refused.clear();
  }
}
