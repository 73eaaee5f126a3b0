import type { StoredKeyRing } from './key-ring-store.js';
import { type Revocation, REVOCATION_PAGE, type RevocationPage } from './revocation-store.js';
import {
  MAX_SESSIONS_OF_SUBJECT,
  type RefreshTokenDigests,
  type Rotation,
  type RotationGrace,
  type RotationOutcome,
  type TokenSession,
} from './session-store.js';
import type { TokenStore } from './token-store.js';

interface Entry {
  session: TokenSession;
  readonly family: string;
  newest: string;
  /** The token before the newest, and for how long it may come again. */
  previous: { readonly token: string; readonly grace: RotationGrace } | undefined;
}

/**
 * Sessions, revocations and signing keys in this process's memory: they end with it, and other nodes do not know them.
 * Bounded; the session that was not used for longest, and the oldest revocation, make room.
 */
export class MemoryTokenStore implements TokenStore {
  /** In order of use. */
  readonly #families = new Map<string, Entry>();
  readonly #ids = new Map<string, Entry>();
  readonly #subjects = new Map<string, Set<Entry>>();
  /** By the number in which they came. */
  readonly #revocations = new Map<number, Revocation>();
  readonly #rings = new Map<string, StoredKeyRing>();
  readonly #listeners = new Set<() => void>();
  #revoked = 0;

  /** @param maxSessions 100 000 by default, and as many revocations */
  constructor(private readonly maxSessions = 100_000) {}

  /** Sessions, lapsed ones included. */
  get size(): number {
    return this.#families.size;
  }

  createSession(session: TokenSession, { family, token }: RefreshTokenDigests): Promise<void> {
    this.#dropLapsed(session.createdAt);
    const entry: Entry = { session, family, newest: token, previous: undefined };
    const ofSubject = this.#subjects.get(session.subject);
    if (ofSubject && ofSubject.size >= MAX_SESSIONS_OF_SUBJECT) this.#dropFirst(ofSubject);
    if (this.#families.size >= this.maxSessions) this.#dropFirst(this.#families.values());
    this.#ids.set(session.id, entry);
    this.#touch(entry);
    return Promise.resolve();
  }

  findSession(family: string, now: number): Promise<TokenSession | undefined> {
    return Promise.resolve(this.#live(family, now)?.session);
  }

  rotateSession({ presented, now, ...rotation }: Rotation): Promise<RotationOutcome> {
    const entry = this.#live(presented.family, now);
    if (!entry) return Promise.resolve({ status: 'unknown' });
    const { session, previous } = entry;
    if (entry.newest !== presented.token) {
      if (previous?.token === presented.token && now < previous.grace.until) {
        return Promise.resolve({ status: 'repeated', salt: previous.grace.salt });
      }
      this.#drop(entry);
      this.#add(rotation.ifReused);
      return Promise.resolve({ status: 'reused', session });
    }
    entry.previous = rotation.grace && { token: entry.newest, grace: rotation.grace };
    entry.newest = rotation.successor;
    entry.session = {
      ...session,
      lastUsedAt: now,
      lastAddress: rotation.address ?? session.lastAddress,
      idleUntil: Math.min(rotation.idleUntil, session.expiresAt),
    };
    this.#touch(entry);
    return Promise.resolve({ status: 'rotated' });
  }

  endSession(sessionId: string, revocation: Revocation): Promise<TokenSession | undefined> {
    const entry = this.#ids.get(sessionId);
    if (entry) this.#drop(entry);
    this.#add(revocation);
    return Promise.resolve(entry?.session);
  }

  endSessionsOf(subject: string, revocation: Revocation): Promise<readonly TokenSession[]> {
    this.#add(revocation);
    const entries = [...(this.#subjects.get(subject) ?? [])];
    for (const entry of entries) {
      this.#drop(entry);
      this.#add({ ...revocation, kind: 'session', name: entry.session.id });
    }
    return Promise.resolve(entries.map(({ session }) => session));
  }

  listSessions(subject: string, now: number): Promise<readonly TokenSession[]> {
    const sessions = [...(this.#subjects.get(subject) ?? [])].map(({ session }) => session);
    return Promise.resolve(sessions.filter(({ idleUntil }) => idleUntil > now).toReversed());
  }

  revoke(revocation: Revocation): Promise<void> {
    this.#add(revocation);
    return Promise.resolve();
  }

  revocationsSince(cursor: string | undefined, now: number): Promise<RevocationPage> {
    let last = Number(cursor ?? 0);
    const revocations: Revocation[] = [];
    for (const [number, revocation] of this.#revocations) {
      if (number <= last || revocation.until <= now) continue;
      if (revocations.length === REVOCATION_PAGE)
        return Promise.resolve({ revocations, cursor: `${last}`, more: true });
      last = number;
      revocations.push(revocation);
    }
    return Promise.resolve({ revocations, cursor: `${this.#revoked}`, more: false });
  }

  keyRing(issuer: string): Promise<StoredKeyRing | undefined> {
    return Promise.resolve(this.#rings.get(issuer));
  }

  replaceKeyRing(issuer: string, ring: StoredKeyRing): Promise<boolean> {
    const version = this.#rings.get(issuer)?.version ?? 0;
    if (version !== ring.version - 1) return Promise.resolve(false);
    this.#rings.set(issuer, ring);
    this.#tell();
    return Promise.resolve(true);
  }

  purge(now: number, limit: number): Promise<number> {
    let removed = 0;
    for (const entry of this.#families.values()) {
      if (removed >= limit) break;
      if (entry.session.idleUntil > now) continue;
      this.#drop(entry);
      removed++;
    }
    for (const [number, { until }] of this.#revocations) {
      if (removed >= limit) break;
      if (until > now) continue;
      this.#revocations.delete(number);
      removed++;
    }
    return Promise.resolve(removed);
  }

  subscribe(listener: () => void): Promise<() => Promise<void>> {
    // A function of its own, so that one that subscribes twice is called twice and ends each by itself.
    const own = () => listener();
    this.#listeners.add(own);
    return Promise.resolve(() => {
      this.#listeners.delete(own);
      return Promise.resolve();
    });
  }

  #add(revocation: Revocation): void {
    this.#revocations.set(++this.#revoked, revocation);
    if (this.#revocations.size > this.maxSessions)
      this.#revocations.delete(this.#revocations.keys().next().value!);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Puts an entry at the end of the orders of use. */
  #touch(entry: Entry): void {
    const { family, session } = entry;
    this.#families.delete(family);
    this.#families.set(family, entry);
    const ofSubject = this.#subjects.get(session.subject) ?? new Set();
    ofSubject.delete(entry);
    this.#subjects.set(session.subject, ofSubject.add(entry));
  }

  #live(family: string, now: number): Entry | undefined {
    const entry = this.#families.get(family);
    return entry && entry.session.idleUntil > now ? entry : undefined;
  }

  #dropLapsed(now: number): void {
    for (const entry of this.#families.values()) {
      if (entry.session.idleUntil > now) return;
      this.#drop(entry);
    }
  }

  #dropFirst(entries: Iterable<Entry>): void {
    for (const entry of entries) {
      this.#drop(entry);
      return;
    }
  }

  #drop(entry: Entry): void {
    const { family, session } = entry;
    this.#families.delete(family);
    this.#ids.delete(session.id);
    const ofSubject = this.#subjects.get(session.subject);
    ofSubject?.delete(entry);
    if (ofSubject?.size === 0) this.#subjects.delete(session.subject);
  }
}
