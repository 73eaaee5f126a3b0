import { fetchJson, type FetchedJson, type OutboundLimits } from '../../outbound/fetch-json.js';
import { DiscoveredUrl } from './discovered-url.js';
import { isLoopbackUrl } from './option-checks.js';

const MAX_BYTES = 131_072;
const ACCEPT = 'application/jwk-set+json, application/json';

/** Where a key set is: known, or to be found out. */
export interface KeyLocation {
  /** Fetches the set. @throws OutboundFailure */
  fetch(timeoutMs: number, now: number): Promise<FetchedJson>;
}

/** A `jwks_uri` from the configuration. */
export class FixedLocation implements KeyLocation {
  readonly #url: URL;
  readonly #limits: Omit<OutboundLimits, 'timeoutMs'>;

  /** @param allowsPrivate whether it may be in a private network; an address of this machine that is written out always may */
  constructor(uri: string, allowsPrivate: boolean) {
    this.#url = new URL(uri);
    this.#limits = limitsOf(uri, allowsPrivate);
  }

  fetch(timeoutMs: number): Promise<FetchedJson> {
    return fetchJson(this.#url, { ...this.#limits, timeoutMs });
  }
}

/** An issuer whose metadata says where its keys are. */
export class DiscoveredLocation implements KeyLocation {
  readonly #limits: Omit<OutboundLimits, 'timeoutMs'>;
  readonly #place: DiscoveredUrl;

  constructor(issuer: string, allowsPrivate: boolean) {
    this.#limits = limitsOf(issuer, allowsPrivate);
    this.#place = new DiscoveredUrl(issuer, 'jwks_uri', this.#limits);
  }

  async fetch(timeoutMs: number, now: number): Promise<FetchedJson> {
    const began = performance.now();
    const url = await this.#place.find(timeoutMs, now);
    const left = timeoutMs - (performance.now() - began);
    return fetchJson(url, { ...this.#limits, timeoutMs: Math.max(1, left) });
  }
}

const limitsOf = (url: string, allowsPrivate: boolean) => ({
  maxBytes: MAX_BYTES,
  accept: ACCEPT,
  allowsPrivate: allowsPrivate || isLoopbackUrl(url),
});
