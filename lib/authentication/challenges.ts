import type { SchemeChallenge, StepUpPolicy } from '../policy/route-policy.js';

/** The parts of a challenge that differ between applications and routes. */
export interface ChallengeParts {
  readonly realm: string;
  /** URL of the protected resource metadata (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
  /** Scopes that the route needs; named only when they are missing (RFC 6750 §3). */
  readonly scopes: readonly string[];
  /** What the route demands of the login. */
  readonly stepUp?: StepUpPolicy | undefined;
  /** Signatures that proofs may have; of DPoP alone (RFC 9449 §7.1). */
  readonly algorithms?: readonly string[];
}

/** Builds the `WWW-Authenticate` values of one scheme, once, at boot (R-AU-02). */
export function buildChallenge(
  scheme: 'Bearer' | 'DPoP' | 'Api-Key',
  parts: ChallengeParts,
): SchemeChallenge {
  const base = [`realm=${quoted(parts.realm)}`];
  if (parts.resourceMetadata) base.push(`resource_metadata=${quoted(parts.resourceMetadata)}`);
  const algs = parts.algorithms ? [`algs=${quoted(parts.algorithms.join(' '))}`] : [];
  const challenge = (...more: string[]) => `${scheme} ${[...base, ...more, ...algs].join(', ')}`;
  const missing = challenge();
  const wireScheme = scheme.toLowerCase();
  // The error codes are RFC 6750's: they mean nothing under a scheme that has not taken them over.
  if (scheme === 'Api-Key') {
    return Object.freeze({
      wireScheme,
      missing,
      invalid: missing,
      expired: missing,
      insufficientScope: missing,
    });
  }
  const invalid = 'error="invalid_token"';
  return Object.freeze({
    wireScheme,
    missing,
    invalid: challenge(invalid),
    expired: challenge(invalid, 'error_description="The access token expired"'),
    insufficientScope: challenge('error="insufficient_scope"', `scope=${quoted(parts.scopes.join(' '))}`),
    ...(scheme === 'DPoP' && {
      invalidProof: challenge('error="invalid_dpop_proof"'),
      useNonce: challenge('error="use_dpop_nonce"'),
    }),
    ...(parts.stepUp && { insufficientAuthentication: challenge(...stepUpParts(parts.stepUp)) }),
  });
}

function stepUpParts({ maxAge, acr }: StepUpPolicy): readonly string[] {
  const accepted = acr.at(-1);
  return [
    'error="insufficient_user_authentication"',
    ...(accepted ? [`acr_values=${quoted(accepted.join(' '))}`] : []),
    ...(maxAge === undefined ? [] : [`max_age=${quoted(String(maxAge))}`]),
  ];
}

/** A quoted-string (RFC 9110 §5.6.4); whatever cannot stand in one is left out. */
function quoted(text: string): string {
  return `"${text.replaceAll(/[^\x20-\x7e]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
