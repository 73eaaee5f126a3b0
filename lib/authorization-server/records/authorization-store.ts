/** What the authorization server keeps: sessions, requests, codes, tokens, grants, clients and keys. Plain data. */
export interface AuthorizationRecord {
  /** What it is, such as `RefreshToken`; up to 40 letters. */
  readonly kind: string;
  /** Digest that stands for its secret name; 43 characters of base64url, like the following. */
  readonly id: string;
  /** The grant that it came from; with the grant it goes. */
  readonly grant?: string | undefined;
  /** By whom it is listed: the account of a grant. */
  readonly owner?: string | undefined;
  /** A second name of its own. */
  readonly uid?: string | undefined;
  /** A text that only the authorization server reads; secrets in it are encrypted. Up to 64 KiB. */
  readonly payload: string;
  /** From then on it is not found any more. Epoch milliseconds. */
  readonly expiresAt: number;
}

/** A record as it was found. */
export interface FoundRecord {
  readonly id: string;
  readonly payload: string;
  /** When it was used up, epoch milliseconds. */
  readonly consumedAt: number | undefined;
}

/** Records of one owner that a list can hold. */
export const MAX_LISTED = 1_000;

/** Where an authorization server keeps its records. All nodes share one; each method is one atomic step. */
export interface AuthorizationStore {
  /**
   * Puts a record in the place of one of the same name. Whether that was consumed stays.
   *
   * @param onlyNew leave one that is there alone
   * @returns false if there was one that was left alone
   */
  save(record: AuthorizationRecord, onlyNew?: boolean): Promise<boolean>;
  find(kind: string, id: string, now: number): Promise<FoundRecord | undefined>;
  findByUid(kind: string, uid: string, now: number): Promise<FoundRecord | undefined>;
  /** Marks a record as used up; of many who try one succeeds. @returns whether that was now */
  consume(kind: string, id: string, now: number): Promise<boolean>;
  /** @returns whether there was one */
  remove(kind: string, id: string): Promise<boolean>;
  /** Removes every record that came from a grant. */
  removeByGrant(grant: string): Promise<void>;
  /** The records of an owner by their ids, up to `MAX_LISTED`. */
  list(kind: string, owner: string, now: number): Promise<readonly FoundRecord[]>;
  /** Removes up to `limit` records that have expired; tells how many. Called now and then, by every node. */
  purge(now: number, limit: number): Promise<number>;
  /** Called once at shutdown. */
  close?(): Promise<void>;
}
