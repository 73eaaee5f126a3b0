/** Tokens that end before their time: one, those of a session, or those of a subject that were issued until then. Plain data. */
export interface Revocation {
  readonly kind: 'token' | 'session' | 'subject';
  /** `iss` of the tokens; up to 512 characters. */
  readonly issuer: string;
  /** `jti`, `sid` or `sub`; up to 255 characters. */
  readonly name: string;
  /** When it was made, epoch milliseconds; of a subject, tokens that were issued until then are meant. */
  readonly at: number;
  /** From then on no token that it means can be valid, and it is forgotten. Epoch milliseconds. */
  readonly until: number;
}

/** Some revocations, and where to go on. */
export interface RevocationPage {
  readonly revocations: readonly Revocation[];
  /** Text of the store's own making, up to 128 characters. */
  readonly cursor: string;
  /** Whether there are more at once. */
  readonly more: boolean;
}

/** Revocations that one page can hold. */
export const REVOCATION_PAGE = 5_000;

/** Where nodes tell each other what was revoked (R-JW-22). Revocations made twice may be kept once, with the later times. */
export interface RevocationStore {
  revoke(revocation: Revocation): Promise<void>;
  /**
   * What was revoked since a page was read, from the beginning without one. Misses none, whatever was being written at that
   * time; may tell one again; leaves out those that have lapsed (`until <= now`).
   */
  revocationsSince(cursor: string | undefined, now: number): Promise<RevocationPage>;
}
