import { OutboundFailure, type OutboundLimits } from '../../outbound/fetch-json.js';
import { fetchMetadata } from '../../outbound/issuer-metadata.js';
import { isLoopbackUrl, isSecureUrl } from './option-checks.js';

/** How long a place is believed without looking again, and how soon after a failure somebody looks. Milliseconds. */
const REDISCOVER_MS = 3_600_000;
const COOLDOWN_MS = 30_000;

/**
 * A place that an issuer's metadata name: OpenID Connect Discovery 1.0 §4, or RFC 8414 §3. They must name exactly this issuer,
 * and a place behind https (R-OA-01). One look at a time, whoever needs it. Where the place was it may still be, so metadata
 * that cannot be had any more cost half of the time at most, and none for a while after that.
 */
export class DiscoveredUrl {
  #url: URL | undefined;
  #looksAt = Number.NEGATIVE_INFINITY;
  #pending: Promise<URL> | undefined;

  /** @param member of the metadata, such as `jwks_uri` */
  constructor(
    private readonly issuer: string,
    private readonly member: string,
    private readonly limits: Omit<OutboundLimits, 'timeoutMs'>,
  ) {}

  /**
   * @param now by the monotonic clock
   * @throws OutboundFailure if the place is not known and cannot be found out
   */
  async find(timeoutMs: number, now: number): Promise<URL> {
    if (this.#url && now < this.#looksAt) return this.#url;
    this.#pending ??= this.#look(timeoutMs, now).finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #look(timeoutMs: number, now: number): Promise<URL> {
    const known = this.#url;
    const share = known ? timeoutMs / 2 : timeoutMs;
    try {
      const metadata = await fetchMetadata(this.issuer, { ...this.limits, timeoutMs: share });
      this.#url = this.#placeIn(metadata);
      this.#looksAt = now + REDISCOVER_MS;
      return this.#url;
    } catch (error) {
      if (!known) throw error;
      this.#looksAt = now + COOLDOWN_MS;
      return known;
    }
  }

  #placeIn({ [this.member]: uri }: Readonly<Record<string, unknown>>): URL {
    // Only an issuer on this machine may send us to this machine.
    if (isSecureUrl(uri) && (!isLoopbackUrl(uri) || isLoopbackUrl(this.issuer))) return new URL(uri);
    throw new OutboundFailure(`the metadata names no https ${this.member}`);
  }
}
