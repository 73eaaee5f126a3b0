import { fetchText, OutboundFailure, type OutboundLimits } from '../../../outbound/fetch-json.js';
import { fetchMetadata } from '../../../outbound/issuer-metadata.js';
import type { SecurityClock } from '../../../clock.js';
import { isLoopbackUrl, isSecureUrl } from '../../jwt/option-checks.js';
import { type Claims, ClaimsRefused, parseStrictClaims } from '../../jwt/strict-claims.js';
import type { OpaqueIssuer } from './introspection.options.js';
import { readSignedAnswer, SIGNED_ANSWER } from './signed-answer.js';

const JSON_TYPE = 'application/json';
const MAX_BYTES = 131_072;
/** How long a place that was discovered is believed without looking again. */
const REDISCOVER_MS = 3_600_000;

/** Asks an authorization server about tokens (RFC 7662 §2, R-IN-01). */
export class IntrospectionClient {
  readonly #allowsPrivate: boolean;
  #endpoint: { readonly url: URL; readonly until: number } | undefined;

  constructor(
    private readonly issuer: OpaqueIssuer,
    private readonly clock: SecurityClock,
  ) {
    const { endpoint, allowsPrivate } = issuer.introspection;
    this.#allowsPrivate = allowsPrivate || isLoopbackUrl(endpoint ?? issuer.issuer);
    if (endpoint !== undefined) this.#endpoint = { url: new URL(endpoint), until: Number.POSITIVE_INFINITY };
  }

  /**
   * @returns what the server says, if that says whether the token is active
   * @throws OutboundFailure if nothing can be known: it must never be taken for a bad token, nor for a good one (R-IN-03)
   */
  async ask(token: string): Promise<Claims> {
    const { issuer, introspection } = this.issuer;
    const began = performance.now();
    const left = () => Math.max(1, introspection.timeoutMs - (performance.now() - began));
    const url = await this.#locate(left());
    const { headers, parameters } = await introspection.authentication(issuer);
    const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...parameters }).toString();
    const accept = introspection.keys ? SIGNED_ANSWER : JSON_TYPE;
    const { text } = await fetchText(
      url,
      { ...this.#limits(left()), accept },
      {
        body,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      },
    );
    return answerIn(await this.#plain(text));
  }

  /** What the answer says; where it has to be signed, nothing else counts (R-IN-07). */
  async #plain(text: string): Promise<Claims> {
    const { issuer, audiences, introspection } = this.issuer;
    const { keys, clientId } = introspection;
    if (!keys) return parsed(text);
    const recipients = [clientId, ...audiences];
    return readSignedAnswer(text, { issuer, recipients, keys }, this.clock.now() / 1000);
  }

  async #locate(timeoutMs: number): Promise<URL> {
    const known = this.#endpoint;
    const now = performance.now();
    if (known && now < known.until) return known.url;
    try {
      const { issuer } = this.issuer;
      const { introspection_endpoint: uri } = await fetchMetadata(issuer, this.#limits(timeoutMs));
      if (!isSecureUrl(uri) || (isLoopbackUrl(uri) && !isLoopbackUrl(issuer)))
        throw new OutboundFailure('the metadata names no https introspection_endpoint');
      this.#endpoint = { url: new URL(uri), until: now + REDISCOVER_MS };
      return this.#endpoint.url;
    } catch (error) {
      // Where it was it may still be, while the metadata cannot be had.
      if (known) return known.url;
      throw error;
    }
  }

  #limits(timeoutMs: number): OutboundLimits {
    return { timeoutMs, maxBytes: MAX_BYTES, accept: JSON_TYPE, allowsPrivate: this.#allowsPrivate };
  }
}

function parsed(text: string): Claims {
  try {
    return parseStrictClaims(text);
  } catch (error) {
    if (error instanceof ClaimsRefused) throw new OutboundFailure('the answer is no JSON object');
    throw error;
  }
}

function answerIn(answer: Claims): Claims {
  if (typeof answer['active'] === 'boolean') return answer;
  throw new OutboundFailure('the answer does not say whether the token is active');
}
