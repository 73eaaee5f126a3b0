import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';

import { exportJWK, type JWK, SignJWT } from 'jose';

import { thumbprint } from '../../../lib/authentication/jwt/thumbprint.js';

export type KeyPair = ReturnType<typeof generateKeyPairSync>;

/** A client with a key of its own. */
export interface ProofMaker {
  readonly jkt: string;
  readonly jwk: JWK;
  /** A good proof for a request; claims and header can be changed for attacks, and left out with `undefined`. */
  proof(
    method: string,
    uri: string,
    token: string,
    claims?: Record<string, unknown>,
    header?: Record<string, unknown>,
  ): Promise<string>;
}

export async function proofMaker(
  alg = 'ES256',
  pair: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
): Promise<ProofMaker> {
  const jwk = await exportJWK(pair.publicKey);
  return {
    jkt: thumbprint(jwk),
    jwk,
    async proof(method, uri, token, claims = {}, header = {}) {
      const all = { htm: method, htu: uri, jti: randomUUID(), iat: Math.floor(Date.now() / 1000) };
      const ath = createHash('sha256').update(token).digest('base64url');
      return new SignJWT({ ...all, ath, ...claims })
        .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header })
        .sign(pair.privateKey);
    },
  };
}
