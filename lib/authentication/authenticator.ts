import { SecurityError } from '../errors/security-error.js';
import type { SecurityEvents } from '../events/security-events.js';
import { eventContextOf } from '../http/request-context.js';
import type { PresentedCredential, RequestState } from '../http/request-state.js';
import { acceptedScheme } from '../policy/accepted-scheme.js';
import type { RoutePolicy, SchemeChallenge } from '../policy/route-policy.js';
import type { AttemptLimiter } from './attempt-limiter.js';
import { ProofRejected } from './oauth2/dpop/dpop-proof.js';
import type { SenderConstraint } from './oauth2/sender-constraint.js';
import { isMalformedCredential, type MalformedCredential, readCredential } from './credential-reader.js';
import {
  CredentialRejected,
  type CredentialVerifier,
  type VerifiedCredential,
} from './credential-verifier.js';

/** What every bad credential is told, whatever was wrong with it (R-AU-09). */
const BAD_CREDENTIAL = 'The credential is not valid';
const NO_CREDENTIAL = 'Authentication is required';

/** Finds out who is calling: reads the credential, asks its verifier, and sets `state.principal`. */
export class Authenticator {
  readonly #verifiers: ReadonlyMap<string, CredentialVerifier>;

  constructor(
    verifiers: readonly CredentialVerifier[],
    private readonly apiKeyHeader: boolean,
    private readonly attempts: AttemptLimiter,
    private readonly events: SecurityEvents,
    /** Where OAuth is configured: there tokens may be bound, and come as `DPoP` too. */
    private readonly senders?: SenderConstraint,
  ) {
    const byScheme = new Map<string, CredentialVerifier>(verifiers.map((one) => [one.wireScheme, one]));
    const tokens = byScheme.get('bearer');
    if (senders && tokens) byScheme.set('dpop', tokens);
    this.#verifiers = byScheme;
  }

  /**
   * Leaves `state.principal` undefined only if no credential was sent. Synchronous for a credential seen before.
   * @throws SecurityError 400, 401, 429 or 503 as in R-AU-08
   */
  authenticate(state: RequestState, policy: RoutePolicy): void | Promise<void> {
    const credential = readCredential(state.request.rawHeaders, this.apiKeyHeader);
    if (credential === undefined) return;
    state.credentialSent = true;
    const checked = this.attempts.check(state);
    if (checked !== undefined) return checked.then(() => this.#verify(state, policy, credential));
    return this.#verify(state, policy, credential);
  }

  #verify(
    state: RequestState,
    policy: RoutePolicy,
    credential: PresentedCredential | MalformedCredential,
  ): void | Promise<void> {
    if (isMalformedCredential(credential)) {
      this.#failed(state, 'malformed', credential.reason);
      throw new SecurityError(
        'INVALID_REQUEST',
        'The request must carry exactly one well-formed credential',
        {
          reason: credential.reason,
        },
      );
    }
    const { scheme, value } = credential;
    state.wireScheme = scheme;
    const verifier = this.#verifiers.get(scheme);
    if (!verifier) throw this.#refuse(state, policy, scheme, new CredentialRejected('scheme.unknown'));
    const sure = verifier.schemeOf?.(value);
    if (sure && !acceptedScheme(policy.authentication, sure))
      throw this.#refuse(state, policy, scheme, new CredentialRejected('scheme.not-accepted'));
    // Keys note where they were used; what tokens may cost is counted as limits are, or one IPv6 client would be many.
    const address = verifier.wireScheme === 'api-key' ? state.address : state.addressKey;
    const known = verifier.cached(value, address);
    if (known) return this.#checkSender(state, policy, credential, known);
    return verifier.verify(value, address).then(
      (verified) => this.#checkSender(state, policy, credential, verified),
      (error: unknown) => {
        if (error instanceof CredentialRejected) throw this.#refuse(state, policy, scheme, error);
        throw error;
      },
    );
  }

