import { setTimeout as sleep } from 'node:timers/promises';

import { OutboundFailure } from '../../../outbound/fetch-json.js';
import { isRawOptions } from '../../jwt/option-checks.js';
import type { IssuerKeys } from '../../jwt/issuer-keys.js';
import type { Claims } from '../../jwt/strict-claims.js';
import { readToken } from '../../jwt/token-reader.js';

/** The media type of signed answers, and the `typ` of the JWTs in them (RFC 9701 §5). */
export const SIGNED_ANSWER = 'application/token-introspection+jwt';
const TYPE = 'token-introspection+jwt';
/** How old an answer may be, and how far ahead the server's clock; seconds. */
const MAX_AGE = 60;

/** Whom an answer must come from, and for whom it must be. */
export interface AnswerParties {
  readonly issuer: string;
  /** Names of this API: its client id and its audiences. */
  readonly recipients: readonly string[];
  readonly keys: Pick<IssuerKeys, 'source' | 'algorithms'>;
}

/**
 * What a signed answer says about a token (RFC 9701 §5, R-IN-07): it must be signed by the issuer, for this API, just now.
 *
 * @param now epoch seconds
 * @param timeoutMs longest wait for the issuer's keys
 * @throws OutboundFailure for everything else, an unsigned answer first of all
 */
export async function readSignedAnswer(
  text: string,
  { issuer, recipients, keys }: AnswerParties,
  now: number,
  timeoutMs: number,
): Promise<Claims> {
  try {
    const { type, algorithm, kid, claims } = readToken(text);
    const { iss, aud, iat, token_introspection: answer } = claims;
    const isKnown = (keys.algorithms as readonly string[]).includes(algorithm);
    const isFresh = typeof iat === 'number' && Math.abs(now - iat) <= MAX_AGE;
    const isForUs = [aud].flat().some((one) => recipients.some((name) => name === one));
    if (type === TYPE && isKnown && iss === issuer && isForUs && isFresh && isRawOptions(answer)) {
      const key = await Promise.race([keys.source.find(algorithm, kid), noKeysWithin(timeoutMs)]);
      const { compactVerify } = await import('jose');
      await compactVerify(text, key.key, { algorithms: [...key.algorithms] });
      return answer;
    }
  } catch (error) {
    throw new OutboundFailure(`the answer is not signed as it must be: ${(error as Error).message}`);
  }
  throw new OutboundFailure('the answer is not signed as it must be');
}

async function noKeysWithin(timeoutMs: number): Promise<never> {
  await sleep(timeoutMs, undefined, { ref: false });
  throw new OutboundFailure('the keys cannot be had in time');
}
