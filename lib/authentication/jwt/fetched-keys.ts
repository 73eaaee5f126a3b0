import type { JwtAlgorithm } from './algorithms.js';
import { KeyRefused, readPublicKey, type VerificationKey } from './key-material.js';
import { thumbprint } from './thumbprint.js';

const MAX_KEYS = 50;

/** The usable keys of a set that came from outside. */
export interface FetchedKeys {
  readonly keys: readonly VerificationKey[];
  /** Names with the keys behind them: what is not in the next set has been withdrawn. */
  readonly ids: ReadonlySet<string>;
  /** Names that several keys of one algorithm share, so that neither can be used. */
  readonly ambiguous: readonly string[];
}

/**
 * Keeps the public signature keys of a JWK Set, up to 50; what cannot be used does not spoil the rest (R-OA-03).
 * @throws KeyRefused if nothing is left
 */
export function usableKeys(set: unknown, algorithms: readonly JwtAlgorithm[]): FetchedKeys {
  const list: unknown = (set as { keys?: unknown } | null)?.keys;
  const keys: VerificationKey[] = [];
  for (const jwk of Array.isArray(list) ? list.slice(0, MAX_KEYS) : []) {
    try {
      keys.push(readPublicKey(jwk, algorithms, true));
    } catch (error) {
      if (!(error instanceof KeyRefused)) throw error;
    }
  }
  if (keys.length === 0) throw new KeyRefused('the set has no key that can be used');
  const names = keys.map(({ kid, algorithms: [algorithm] }) =>
    kid === undefined ? '' : `${kid} ${algorithm}`,
  );
  const ambiguous = new Set(names.filter((name, i) => name !== '' && names.indexOf(name) !== i));
  const ids = keys.map(
    ({ kid, key }) => `${kid ?? ''} ${thumbprint(key.export({ format: 'jwk' }) as never)}`,
  );
  return {
    keys,
    ids: new Set(ids),
    ambiguous: [...ambiguous].map((name) => name.slice(0, name.lastIndexOf(' '))),
  };
}
