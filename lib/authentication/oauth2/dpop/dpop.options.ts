import { randomBytes } from 'node:crypto';

import type { Duration } from '../../../configuration/units.js';
import { KeyRefused, readSecret } from '../../jwt/key-material.js';
import { isRawOptions, isSecureUrl, OptionChecks } from '../../jwt/option-checks.js';
import type { ConfigurationProblems } from '../../../configuration/configuration-problems.js';
import { DPOP_ALGORITHMS, type DpopAlgorithm } from './dpop-proof.js';
import { type DpopReplayStore, MemoryDpopReplayStore } from './dpop-replay-store.js';

/** Proofs of possession for access tokens (RFC 9449). */
export interface DpopOptions {
  /** Whether every OAuth token must be bound to a key; `false` by default. `@RequireDpop()` does so for single routes. */
  readonly required?: boolean;
  /** Accepted signatures of proofs; all of ES256, ES384, PS256, EdDSA and Ed25519 by default. */
  readonly algorithms?: readonly DpopAlgorithm[];
  /** How old a proof may be; `'1m'` by default, `'5s'` to `'5m'`. Clocks of clients may be 10 s fast. */
  readonly maxAge?: Duration;
  /** Where used proofs are remembered; in this process by default, so several nodes need `RedisDpopReplayStore`. */
  readonly replayStore?: DpopReplayStore;
  /** Demand a nonce of this server in every proof (RFC 9449 §8); off by default. */
  readonly nonces?: {
    /** At least 32 random bytes, as bytes or base64, the same on all nodes. */
    readonly secret: string | Uint8Array;
  };
  /**
   * What stands in front of the path as clients see it, such as `https://api.example.com/v1` behind a proxy that takes
   * `/v1` off; the origin of `resource` by default. Never taken from a request (R-DP-04).
   */
  readonly publicUrl?: string;
}

/** The options, checked and complete. */
export interface DpopSettings {
  readonly required: boolean;
  readonly algorithms: readonly DpopAlgorithm[];
  readonly maxAgeMs: number;
  readonly replayStore: DpopReplayStore;
  readonly nonceSecret: Uint8Array | undefined;
  readonly publicUrl: string;
}

const NAMES = ['required', 'algorithms', 'maxAge', 'replayStore', 'nonces', 'publicUrl'];
const WHERE = 'oauth2.dpop';

/** Checks the options; what is wrong is reported, and stood in for. */
export function compileDpopOptions(
  options: unknown,
  resource: string | undefined,
  problems: ConfigurationProblems,
): DpopSettings {
  if (options !== undefined && !isRawOptions(options))
    problems.add(`${WHERE}.type`, WHERE, 'is no object', 'give { required, … }, or leave it out');
  const checks = new OptionChecks(isRawOptions(options) ? options : {}, WHERE, WHERE, problems);
  checks.onlyKnown(NAMES);
  const { replayStore, publicUrl } = checks.options;
  if (publicUrl !== undefined && (!isSecureUrl(publicUrl) || new URL(publicUrl).search !== ''))
    checks.report('publicUrl', 'invalid', 'is no https URL', 'give what clients see in front of the path');
  if (replayStore !== undefined && !(isRawOptions(replayStore) && 'use' in replayStore))
    checks.report(
      'replayStore',
      'invalid',
      'has no use()',
      'give a RedisDpopReplayStore, or one of your own',
    );
  const base = isSecureUrl(publicUrl) ? new URL(publicUrl) : undefined;
  return {
    required: checks.flag('required'),
    algorithms: algorithmsOf(checks),
    maxAgeMs: checks.duration('maxAge', 60_000, 5_000, 300_000, '5s to 5m'),
    replayStore: (replayStore as DpopReplayStore | undefined) ?? new MemoryDpopReplayStore(),
    nonceSecret: nonceSecretOf(checks),
    publicUrl: base
      ? base.origin + base.pathname.replace(/\/$/, '')
      : new URL(resource ?? 'https://unknown.invalid').origin,
  };
}

function algorithmsOf(checks: OptionChecks): readonly DpopAlgorithm[] {
  const { algorithms } = checks.options;
  if (algorithms === undefined) return DPOP_ALGORITHMS;
  const isKnown = (name: unknown): name is DpopAlgorithm => DPOP_ALGORITHMS.some((known) => known === name);
  if (Array.isArray(algorithms) && algorithms.length > 0 && algorithms.every(isKnown)) return algorithms;
  const fix = `choose from ${DPOP_ALGORITHMS.join(', ')}`;
  checks.report('algorithms', 'unknown', 'is no list of algorithms that proofs can have', fix);
  return DPOP_ALGORITHMS;
}

function nonceSecretOf(checks: OptionChecks): Uint8Array | undefined {
  const { nonces } = checks.options;
  if (nonces === undefined) return undefined;
  try {
    return readSecret(isRawOptions(nonces) ? nonces['secret'] : undefined, ['HS256']).key.export();
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    const fix = 'give { secret: crypto.randomBytes(32) }, the same on all nodes';
    checks.report('nonces', 'refused', 'holds no secret of at least 32 random bytes', fix);
    return randomBytes(32);
  }
}
