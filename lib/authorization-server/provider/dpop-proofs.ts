import type { IncomingMessage } from 'node:http';

import {
  DPOP_ALGORITHMS,
  FUTURE_MS,
  proofIn,
  ProofRejected,
  readProof,
} from '../../authentication/oauth2/dpop/dpop-proof.js';

const MAX_AGE_MS = 60_000;
/** oidc-provider takes it for what it is: no proof. */
const NONE = 'refused';

/**
 * oidc-provider looks at what a proof says. How it is written, whether it is the only one, and how old it is, is looked at here,
 * as resource servers do (R-AS-23, R-DP-02, R-DP-03, R-DP-06). What does not do goes on as one that is none, and is answered so.
 *
 * @param nonces whether a nonce says how old it is
 */
export function refuseBadProof({ headers, rawHeaders }: IncomingMessage, now: number, nonces: boolean): void {
  if (headers['dpop'] === undefined) return;
  try {
    const { issuedAt } = readProof(proofIn(rawHeaders), DPOP_ALGORITHMS);
    const age = now - issuedAt * 1000;
    if (!nonces && (age > MAX_AGE_MS || age < -FUTURE_MS)) headers['dpop'] = NONE;
  } catch (error) {
    if (!(error instanceof ProofRejected)) throw error;
    headers['dpop'] = NONE;
  }
}
