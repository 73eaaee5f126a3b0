import type { SecurityClock } from '../../clock.js';
import type { CredentialScheme } from '../../policy/route-policy.js';
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
  /** Questions that are under way: many requests of one user at once ask once. */
  readonly #asked = new Map<string, Promise<UserRights | undefined>>();
  /** By the verdict on the token, so that a principal is made once. */
  readonly #narrowed = new WeakMap<VerifiedCredential, { rights: UserRights; verdict: VerifiedCredential }>();

  constructor(
    private readonly tokens: CredentialVerifier,
    private readonly currentRights: CurrentRights,
    private readonly calls: StoreCalls,
    private readonly clock: SecurityClock,
  ) {}

  schemeOf(token: string): CredentialScheme | undefined {
    return this.tokens.schemeOf?.(token);
  }

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
    const rights = await this.#ask(principal);
    if (!rights) throw new CredentialRejected('user.disabled', principal.tokenId);
    return this.#narrow(verified, rights);
  }

  #ask({ limitKey, id, issuer = '' }: Principal): Promise<UserRights | undefined> {
    const known = this.#known.get(limitKey);
    if (known && this.clock.monotonic() < known.until) return Promise.resolve(known.rights);
    const asked = this.#asked.get(limitKey);
    if (asked) return asked;
    const answer = this.calls
      .ask(async () => checked(await this.currentRights(id, issuer)))
      .then((rights) => {
        if (rights) this.#known.set(limitKey, { rights, until: this.clock.monotonic() + BELIEVED_MS });
        return rights;
      })
      .finally(() => this.#asked.delete(limitKey));
    this.#asked.set(limitKey, answer);
    return answer;
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

/** An answer of another kind might limit nothing; it is no answer (R-AU-13). */
function checked(rights: UserRights | null | undefined): UserRights | undefined {
  if (rights === undefined || rights === null) return undefined;
  const isSound = ({ scopes, roles }: UserRights) =>
    [scopes, roles].every((one) => one === undefined || Array.isArray(one));
  if (typeof rights === 'object' && isSound(rights)) return rights;
  throw new TypeError('currentRights gave no { scopes, roles }');
}

/** A client that acts for itself acts for nobody else. */
const isDelegated = ({ scheme, type }: Principal): boolean => scheme === 'oauth2' && type === 'user';

const common = (granted: readonly string[], now: readonly string[] | undefined): readonly string[] =>
  now ? granted.filter((one) => now.includes(one)) : granted;
