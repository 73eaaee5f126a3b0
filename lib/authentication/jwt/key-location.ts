import {
  fetchJson,
  type FetchedJson,
  type OutboundLimits,
  OutboundFailure,
} from '../../outbound/fetch-json.js';
import { fetchMetadata } from '../../outbound/issuer-metadata.js';
import { isLoopbackUrl, isSecureUrl } from './option-checks.js';

const MAX_BYTES = 131_072;
const ACCEPT = 'application/jwk-set+json, application/json';
/** How long a place that was discovered is believed without looking again. */
const REDISCOVER_MS = 3_600_000;

/** Where a key set is: known, or to be found out. */
export interface KeyLocation {
  /** Fetches the set. @throws OutboundFailure */
  fetch(timeoutMs: number, now: number): Promise<FetchedJson>;
}

/** A `jwks_uri` from the configuration. */
export class FixedLocation implements KeyLocation {
  readonly #url: URL;
  readonly #allowsPrivate: boolean;

  /** @param allowsPrivate whether it may be in a private network; an address of this machine that is written out always may */
  constructor(uri: string, allowsPrivate: boolean) {
    this.#url = new URL(uri);
    this.#allowsPrivate = allowsPrivate || isLoopbackUrl(uri);
  }

  fetch(timeoutMs: number): Promise<FetchedJson> {
    return fetchJson(this.#url, limitsOf(timeoutMs, this.#allowsPrivate));
  }
}

/**
 * An issuer whose metadata says where its keys are: OpenID Connect Discovery 1.0 §4, or RFC 8414 §3. The metadata must name
 * exactly this issuer, and keys behind https (R-OA-01).
 */
export class DiscoveredLocation implements KeyLocation {
  readonly #allowsPrivate: boolean;
  #found: { readonly location: FixedLocation; readonly at: number } | undefined;

  constructor(
    private readonly issuer: string,
    allowsPrivate: boolean,
  ) {
    this.#allowsPrivate = allowsPrivate || isLoopbackUrl(issuer);
  }

  async fetch(timeoutMs: number, now: number): Promise<FetchedJson> {
    const began = performance.now();
    if (!this.#found || now - this.#found.at > REDISCOVER_MS) await this.#findAgain(timeoutMs, now);
    const left = timeoutMs - (performance.now() - began);
    return this.#found!.location.fetch(Math.max(1, left));
  }

  /** Where the keys were they may still be, while the metadata cannot be had. */
  async #findAgain(timeoutMs: number, now: number): Promise<void> {
    try {
      this.#found = { location: await this.#discover(timeoutMs), at: now };
    } catch (error) {
      if (!this.#found) throw error;
    }
  }

  async #discover(timeoutMs: number): Promise<FixedLocation> {
    return this.#locationIn(await fetchMetadata(this.issuer, limitsOf(timeoutMs, this.#allowsPrivate)));
  }

  #locationIn({ jwks_uri: uri }: Readonly<Record<string, unknown>>): FixedLocation {
    // Only an issuer on this machine may send us to this machine.
    if (!isSecureUrl(uri) || (isLoopbackUrl(uri) && !isLoopbackUrl(this.issuer))) {
      throw new OutboundFailure('the metadata names no https jwks_uri');
    }
    return new FixedLocation(uri, this.#allowsPrivate);
  }
}

const limitsOf = (timeoutMs: number, allowsPrivate: boolean): OutboundLimits => ({
  timeoutMs,
  maxBytes: MAX_BYTES,
  accept: ACCEPT,
  allowsPrivate,
});
