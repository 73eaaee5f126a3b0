import type { StoredKeyRing } from '../authentication/jwt/key-ring-store.js';
import {
  type Revocation,
  REVOCATION_PAGE,
  type RevocationPage,
} from '../authentication/jwt/revocation-store.js';
import {
  MAX_SESSIONS_OF_SUBJECT,
  type RefreshTokenDigests,
  type Rotation,
  type RotationOutcome,
  type TokenSession,
} from '../authentication/jwt/session-store.js';
import type { TokenStore } from '../authentication/jwt/token-store.js';
import { sha256 } from '../authentication/sha256.js';
import { textsOf } from './key-record-fields.js';
import { openRedis } from './open-redis.js';
import type { RedisClient } from './redis-connection.js';
import type { RedisScript } from './redis-script.js';
import { fieldsOf, sessionOf } from './session-fields.js';
import { StoreConnection } from './store-connection.js';
import {
  CREATE_SESSION,
  END_SESSION,
  END_SESSIONS,
  FIND_SESSION,
  KEY_RING,
  LIST_SESSIONS,
  PURGE_TOKENS,
  REPLACE_KEY_RING,
  REVOKE_TOKENS,
  REVOKED_SINCE,
  ROTATE_SESSION,
} from './token-scripts.js';

/** Options of `RedisTokenStore`. */
export interface RedisTokenStoreOptions {
  /** What the names of all keys and channels in Redis begin with: `'security:'` by default. */
  readonly prefix?: string;
}

/** What one call of `purge` removes at most: a server does nothing else meanwhile. */
const MAX_PURGED = 500;
/** Microseconds by which each look reaches behind the last one: after a failover another server's clock counts. */
const OVERLAP = 5_000_000;

/**
 * Sessions, revocations and signing keys in Redis or Valkey, one server or a cluster, through the application's own client.
 * All of it is in one slot of a cluster, so that every change is one script, and happens or not; `docs/redis.md` tells what
 * the server must be set to.
 *
 * @example
 * new RedisTokenStore(new Redis('redis://localhost', { enableOfflineQueue: false }))
 */
export class RedisTokenStore implements TokenStore {
  readonly #connection: StoreConnection;
  readonly #base: string;
  readonly #channel: string;

  /**
   * @param client of ioredis or node-redis, connected or connecting; it stays the application's, which closes it
   * @throws TypeError for any other client
   */
  constructor(client: RedisClient, { prefix = 'security:' }: RedisTokenStoreOptions = {}) {
    this.#base = `${prefix}{tokens}:`;
    this.#connection = new StoreConnection(client, this.#base, 'sessions and revocations');
    this.#channel = `${prefix}tokens`;
  }

  /**
   * A store with a client of its own, which `close()` closes; see `openRedis()`.
   * @param url `redis://` or `rediss://`
   */
  static async open(url: string, options: RedisTokenStoreOptions = {}): Promise<RedisTokenStore> {
    const client = await openRedis(url);
    const store = new RedisTokenStore(client, options);
    store.#connection.own(client);
    return store;
  }

