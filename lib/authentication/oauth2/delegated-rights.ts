import type { SecurityClock } from '../../clock.js';
import { createPrincipal, type Principal } from '../../principal/principal.js';
import { BoundedCache } from '../bounded-cache.js';
import {
  CredentialRejected,
  type CredentialVerifier,
  type VerifiedCredential,
} from '../credential-verifier.js';
import type { StoreCalls } from '../store-calls.js';

/** What a user may do; what is left out limits nothing. */
export interface UserRights {
  readonly scopes?: readonly string[];
  readonly roles?: readonly string[];
}

/** What a user may do now; `undefined` for somebody who may not come in any more. */
export type CurrentRights = (
  subject: string,
  issuer: string,
) => UserRights | undefined | Promise<UserRights | undefined>;

const MAX_USERS = 10_000;
/** How long an answer is believed. */
const BELIEVED_MS = 10_000;

interface Known {
  readonly rights: UserRights;
  readonly until: number;
}

/**
 * What a third party may do is what its token says and the user may do as well (R-AZ-08): an authorization server elsewhere
 * does not know what happened here since it issued the token. Roles that the token does not have are not added.
 */
export class DelegatedRights implements CredentialVerifier {
  readonly wireScheme = 'bearer';
  readonly #known = new BoundedCache<Known>(MAX_USERS);
  /** By the verdict on the token, so that a principal is made once. */
  readonly #narrowed = new WeakMap<VerifiedCredential, { rights: UserRights; verdict: VerifiedCredential }>();

  constructor(
    private readonly tokens: CredentialVerifier,
    private readonly currentRights: CurrentRights,
    private readonly calls: StoreCalls,
    private readonly clock: SecurityClock,
  ) {}

  cached(token: string, address?: string): VerifiedCredential | undefined {
    const verified = this.tokens.cached(token, address);
    if (verified === undefined || !isDelegated(verified.principal)) return verified;
    const known = this.#known.get(verified.principal.limitKey);
    return known && this.clock.monotonic() < known.until ? this.#narrow(verified, known.rights) : undefined;
  }

  async verify(token: string, address?: string): Promise<VerifiedCredential> {
    const verified = this.tokens.cached(token, address) ?? (await this.tokens.verify(token, address));
    const { principal } = verified;
    if (!isDelegated(principal)) return verified;
    const rights = await this.calls.ask(() => this.currentRights(principal.id, principal.issuer ?? ''));
    if (!rights) throw new CredentialRejected('user.disabled', principal.tokenId);
    this.#known.set(principal.limitKey, { rights, until: this.clock.monotonic() + BELIEVED_MS });
    return this.#narrow(verified, rights);
  }

  #narrow(verified: VerifiedCredential, rights: UserRights): VerifiedCredential {
    const before = this.#narrowed.get(verified);
    if (before?.rights === rights) return before.verdict;
    const { principal } = verified;
    const verdict = Object.freeze({
      ...verified,
      principal: createPrincipal({
        ...principal,
        scopes: common(principal.scopes, rights.scopes),
        roles: common(principal.roles, rights.roles),
      }),
    });
    this.#narrowed.set(verified, { rights, verdict });
    return verdict;
  }
}

/** A client that acts for itself acts for nobody else. */
const isDelegated = ({ scheme, type }: Principal): boolean => scheme === 'oauth2' && type === 'user';

const common = (granted: readonly string[], now: readonly string[] | undefined): readonly string[] =>
  now ? granted.filter((one) => now.includes(one)) : granted;
