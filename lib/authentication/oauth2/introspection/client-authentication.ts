import { createPublicKey, randomUUID } from 'node:crypto';

import type { SecurityClock } from '../../../clock.js';
import { publicHalf, readPrivateKey } from '../../jwt/key-material.js';
import { thumbprint } from '../../jwt/thumbprint.js';

/** What a request carries so that the server knows its client. */
export interface ClientCredentials {
  readonly headers: Readonly<Record<string, string>>;
  readonly parameters: Readonly<Record<string, string>>;
}

/** @param audience the issuer that is asked */
export type ClientAuthentication = (audience: string) => Promise<ClientCredentials>;

/** `client_secret_basic`: both parts form-encoded before they are joined (RFC 6749 §2.3.1). */
export function secretBasic(clientId: string, secret: string): ClientAuthentication {
  const pair = `${formEncoded(clientId)}:${formEncoded(secret)}`;
  const headers = { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
  return () => Promise.resolve({ headers, parameters: {} });
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_SECONDS = 60;

/**
 * `private_key_jwt`: an assertion of its own for each request, for the issuer alone (RFC 7523 §3).
 * @throws KeyRefused
 */
export function privateKeyJwt(
  clientId: string,
  material: unknown,
  keyId: string | undefined,
  clock: SecurityClock,
): ClientAuthentication {
  const key = readPrivateKey(material);
  const kid = keyId ?? thumbprint(createPublicKey(key).export({ format: 'jwk' }));
  const alg = publicHalf(key, kid, undefined).algorithms[0]!;
  return async (audience) => {
    const { SignJWT } = await import('jose');
    const now = Math.floor(clock.now() / 1000);
    const assertion = await new SignJWT({ jti: randomUUID() })
      .setProtectedHeader({ alg, kid })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_SECONDS)
      .sign(key);
    return {
      headers: {},
      parameters: {
        client_id: clientId,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: assertion,
      },
    };
  };
}

const formEncoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