  #checkSender(
    state: RequestState,
    policy: RoutePolicy,
    { scheme, value }: PresentedCredential,
    verified: VerifiedCredential,
  ): void | Promise<void> {
    if (this.senders === undefined) return this.#accept(state, policy, scheme, verified);
    const refused = (error: unknown): never => {
      throw error instanceof CredentialRejected ? this.#refuse(state, policy, scheme, error) : error;
    };
    try {
      const checked = this.senders.check(state, policy, value, verified);
      if (checked === undefined) return this.#accept(state, policy, scheme, verified);
      return checked.then(() => this.#accept(state, policy, scheme, verified), refused);
    } catch (error) {
      return refused(error);
    }
  }

  #accept(state: RequestState, policy: RoutePolicy, scheme: string, verified: VerifiedCredential): void {
    const { principal, allowsAddress } = verified;
    if (!acceptedScheme(policy.authentication, principal.scheme)) {
      throw this.#refuse(state, policy, scheme, new CredentialRejected('scheme.not-accepted'));
    }
    if (allowsAddress && !allowsAddress(state.address)) throw this.#notFromHere(state);
    state.principal = principal;
    state.ownLimits = verified.limits;
    state.plan = verified.plan;
    if (this.events.observed) {
      this.events.emit('authentication.succeeded', { scheme: principal.scheme }, eventContextOf(state));
    }
  }

  /**
   * Whether the caller, who was authenticated for a whole connection or request, may act under a policy in it too. A credential of another
   * kind is good, so it does not count as a failed attempt.
   *
   * @throws SecurityError `UNAUTHENTICATED`
   */
  recheck(state: RequestState, policy: RoutePolicy): void {
    const { principal, wireScheme = 'none' } = state;
    const { mode, dpopRequired } = policy.authentication;
    if (mode === 'public') return;
    if (!principal) throw this.missing(state, policy);
    const accepted = acceptedScheme(policy.authentication, principal.scheme) !== undefined;
    if (accepted && (!dpopRequired || wireScheme === 'dpop')) return;
    const reason = accepted ? 'token.not-bound' : 'scheme.not-accepted';
    this.#failed(state, wireScheme, reason, undefined, false);
    throw unauthenticated(BAD_CREDENTIAL, policy, (challenge) =>
      challenge.wireScheme === wireScheme ? challenge.invalid : challenge.missing,
    );
  }

  /**
   * Verifies again what a connection began with: it may have expired or been revoked since. A proof that came with it has been spent, and
   * is not asked for again.
   *
   * @throws SecurityError `UNAUTHENTICATED`, `FORBIDDEN`, or `UNAVAILABLE` if that cannot be told
   */
  renew(state: RequestState): void | Promise<void> {
    const credential = readCredential(state.request.rawHeaders, this.apiKeyHeader);
    if (credential === undefined || isMalformedCredential(credential)) return;
    const { scheme, value } = credential;
    const verifier = this.#verifiers.get(scheme);
    const known = verifier?.cached(value, state.address);
    if (!verifier || known) return known && this.#renewed(state, known);
    return verifier.verify(value, state.address).then(
      (verified) => this.#renewed(state, verified),
      (error: unknown) => {
        if (!(error instanceof CredentialRejected)) throw error;
        this.#failed(state, scheme, error.reason, error.credential, false);
        throw new SecurityError('UNAUTHENTICATED', BAD_CREDENTIAL);
      },
    );
  }

  #renewed(state: RequestState, { principal, limits, plan, allowsAddress }: VerifiedCredential): void {
    if (allowsAddress && !allowsAddress(state.address)) throw this.#notFromHere(state);
    state.principal = principal;
    state.ownLimits = limits;
    state.plan = plan;
  }

  #notFromHere(state: RequestState): SecurityError {
    const reason = 'address.not-allowed';
    this.events.emit('authorization.denied', { reason }, eventContextOf(state));
    return new SecurityError('FORBIDDEN', 'The credential may not be used from here', { reason });
  }

  /** The 401 for a route that needs a credential and got none. */
  missing(state: RequestState, policy: RoutePolicy): SecurityError {
    this.events.emit('authentication.failed', { scheme: 'none', reason: 'missing' }, eventContextOf(state));
    return unauthenticated(NO_CREDENTIAL, policy, (challenge) => challenge.missing);
  }

  #refuse(
    state: RequestState,
    policy: RoutePolicy,
    scheme: string,
    rejected: CredentialRejected,
  ): SecurityError {
    const isProof = rejected instanceof ProofRejected;
    // Without a nonce nobody has failed yet: that is how clients get the first one.
    this.#failed(state, scheme, rejected.reason, rejected.credential, !(isProof && rejected.needsNonce));
    if (isProof) return this.#badProof(state, policy, rejected);
    return unauthenticated(BAD_CREDENTIAL, policy, (challenge) => {
      if (challenge.wireScheme !== scheme) return challenge.missing;
      return rejected.expired ? challenge.expired : challenge.invalid;
    });
  }

  #badProof(state: RequestState, policy: RoutePolicy, { needsNonce }: ProofRejected): SecurityError {
    if (needsNonce) this.senders?.offerNonce(state);
    const message = needsNonce ? 'The DPoP proof needs a nonce' : 'The DPoP proof is not valid';
    return unauthenticated(message, policy, ({ wireScheme, missing, useNonce, invalidProof }) => {
      if (wireScheme !== 'dpop') return missing;
      return (needsNonce ? useNonce : invalidProof) ?? missing;
    });
  }

  #failed(state: RequestState, scheme: string, reason: string, credential?: string, counts = true): void {
    if (counts) this.attempts.record(state);
    this.events.emit(
      'authentication.failed',
      {
        scheme: this.#verifiers.has(scheme) ? scheme : 'other',
        reason,
        ...(credential ? { credential } : {}),
      },
      eventContextOf(state),
    );
  }
}

function unauthenticated(
  message: string,
  policy: RoutePolicy,
  challenge: (of: SchemeChallenge) => string,
): SecurityError {
  return new SecurityError('UNAUTHENTICATED', message, {
    headers: { 'WWW-Authenticate': policy.authentication.challenges.map(challenge) },
  });
}
