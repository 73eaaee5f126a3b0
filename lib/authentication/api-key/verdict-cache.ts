import type { SecurityClock } from '../../clock.js';
import { BoundedCache } from '../bounded-cache.js';
import { CredentialRejected, type VerifiedCredential } from '../credential-verifier.js';
import { UseCounter } from './use-log.js';

/** A key that was found good. */
export interface AcceptedKey {
  readonly credential: VerifiedCredential;
  readonly uses: UseCounter;
}

interface Accepted extends AcceptedKey {
  /** Monotonic time until which the store need not be asked again. */
  freshUntil: number;
  /** Monotonic time until which the verdict may stand in for a store that does not answer. */
  readonly usableUntil: number;
}

interface Refused {
  readonly digest: string;
  readonly reason: string;
  readonly freshUntil: number;
}

/** How long a refusal is remembered: a key that another process makes meanwhile works after that (R-AK-13). */
const REFUSED_MS = 1_000;
const MAX_REFUSED = 10_000;
/** A store that did not answer is left alone this long, by each key that can do without. */
const RETRY_MS = 1_000;

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

  /**
   * @param acceptedMs how long an accepted key is trusted without the store, in milliseconds
   * @param staleMs how much longer if the store does not answer
   */
  constructor(
    private readonly clock: SecurityClock,
    private readonly acceptedMs: number,
    private readonly staleMs: number,
    maxAccepted: number,
  ) {
    this.#accepted = new BoundedCache(maxAccepted);
    this.#digestById = new BoundedCache(maxAccepted);
  }

  get size(): { readonly accepted: number; readonly refused: number } {
    return { accepted: this.#accepted.size, refused: this.#refused.size };
  }

  accepted(digest: string): AcceptedKey | undefined {
    const known = this.#accepted.get(digest);
    if (known === undefined || known.freshUntil <= this.clock.monotonic()) return undefined;
    // The wall clock decides about expiry, the monotonic one about age: neither can stand in for the other.
    return known.credential.expiresAt > this.clock.now() ? known : undefined;
  }

  /** What may be used although the store could not be asked; for a moment it is taken as fresh. */
  stale(digest: string): AcceptedKey | undefined {
    const known = this.#accepted.get(digest);
    const now = this.clock.monotonic();
    if (known === undefined || known.usableUntil <= now) return undefined;
    if (known.credential.expiresAt <= this.clock.now()) return undefined;
    known.freshUntil = Math.min(now + RETRY_MS, known.usableUntil);
    return known;
  }

  refused(id: string, digest: string): CredentialRejected | undefined {
    const known = this.#refused.get(id);
    if (known?.digest !== digest || known.freshUntil <= this.clock.monotonic()) return undefined;
    return new CredentialRejected(known.reason, id);
  }

  /** @param askedAt monotonic time before the store was asked: a verdict is as old as what it rests on (R-AK-10) */
  accept(digest: string, credential: VerifiedCredential, askedAt: number): AcceptedKey {
    const { id } = credential.principal;
    const uses = this.#accepted.get(digest)?.uses ?? new UseCounter(id);
    const known = { credential, uses };
    if (this.acceptedMs + this.staleMs <= 0) return known;
    const freshUntil = askedAt + this.acceptedMs;
    this.#accepted.set(digest, { ...known, freshUntil, usableUntil: freshUntil + this.staleMs });
    this.#digestById.set(id, digest);
    return known;
  }

  /** @param askedAt as for `accept` */
  refuse(id: string, digest: string, reason: string, askedAt: number): void {
    // What was accepted before must not stand in for a store that goes down next; that of another secret may.
    if (this.#digestById.get(id) === digest) this.forget(id);
    this.#refused.set(id, { digest, reason, freshUntil: askedAt + REFUSED_MS });
  }

  clear(): void {
    this.#accepted.clear();
    this.#digestById.clear();
    this.#refused.clear();
  }

  forget(id: string): void {
    const digest = this.#digestById.get(id);
    if (digest !== undefined) this.#accepted.delete(digest);
    this.#digestById.delete(id);
    this.#refused.delete(id);
  }

  /** Forgets an owner's keys; this one walks through all, and is not for every request. */
  forgetOwner(owner: string): void {
    this.#accepted.deleteWhere(({ credential: { principal } }) => {
      if (principal.owner !== owner) return false;
      // The two caches hold the same keys: else one would push out what the other still needs.
      this.#digestById.delete(principal.id);
      return true;
    });
    // A refusal does not say whose key it was.
    this.#refused.clear();
  }
}
