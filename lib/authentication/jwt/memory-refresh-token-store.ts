import type {
  FoundSession,
  RefreshTokenDigests,
  RefreshTokenStore,
  Rotation,
  RotationOutcome,
  TokenSession,
} from './refresh-token-store.js';

interface Entry {
  session: TokenSession;
  readonly family: string;
  newest: string;
}

/** Sessions of one subject; beyond that the one that was not used for longest ends. */
const MAX_SESSIONS_OF_SUBJECT = 100;

/**
 * Sessions in this process's memory: they end with it, and other nodes do not know them. Bounded; the session that was not
 * used for longest makes room.
 */
export class MemoryRefreshTokenStore implements RefreshTokenStore {
  /** In order of use, so that lapsed ones stand in front. */
  readonly #families = new Map<string, Entry>();
  readonly #ids = new Map<string, Entry>();
  readonly #subjects = new Map<string, Set<Entry>>();

  /** @param maxSessions 100 000 by default */
  constructor(private readonly maxSessions = 100_000) {}

  get size(): number {
    return this.#families.size;
  }

  create(session: TokenSession, { family, token }: RefreshTokenDigests): void {
    this.#dropLapsed(session.createdAt);
    const entry: Entry = { session, family, newest: token };
    const ofSubject = this.#subjects.get(session.subject) ?? new Set();
    if (ofSubject.size >= MAX_SESSIONS_OF_SUBJECT) this.#dropFirst(ofSubject);
    if (this.#families.size >= this.maxSessions) this.#dropFirst(this.#families.values());
    this.#families.set(family, entry);
    this.#ids.set(session.id, entry);
    this.#subjects.set(session.subject, ofSubject.add(entry));
  }

  find({ family, token }: RefreshTokenDigests, now: number): FoundSession | undefined {
    const entry = this.#live(family, now);
    return entry && { session: entry.session, isNewest: entry.newest === token };
  }

  rotate({ presented, successor, now, idleUntil }: Rotation): RotationOutcome {
    const entry = this.#live(presented.family, now);
    if (!entry) return { status: 'unknown' };
    const { session, family } = entry;
    if (entry.newest !== presented.token) {
      this.#drop(entry);
      return { status: 'reused', session };
    }
    entry.newest = successor;
    entry.session = { ...session, lastUsedAt: now, idleUntil: Math.min(idleUntil, session.expiresAt) };
    this.#families.delete(family);
    this.#families.set(family, entry);
    const ofSubject = this.#subjects.get(session.subject);
    ofSubject?.delete(entry);
    ofSubject?.add(entry);
    return { status: 'rotated' };
  }

  end(sessionId: string): TokenSession | undefined {
    const entry = this.#ids.get(sessionId);
    if (entry) this.#drop(entry);
    return entry?.session;
  }

  endAllOf(subject: string): readonly TokenSession[] {
    const entries = [...(this.#subjects.get(subject) ?? [])];
    for (const entry of entries) this.#drop(entry);
    return entries.map(({ session }) => session);
  }

  list(subject: string, now: number): readonly TokenSession[] {
    return [...(this.#subjects.get(subject) ?? [])]
      .map(({ session }) => session)
      .filter(({ idleUntil }) => idleUntil > now);
  }

  #live(family: string, now: number): Entry | undefined {
    const entry = this.#families.get(family);
    if (!entry || entry.session.idleUntil > now) return entry;
    this.#drop(entry);
    return undefined;
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
