import type { SecurityClock } from '../../clock.js';

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
  const prefix = `${issuer.length}:${issuer}:`;
  return {
    token: tokenId === undefined ? undefined : prefix + tokenId,
    session: sessionId === undefined ? undefined : prefix + sessionId,
    subject: prefix + subject,
    issuedAt,
  };
}

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

  /** @param lifetime seconds for which a token that exists now may still be valid */
  revokeToken(issuer: string, tokenId: string, lifetime: number): void {
    this.#add(this.#tokens, `${issuer.length}:${issuer}:${tokenId}`, this.#now() + lifetime);
  }

  /** Every token of a session, those too that are being issued right now. */
  revokeSession(issuer: string, sessionId: string, lifetime: number): void {
    this.#add(this.#sessions, `${issuer.length}:${issuer}:${sessionId}`, this.#now() + lifetime);
  }

  /** Every token of a subject that has been issued so far. */
  revokeSubject(issuer: string, subject: string, lifetime: number): void {
    const now = this.#now();
    this.#add(this.#subjects, `${issuer.length}:${issuer}:${subject}`, {
      notBefore: Math.floor(now),
      until: now + lifetime,
    });
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
