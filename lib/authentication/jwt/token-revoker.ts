import type { SecurityClock } from '../../clock.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { StoreCalls } from '../store-calls.js';
import type { RevocationList } from './revocation-list.js';
import type { Revocation } from './revocation-store.js';
import type { TokenSession } from './session-store.js';
import type { TokenIssuer } from './token-issuer.js';
import type { TokenStore } from './token-store.js';

/** Foreign tokens live no longer than this, whatever their issuer's options (seconds). */
const LONGEST_LIFETIME = 86_400;
/** Most that clocks may differ (seconds). */
const LONGEST_SKEW = 300;

/**
 * Ends tokens before their time (R-JW-22, R-RT-08). What is ended is refused here first: that holds even if the store then
 * fails, and the caller is told. Other nodes learn it from the store.
 */
export class TokenRevoker {
  constructor(
    private readonly store: TokenStore,
    private readonly list: RevocationList,
    private readonly calls: StoreCalls,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {}

  /** Ends an own session with all its tokens. */
  async endSession(issuer: TokenIssuer, id: string): Promise<void> {
    const revocation = this.ofSession(issuer, id);
    this.list.add(revocation);
    const session = await this.calls.ask(() => this.store.endSession(id, revocation));
    if (session) this.#tell(session);
  }

  /** Ends all own sessions of a subject, and all access tokens that it has. */
  async endAllOf(issuer: TokenIssuer, subject: string): Promise<void> {
    const revocation = this.#revocation('subject', issuer.issuer, subject, lifetimeOf(issuer));
    this.list.add(revocation);
    const ended = await this.calls.ask(() => this.store.endSessionsOf(subject, revocation));
    for (const session of ended) {
      this.list.add({ ...revocation, kind: 'session', name: session.id });
      this.#tell(session);
    }
  }

  /** Refuses tokens of another issuer. */
  async revoke(issuer: string, kind: Revocation['kind'], name: string): Promise<void> {
    const revocation = this.#revocation(kind, issuer, name, LONGEST_LIFETIME + LONGEST_SKEW);
    this.list.add(revocation);
    await this.calls.ask(() => this.store.revoke(revocation));
  }

  /** What ends the access tokens of an own session. */
  ofSession(issuer: TokenIssuer, id: string): Revocation {
    return this.#revocation('session', issuer.issuer, id, lifetimeOf(issuer));
  }

  /** A session that the store has ended with this revocation, because one of its spent tokens came back. */
  endedByReuse(session: TokenSession, revocation: Revocation): void {
    this.list.add(revocation);
    this.events.emit('token.reuse-detected', { subject: session.subject, session: session.id });
  }

  #revocation(kind: Revocation['kind'], issuer: string, name: string, seconds: number): Revocation {
    const at = this.clock.now();
    return { kind, issuer, name, at, until: at + seconds * 1000 };
  }

  #tell({ subject, id }: TokenSession): void {
    this.events.emit('token.revoked', { subject, session: id });
  }
}

/** One second more, because `iat` was rounded down and the clock that verifies is another reading. */
const lifetimeOf = ({ maxLifetime, clockSkew }: TokenIssuer): number => maxLifetime + clockSkew + 1;
