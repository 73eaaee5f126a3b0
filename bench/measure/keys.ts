import { generateKeyPairSync, randomBytes } from 'node:crypto';

import type { Algorithm, Credentials } from '../apps/contestant.js';
import { API_KEY } from '../report/workloads.js';

export interface BenchKeys {
  readonly privateKey: string;
  readonly credentials: Credentials;
}

const SPKI = { type: 'spki', format: 'pem' } as const;
const PKCS8 = { type: 'pkcs8', format: 'pem' } as const;

export function generateKeys(algorithm: Algorithm): BenchKeys {
  const { publicKey, privateKey } = keyPair(algorithm);
  return {
    privateKey,
    credentials: {
      apiKey: API_KEY,
      issuer: 'https://id.example.com',
      audience: 'https://api.example.com',
      algorithm,
      verificationKey: publicKey,
    },
  };
}

function keyPair(algorithm: Algorithm): { publicKey: string; privateKey: string } {
  if (algorithm === 'RS256') {
    return generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: SPKI,
      privateKeyEncoding: PKCS8,
    });
  }
  if (algorithm === 'ES256') {
    return generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      publicKeyEncoding: SPKI,
      privateKeyEncoding: PKCS8,
    });
  }
  const secret = randomBytes(32).toString('hex');
  return { publicKey: secret, privateKey: secret };
}
