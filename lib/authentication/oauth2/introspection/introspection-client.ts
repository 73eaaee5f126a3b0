import { fetchText, OutboundFailure, type OutboundLimits } from '../../../outbound/fetch-json.js';
import type { SecurityClock } from '../../../clock.js';
import { DiscoveredUrl } from '../../jwt/discovered-url.js';
import { isLoopbackUrl } from '../../jwt/option-checks.js';
import { type Claims, ClaimsRefused, parseStrictClaims } from '../../jwt/strict-claims.js';
import type { OpaqueIssuer } from './introspection.options.js';
import { readSignedAnswer, SIGNED_ANSWER } from './signed-answer.js';

const JSON_TYPE = 'application/json';
const MAX_BYTES = 131_072;

/** Asks an authorization server about tokens (RFC 7662 §2, R-IN-01). */
export class IntrospectionClient {
  readonly #limits: Omit<OutboundLimits, 'timeoutMs'>;
  readonly #endpoint: URL | DiscoveredUrl;

  constructor(
    private readonly issuer: OpaqueIssuer,
    private readonly clock: SecurityClock,
  ) {
    const { endpoint, allowsPrivate } = issuer.introspection;
    const isPrivate = allowsPrivate || isLoopbackUrl(endpoint ?? issuer.issuer);
    this.#limits = { maxBytes: MAX_BYTES, accept: JSON_TYPE, allowsPrivate: isPrivate };
    this.#endpoint =
      endpoint === undefined
        ? new DiscoveredUrl(issuer.issuer, 'introspection_endpoint', this.#limits)
        : new URL(endpoint);
  }

  /**
   * @returns what the server says, if that says whether the token is active
   * @throws OutboundFailure if nothing can be known: it must never be taken for a bad token, nor for a good one (R-IN-03)
   */
  async ask(token: string): Promise<Claims> {
    const { issuer, introspection } = this.issuer;
    const began = performance.now();
    const left = () => Math.max(1, introspection.timeoutMs - (performance.now() - began));
    const place = this.#endpoint;
    const url = place instanceof URL ? place : await place.find(left(), this.clock.monotonic());
    const { headers, parameters } = await introspection.authentication(issuer);
    const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...parameters }).toString();
    const accept = introspection.keys ? SIGNED_ANSWER : JSON_TYPE;
    const { text } = await fetchText(
      url,
      { ...this.#limits, timeoutMs: left(), accept },
      {
        body,
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      },
    );
    return answerIn(await this.#plain(text, left()));
  }

  /** What the answer says; where it has to be signed, nothing else counts (R-IN-07). */
  async #plain(text: string, timeoutMs: number): Promise<Claims> {
    const { issuer, audiences, introspection } = this.issuer;
    const { keys, clientId } = introspection;
    if (!keys) return parsed(text);
    const recipients = [clientId, ...audiences];
    return readSignedAnswer(text, { issuer, recipients, keys }, this.clock.now() / 1000, timeoutMs);
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
