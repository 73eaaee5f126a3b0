import { CredentialRejected } from '../credential-verifier.js';
import type { VerificationKey } from './key-material.js';

/** Where an issuer's keys come from. */
export interface KeySource {
  /**
   * The one key for a token. Synchronous where the keys are in memory.
   *
   * @param algorithm `alg` of the token, already among the issuer's
   * @param kid `kid` of the token: a name to look up, nothing more (R-JW-09)
   * @param address where the token comes from: one client may not use up what all share (R-OA-06)
   * @throws CredentialRejected `token.key-unknown` if not exactly one key fits
   * @throws SecurityError `UNAVAILABLE` if there are no keys to look in (D14)
   */
  find(
    algorithm: string,
    kid: string | undefined,
    address?: string,
  ): VerificationKey | Promise<VerificationKey>;
  /** Changes when a key is withdrawn; what was verified before has to be verified again (R-OA-07). Fixed keys have none. */
  readonly generation?: number;
  /** Whether there are keys to verify with; where they have to be fetched, it does so. Fixed keys are always there. */
  ready?(): Promise<boolean>;
  /** Fetches the keys now, where they are fetched (R-OA-07). Rejects if that fails. */
  refresh?(): Promise<void>;
  /** Tells what an operator has to know of. */
  watch?(report: (trouble: KeySourceTrouble) => void): void;
}

/** Keys could not be had, or several share a name and are not used. */
export type KeySourceTrouble =
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'ambiguous'; readonly kid: string };

/** Keys by name. Two of one name and algorithm cannot be told apart, so neither is used. */
export class KeySet {
  readonly #named = new Map<string, VerificationKey[]>();

  constructor(private readonly keys: readonly VerificationKey[]) {
    for (const key of keys) {
      if (key.kid === undefined) continue;
      const namesakes = this.#named.get(key.kid);
      if (namesakes) namesakes.push(key);
      else this.#named.set(key.kid, [key]);
    }
  }

  /**
   * The one key that fits, if there is exactly one. So a token costs at most one signature check (R-JW-07), and one without
   * `kid` is accepted only where no choice is left. A set without names, such as one PEM key, ignores the token's.
   */
  find(algorithm: string, kid: string | undefined): VerificationKey | undefined {
    const candidates = kid === undefined || this.#named.size === 0 ? this.keys : (this.#named.get(kid) ?? []);
    let found: VerificationKey | undefined;
    for (const key of candidates) {
      if (!(key.algorithms as readonly string[]).includes(algorithm)) continue;
      if (found) return undefined;
      found = key;
    }
    return found;
  }
}

/** Keys from the configuration. */
export class StaticKeySource implements KeySource {
  readonly #keys: KeySet;

  constructor(keys: readonly VerificationKey[]) {
    this.#keys = new KeySet(keys);
  }

  find(algorithm: string, kid: string | undefined): VerificationKey {
    const key = this.#keys.find(algorithm, kid);
    if (!key) throw new CredentialRejected('token.key-unknown');
    return key;
  }
}
