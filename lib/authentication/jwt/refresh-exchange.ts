import type { SecurityClock } from '../../clock.js';
import type { SecurityEvents } from '../../events/security-events.js';
import type { StoreCalls } from '../store-calls.js';
import { signAccessToken } from './access-token.js';
import { digestsOf, newSalt, type PresentedToken, readRefreshToken, successorOf } from './refresh-token.js';
import type { TokenSession } from './session-store.js';
import { refused, type Rights, rightsOf } from './subject-rights.js';
import type { OwnIssuer } from './token-issuer.js';
import type { TokenRevoker } from './token-revoker.js';
import type { TokenSettings } from './token-settings.js';
import type { TokenStore } from './token-store.js';

/** Conditions of a refresh. */
export interface RefreshConditions {
  /** The client that presents the token; another one than it was issued to ends the session (R-RT-07). */
  readonly clientId?: string;
  /** Fewer scopes for the new access token; the session keeps its own. */
  readonly scopes?: readonly string[];
  /** Address that the token comes from, for lists of sessions. */
  readonly address?: string;
}

/** What a refresh token was exchanged for. */
export interface Exchanged {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** The exchange of a refresh token for a new pair (R-RT-03 to R-RT-07). */
export class RefreshExchange {
  constructor(
    private readonly settings: TokenSettings,
    private readonly store: TokenStore,
    private readonly revoker: TokenRevoker,
    private readonly calls: StoreCalls,
    private readonly clock: SecurityClock,
    private readonly events: SecurityEvents,
  ) {}

  /** @throws SecurityError `UNAUTHENTICATED` or `UNAVAILABLE`; then nothing was spent, unless it ended the session */
  async exchange(issuer: OwnIssuer, refreshToken: string, conditions: RefreshConditions): Promise<Exchanged> {
    const presented = readRefreshToken(refreshToken);
    if (!presented) throw refused('refresh.malformed');
    const now = this.clock.now();
    const session = await this.calls.ask(() => this.store.findSession(presented.digests.family, now));
    if (!session) throw refused('refresh.unknown');
    const rights = await this.#rightsFor(issuer, session, conditions);
    // Everything that can fail comes before the token is spent.
    const accessToken = await signAccessToken(
      issuer,
      session,
      rights,
      Math.floor(now / 1000),
      this.settings.accessTokenLifetime,
    );
    const refreshed = await this.#rotate(issuer, presented, session, now, conditions.address);
    this.events.emit('token.refreshed', { subject: session.subject, session: session.id });
    return { accessToken, refreshToken: refreshed };
  }

  async #rightsFor(
    issuer: OwnIssuer,
    session: TokenSession,
    { clientId, scopes }: RefreshConditions,
  ): Promise<Rights> {
    if (clientId !== undefined && clientId !== session.clientId) {
      await this.#endAsMisused(issuer, session);
      throw refused('refresh.reused');
    }
    if (scopes?.some((scope) => session.scopes?.includes(scope) === false)) throw refused('refresh.scope');
    const rights = await rightsOf(session, this.settings.currentRights);
    if (!rights) {
      await this.revoker.endSession(issuer, session.id);
      throw refused('refresh.rights');
    }
    return scopes ? { ...rights, scopes: rights.scopes.filter((scope) => scopes.includes(scope)) } : rights;
  }

  async #endAsMisused(issuer: OwnIssuer, session: TokenSession): Promise<void> {
    const revocation = this.revoker.ofSession(issuer, session.id);
    this.revoker.endedByReuse(session, revocation);
    await this.calls.ask(() => this.store.endSession(session.id, revocation));
  }

  async #rotate(
    issuer: OwnIssuer,
    presented: PresentedToken,
    { id }: TokenSession,
    now: number,
    address: string | undefined,
  ): Promise<string> {
    const { graceMs, idleLifetime } = this.settings;
    const salt = newSalt();
    const successor = successorOf(presented, salt);
    const ifReused = this.revoker.ofSession(issuer, id);
    const outcome = await this.calls.ask(() =>
      this.store.rotateSession({
        presented: presented.digests,
        successor: digestsOf(successor).token,
        grace: graceMs > 0 ? { salt, until: now + graceMs } : undefined,
        now,
        idleUntil: now + idleLifetime,
        address,
        ifReused,
      }),
    );
    if (outcome.status === 'rotated') return successor;
    if (outcome.status === 'repeated') return successorOf(presented, outcome.salt);
    if (outcome.status === 'unknown') throw refused('refresh.unknown');
    this.revoker.endedByReuse(outcome.session, ifReused);
    throw refused('refresh.reused');
  }
}
