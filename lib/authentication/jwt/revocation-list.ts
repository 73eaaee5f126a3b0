import type { SecurityClock } from '../../clock.js';
import type { Revocation } from './revocation-store.js';

/** How a token can be found among what was revoked; the names are made once, when the token is verified. */
export interface RevocableToken {
  readonly token: string | undefined;
  readonly session: string | undefined;
  readonly subject: string;
  /** Epoch seconds. */
  readonly issuedAt: number;
}

/** Asked for every request with a token, also for tokens that were verified before; so it answers from memory. */
export interface Revocations {
  isRevoked(token: RevocableToken): boolean;
  /** Whether what other nodes revoked is known; while it is not, no token can be called good. */
  isCurrent(): boolean;
}

/** Names a token for `Revocations`; issuers' names are kept apart by their length. */
export function revocableToken(
  issuer: string,
  {
    subject,
    tokenId,
    sessionId,
    issuedAt,
  }: { subject: string; tokenId: string | undefined; sessionId: string | undefined; issuedAt: number },
): RevocableToken {
  const prefix = prefixOf(issuer);
  return {
    token: tokenId === undefined ? undefined : prefix + tokenId,
    session: sessionId === undefined ? undefined : prefix + sessionId,
    subject: prefix + subject,
    issuedAt,
  };
}

const prefixOf = (issuer: string): string => `${issuer.length}:${issuer}:`;

/** Epoch seconds: tokens of the subject that were issued up to `notBefore` are revoked; forgotten after `until`. */
interface SubjectEntry {
  readonly notBefore: number;
  readonly until: number;
}

const SWEPT_PER_ENTRY = 8;

/**
 * Revoked tokens, sessions and subjects in this process's memory, each until no token that it means can be valid (R-JW-22).
 * Bounded: when it is full the oldest entry goes, and with it every token that was issued before it was made. So nothing that
 * was revoked comes back; others have to refresh once.
 */
export class RevocationList implements Revocations {
  readonly #tokens = new Map<string, number>();
  readonly #sessions = new Map<string, number>();
  readonly #subjects = new Map<string, SubjectEntry>();
  #sweep: Iterator<void> | undefined;
  /** Epoch seconds; what was issued up to here is refused. */
  #floor = Number.NEGATIVE_INFINITY;
  /** By the monotonic clock; until then what others revoked is known. */
  #currentUntil = Number.POSITIVE_INFINITY;

  /** @param maxEntries of each kind */
  constructor(
    private readonly clock: SecurityClock,
    private readonly maxEntries = 100_000,
  ) {}

  get size(): number {
    return this.#tokens.size + this.#sessions.size + this.#subjects.size;
  }

  isRevoked({ token, session, subject, issuedAt }: RevocableToken): boolean {
    if (issuedAt <= this.#floor) return true;
    if (token !== undefined && this.#tokens.size > 0 && this.#tokens.has(token)) return true;
    if (session !== undefined && this.#sessions.size > 0 && this.#sessions.has(session)) return true;
    if (this.#subjects.size === 0) return false;
    const entry = this.#subjects.get(subject);
    if (entry === undefined) return false;
    // `iat` counts whole seconds. Sessions are revoked by name as well, so one that began in the same second stays.
    return session === undefined ? issuedAt <= entry.notBefore : issuedAt < entry.notBefore;
  }

  isCurrent(): boolean {
    return this.#currentUntil === Number.POSITIVE_INFINITY || this.clock.monotonic() < this.#currentUntil;
  }

  /** @param until by the monotonic clock, milliseconds; for a list that knows what this process alone does there is no end */
  setCurrentUntil(until: number): void {
    this.#currentUntil = until;
  }

  /** Every token that it means is refused from here on, those of a session too that are being issued right now. */
  add({ kind, issuer, name, at, until }: Revocation): void {
    const key = prefixOf(issuer) + name;
    const end = until / 1000;
    if (kind === 'token') this.#add(this.#tokens, key, Math.max(end, this.#tokens.get(key) ?? 0));
    else if (kind === 'session') this.#add(this.#sessions, key, Math.max(end, this.#sessions.get(key) ?? 0));
    else {
      const known = this.#subjects.get(key);
      this.#add(this.#subjects, key, {
        notBefore: Math.max(Math.floor(at / 1000), known?.notBefore ?? 0),
        until: Math.max(end, known?.until ?? 0),
      });
    }
  }

  #now(): number {
    return this.clock.now() / 1000;
  }

  #add<V>(entries: Map<string, V>, name: string, value: V): void {
    this.#sweepSome();
    entries.delete(name);
    entries.set(name, value);
    if (entries.size <= this.maxEntries) return;
    const { value: oldest } = entries.keys().next();
    if (oldest !== undefined) entries.delete(oldest);
    // Up to now, not up to that entry's own time: sessions that it meant may have been refreshed in between.
    this.#floor = Math.floor(this.#now());
  }

  /** A slice of the lists with each new entry, so that lapsed ones go without a timer and nobody waits for a long walk. */
  #sweepSome(): void {
    this.#sweep ??= this.#walk();
    for (let i = 0; i < SWEPT_PER_ENTRY; i++) {
      if (this.#sweep.next().done) {
        this.#sweep = undefined;
        return;
      }
    }
  }

  *#walk(): Generator<void> {
    for (const entries of [this.#tokens, this.#sessions]) {
      for (const [name, until] of entries) {
        if (until < this.#now()) entries.delete(name);
        yield;
      }
    }
    for (const [name, { until }] of this.#subjects) {
      if (until < this.#now()) this.#subjects.delete(name);
      yield;
    }
  }
}
