import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';

import { BearerTokenVerifier } from '../../../lib/authentication/jwt/bearer-token-verifier.js';
import { compileTokenIssuers } from '../../../lib/authentication/jwt/issuer-compiler.js';
import type { JwtOptions } from '../../../lib/authentication/jwt/jwt.options.js';
import { RevocationList } from '../../../lib/authentication/jwt/revocation-list.js';
import type { Revocation } from '../../../lib/authentication/jwt/revocation-store.js';
import type { TokenIssuer } from '../../../lib/authentication/jwt/token-issuer.js';
import type { OAuth2Options } from '../../../lib/authentication/oauth2/oauth2.options.js';
import { CredentialRejected } from '../../../lib/authentication/credential-verifier.js';
import type { SecurityClock } from '../../../lib/clock.js';
import {
  type ConfigurationProblem,
  ConfigurationProblems,
  SecurityConfigurationError,
} from '../../../lib/configuration/configuration-problems.js';

export const ISSUER = 'https://id.example.test';
export const AUDIENCE = 'https://api.example.test';
/** Epoch seconds at which every test clock begins. */
export const NOW = 1_900_000_000;

export const ecPair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const rsaPair = generateKeyPairSync('rsa', { modulusLength: 2048 });
export const edPair = generateKeyPairSync('ed25519');
export const secret = randomBytes(64);

/** A clock that stands still until it is moved. */
export class TestClock implements SecurityClock {
  constructor(public seconds = NOW) {}

  now(): number {
    return this.seconds * 1000;
  }

  monotonic(): number {
    return this.seconds * 1000;
  }
}

export const encode = (part: string | Buffer): string => Buffer.from(part).toString('base64url');

/** Signs a signing input as `alg` says; the text itself may be anything. */
export function signText(input: string, alg: string, key: KeyObject | Buffer): string {
  const hash = `sha${alg.slice(2)}`;
  if (alg.startsWith('HS')) return encode(createHmac(hash, key).update(input).digest());
  const privateKey = key as KeyObject;
  if (alg.startsWith('ES'))
    return encode(sign(hash, Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }));
  if (alg.startsWith('Ed')) return encode(sign(null, Buffer.from(input), privateKey));
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
  return encode(sign(hash, Buffer.from(input), { key: privateKey, ...(alg.startsWith('PS') ? pss : {}) }));
}

/** A token from the texts of its header and claims, well-formed or not, with a genuine signature. */
export function forge(
  header: string | Buffer,
  claims: string | Buffer,
  alg = 'ES256',
  key: KeyObject | Buffer = ecPair.privateKey,
): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signText(input, alg, key)}`;
}

export const goodClaims = (): Record<string, unknown> => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user-1',
  client_id: 'app',
  jti: 'token-1',
  iat: NOW - 10,
  exp: NOW + 600,
  scope: 'items:read items:write',
  roles: ['member'],
});

/** A good token, but for what is changed; a value of `undefined` leaves a member out. */
export function token(
  claims: Record<string, unknown> = {},
  header: Record<string, unknown> = {},
  key: KeyObject | Buffer = ecPair.privateKey,
): string {
  const full = { alg: 'ES256', typ: 'at+jwt', ...header };
  return forge(JSON.stringify(full), JSON.stringify({ ...goodClaims(), ...claims }), full.alg, key);
}

/** A verifier, with a clock in the test's hand and counts of what it costs. */
export interface Workshop {
  readonly issuers: readonly TokenIssuer[];
  readonly verifier: BearerTokenVerifier;
  readonly clock: TestClock;
  readonly revocations: RevocationList;
  /** Keys that were looked up: one comes before each signature check and each fetch. */
  readonly keyLookups: () => number;
  /** The principal, or the reason why there is none. */
  readonly outcome: (token: string) => Promise<string>;
}

export function issuersOf(
  options: { jwt?: JwtOptions; oauth2?: OAuth2Options },
  clock: SecurityClock = new TestClock(),
): readonly TokenIssuer[] {
  const problems = new ConfigurationProblems();
  const issuers = compileTokenIssuers(options, problems, { clock });
  problems.throwIfAny();
  return issuers;
}

/** What is wrong with options, as codes. */
export function problemsOf(options: unknown): readonly ConfigurationProblem[] {
  try {
    issuersOf(options as { jwt: JwtOptions });
    return [];
  } catch (error) {
    if (error instanceof SecurityConfigurationError) return error.problems;
    throw error;
  }
}

export function workshop(
  options: { jwt?: JwtOptions; oauth2?: OAuth2Options } = {
    jwt: { issuer: ISSUER, audience: AUDIENCE, publicKey: ecPair.publicKey },
  },
): Workshop {
  const clock = new TestClock();
  let lookups = 0;
  const issuers = issuersOf(options, clock);
  for (const { keys } of issuers) {
    const find = keys.find.bind(keys);
    keys.find = (...asked) => {
      lookups++;
      return find(...asked);
    };
  }
  const revocations = new RevocationList(clock);
  const verifier = new BearerTokenVerifier(issuers, revocations, clock);
  const outcome = (text: string) =>
    verifier.verify(text).then(
      ({ principal }) => `${principal.type} ${principal.id}`,
      (error: unknown) => {
        if (error instanceof CredentialRejected) return error.reason;
        throw error;
      },
    );
  return { issuers, verifier, clock, revocations, keyLookups: () => lookups, outcome };
}

/** Every text that somebody might mistake for a secret when all he has is the public key. */
export function publicKeyTexts(publicKey: KeyObject): Buffer[] {
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
  const jwk = publicKey.export({ format: 'jwk' });
  return [
    Buffer.from(pem),
    Buffer.from(pem.trimEnd()),
    Buffer.from(pem.replaceAll('\n', '\r\n')),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(publicKey.asymmetricKeyType === 'rsa'
      ? [
          Buffer.from(publicKey.export({ type: 'pkcs1', format: 'pem' }) as string),
          publicKey.export({ type: 'pkcs1', format: 'der' }),
          Buffer.from(String(jwk.n), 'base64url'),
        ]
      : [Buffer.from(String(jwk.x), 'base64url')]),
    Buffer.from(JSON.stringify(jwk)),
    Buffer.alloc(0),
  ];
}

export { createPublicKey, createSecretKey };

/** A revocation of ten minutes, made when test clocks begin. */
export const revocation = (kind: Revocation['kind'], name: string, issuer = ISSUER): Revocation => ({
  kind,
  issuer,
  name,
  at: NOW * 1000,
  until: (NOW + 600) * 1000,
});
