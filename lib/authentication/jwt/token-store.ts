import type { KeyRingStore } from './key-ring-store.js';
import type { RevocationStore } from './revocation-store.js';
import type { SessionStore } from './session-store.js';

/** What `TokenService` keeps: sessions, revocations and signing keys. All nodes of an application share one. */
export interface TokenStore extends SessionStore, RevocationStore, KeyRingStore {
  /** Removes up to `limit` lapsed sessions and revocations; tells how many. Called now and then, by every node. */
  purge(now: number, limit: number): Promise<number>;
  /**
   * Calls when there is, or may be, something new among the revocations or signing keys, by whatever process; for stores that
   * have a way to. Nodes ask every second or so in any case.
   *
   * @returns ends the subscription
   */
  subscribe?(listener: () => void): Promise<() => Promise<void>>;
  /** Called once at shutdown, when nothing more will be asked. */
  close?(): Promise<void>;
}