  async createSession(session: TokenSession, digests: RefreshTokenDigests): Promise<void> {
    this.#connection.checkEviction();
    await this.#run(
      CREATE_SESSION,
      digests.family,
      sha256(session.subject),
      session.id,
      session.lastUsedAt,
      session.idleUntil,
      MAX_SESSIONS_OF_SUBJECT,
      ...fieldsOf(session, digests),
    );
  }

  async findSession(family: string, now: number): Promise<TokenSession | undefined> {
    return sessionOf(await this.#run(FIND_SESSION, family, now));
  }

  async rotateSession({ presented, grace, ifReused, ...rotation }: Rotation): Promise<RotationOutcome> {
    const reply = await this.#run(
      ROTATE_SESSION,
      this.#channel,
      presented.family,
      presented.token,
      rotation.successor,
      rotation.now,
      rotation.idleUntil,
      rotation.address ?? '',
      grace?.salt ?? '',
      grace?.until ?? 0,
      ...argumentsOf(ifReused),
    );
    const [status, ...rest] = textsOf(reply);
    if (status === 'rotated' || status === 'unknown') return { status };
    if (status === 'repeated') return { status, salt: rest[0]! };
    return { status: 'reused', session: sessionOf(rest)! };
  }

  async endSession(sessionId: string, revocation: Revocation): Promise<TokenSession | undefined> {
    return sessionOf(await this.#run(END_SESSION, this.#channel, sessionId, ...argumentsOf(revocation)));
  }

  async endSessionsOf(subject: string, revocation: Revocation): Promise<readonly TokenSession[]> {
    const ofSessions = nameOf({ ...revocation, kind: 'session', name: '' });
    const digest = sha256(subject);
    return sessionsOf(
      await this.#run(END_SESSIONS, this.#channel, digest, ...argumentsOf(revocation), ofSessions),
    );
  }

  async listSessions(subject: string, now: number): Promise<readonly TokenSession[]> {
    const sessions = sessionsOf(await this.#run(LIST_SESSIONS, sha256(subject)));
    return sessions.filter(({ idleUntil }) => idleUntil > now);
  }

  async revoke(revocation: Revocation): Promise<void> {
    await this.#run(REVOKE_TOKENS, this.#channel, ...argumentsOf(revocation));
  }

  async revocationsSince(cursor: string | undefined, now: number): Promise<RevocationPage> {
    // Within one look pages follow each other exactly; between two of them there is an overlap.
    const [place = '0', goesOn] = cursor?.split(' ') ?? [];
    const from = goesOn === undefined ? Math.max(0, Number(place) - OVERLAP) : place;
    const reply = await this.#run(REVOKED_SINCE, from, now, REVOCATION_PAGE);
    const [more, last = '0', ...found] = textsOf(reply);
    const revocations: Revocation[] = [];
    for (let i = 0; i < found.length; i += 2) revocations.push(revocationOf(found[i]!, found[i + 1]!));
    if (more === '1') return { revocations, cursor: `${last} more`, more: true };
    return { revocations, cursor: String(Math.max(Number(last), Number(place))), more: false };
  }

  async keyRing(issuer: string): Promise<StoredKeyRing | undefined> {
    const [version, content] = textsOf(await this.#run(KEY_RING, sha256(issuer)));
    if (version === undefined || content === undefined) return undefined;
    return { version: Number(version), content };
  }

  async replaceKeyRing(issuer: string, { version, content }: StoredKeyRing): Promise<boolean> {
    return Number(await this.#run(REPLACE_KEY_RING, this.#channel, sha256(issuer), version, content)) === 1;
  }

  async purge(now: number, limit: number): Promise<number> {
    return Number(await this.#run(PURGE_TOKENS, now, Math.min(limit, MAX_PURGED)));
  }

  /**
   * Follows the changes of all processes on a connection of its own. If that cannot be opened, or is lost, it is tried
   * again and again, and the listener called once it is there.
   */
  subscribe(listener: () => void): Promise<() => Promise<void>> {
    return this.#connection.follow(this.#channel, 'revocations', listener, listener);
  }

  /** Ends the subscriptions, and closes the client if the store opened it. */
  close(): Promise<void> {
    return this.#connection.close();
  }

  #run(script: RedisScript, ...args: readonly (string | number)[]): Promise<unknown> {
    return this.#connection.redis.run(script, [this.#base], args.map(String));
  }
}

const sessionsOf = (reply: unknown): TokenSession[] =>
  (reply as unknown[]).map(sessionOf).filter((session) => session !== undefined);

const argumentsOf = (revocation: Revocation): [name: string, at: number, until: number] => [
  nameOf(revocation),
  revocation.at,
  revocation.until,
];

/** What is revoked, as one text; the length keeps issuer and name apart. */
const nameOf = ({ kind, issuer, name }: Revocation): string => `${kind} ${issuer.length} ${issuer} ${name}`;

function revocationOf(text: string, times: string): Revocation {
  const [kind = '', length = ''] = text.split(' ', 2);
  const begin = kind.length + length.length + 2;
  const end = begin + Number(length);
  const [at, until] = times.split(' ').map(Number);
  return {
    kind: kind as Revocation['kind'],
    issuer: text.slice(begin, end),
    name: text.slice(end + 1),
    at: at!,
    until: until!,
  };
}
