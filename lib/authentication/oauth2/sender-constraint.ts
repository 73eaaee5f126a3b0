import { timingSafeEqual } from 'node:crypto';

import type { SecurityClock } from '../../clock.js';
import type { RequestState } from '../../http/request-state.js';
import type { RoutePolicy } from '../../policy/route-policy.js';
import { CredentialRejected, type VerifiedCredential } from '../credential-verifier.js';
import { sha256 } from '../sha256.js';
import type { StoreCalls } from '../store-calls.js';
import type { ClientCertificates } from './client-certificate.js';
import type { DpopNonces } from './dpop/dpop-nonces.js';
import {
  FUTURE_MS,
  proofIn,
  ProofRejected,
  readProof,
  type ReadProof,
  verifyProof,
} from './dpop/dpop-proof.js';
import type { DpopSettings } from './dpop/dpop.options.js';
import { normalizedTargetUri } from './dpop/target-uri.js';

/** For how much longer a proof is remembered than it is taken here: clocks of nodes differ, and the store is asked later. */
const REMEMBERED_MS = 10_000;

/** What the check works with. */
export interface SenderConstraintParts {
  readonly dpop: DpopSettings;
  readonly nonces: DpopNonces | undefined;
  readonly certificates: ClientCertificates;
  readonly calls: StoreCalls;
  readonly clock: SecurityClock;
}

/**
 * Whether who sends a token is who it was issued to. A token that is bound to a key or a certificate needs the proof, in the
 * way that it was bound, and a token that is not bound cannot be sent as if it were (R-DP-01 to R-DP-10).
 */
export class SenderConstraint {
  constructor(private readonly parts: SenderConstraintParts) {}

  /**
   * Costs nothing for a token that is not bound.
   *
   * @throws ProofRejected, CredentialRejected, or SecurityError `UNAVAILABLE` if the proof may have been used before
   */
  check(
    state: RequestState,
    policy: RoutePolicy,
    token: string,
    { principal }: VerifiedCredential,
  ): void | Promise<void> {
    const { binding, tokenId } = principal;
    const byProof = state.wireScheme === 'dpop';
    const required =
      policy.authentication.dpopRequired || (this.parts.dpop.required && principal.scheme === 'oauth2');
    if (binding === undefined && !byProof && !required) return;
    // One that was stolen must not work as a bearer's, nor one that anybody may use pass for a bound one (R-DP-07).
    if (byProof !== (binding?.jkt !== undefined)) throw new CredentialRejected('token.binding', tokenId);
    if (required && !byProof) throw new CredentialRejected('token.not-bound', tokenId);
    if (
      binding?.certificate !== undefined &&
      binding.certificate !== this.parts.certificates.thumbprintOf(state.request)
    )
      throw new CredentialRejected('token.certificate', tokenId);
    return binding?.jkt === undefined ? undefined : this.#checkProof(state, token, binding.jkt);
  }

  /** Goes with every answer to a proof, as long as there is another nonce to take (RFC 9449 §8.2). */
  offerNonce({ response }: RequestState): void {
    if (this.parts.nonces && !response.headersSent)
      response.setHeader('DPoP-Nonce', this.parts.nonces.current());
  }

  async #checkProof(state: RequestState, token: string, jkt: string): Promise<void> {
    const { dpop, nonces, calls, clock } = this.parts;
    const proof = readProof(proofIn(state.request.rawHeaders), dpop.algorithms);
    if (!isSame(proof.jkt, jkt)) throw new ProofRejected('proof.other-key');
    if (proof.tokenHash === undefined || !isSame(proof.tokenHash, sha256(token)))
      throw new ProofRejected('proof.other-token');
    const { request } = state;
    if (proof.method !== request.method) throw new ProofRejected('proof.method');
    const uri = targetOf(request as { url?: string; originalUrl?: string }, dpop.publicUrl);
    if (uri === undefined || normalizedTargetUri(proof.uri) !== uri) throw new ProofRejected('proof.uri');
    const age = clock.now() - proof.issuedAt * 1000;
    if (age > dpop.maxAgeMs || age < -FUTURE_MS) throw new ProofRejected('proof.age');
    verifyProof(proof);
    // After the signature: a nonce is for those who can use it, and a proof is spent only by who could make it.
    if (nonces) {
      const { nonce } = proof;
      if (nonce === undefined || !nonces.isTaken(nonce)) throw new ProofRejected('proof.nonce', true);
      if (nonce !== nonces.current()) this.offerNonce(state);
    }
    const ttl = dpop.maxAgeMs + FUTURE_MS + REMEMBERED_MS;
    const isNew: unknown = await calls.ask(() => dpop.replayStore.use(nameOf(proof, uri), ttl));
    // Whatever a store of somebody's own may say besides.
    if (isNew !== true) throw new ProofRejected('proof.replayed');
  }
}

/** The address of this request as its client sees it; host and scheme come from the configuration alone. */
function targetOf(
  { url = '/', originalUrl = url }: { url?: string; originalUrl?: string },
  publicUrl: string,
): string | undefined {
  const query = originalUrl.indexOf('?');
  return normalizedTargetUri(publicUrl + (query < 0 ? originalUrl : originalUrl.slice(0, query)));
}

const nameOf = ({ jkt, id }: ReadProof, uri: string): string => sha256(`${jkt} ${uri} ${id}`);

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)];
  return one.length === other.length && timingSafeEqual(one, other);
}
