import { generateKeyPairSync, KeyObject } from 'node:crypto';

import type { SecurityClock } from '../../clock.js';
import { isSymmetric, type JwtAlgorithm } from './algorithms.js';
import {
  KeyRefused,
  publicHalf,
  readPrivateKey,
  readPublicKey,
  readSecret,
  type VerificationKey,
} from './key-material.js';
import { FileKeySource } from './file-key-source.js';
import { DiscoveredLocation, FixedLocation, type KeyLocation } from './key-location.js';
import { readKeyRefresh } from './key-refresh.js';
import { type KeySource, StaticKeySource } from './key-source.js';
import { isRawOptions, isSecureUrl, type OptionChecks } from './option-checks.js';
import { type KeyRefresh, RemoteKeySource } from './remote-key-source.js';
import { MANAGED_ALGORITHMS, SigningKeyRing } from './signing-key-ring.js';
import { thumbprint } from './thumbprint.js';
import { type SigningKeys, singleSigningKey } from './token-issuer.js';

const KEY_MEMBERS = ['secret', 'publicKey', 'jwks', 'jwksFile', 'jwksUri', 'signingKey'] as const;
const REMOTE_ALGORITHMS: readonly JwtAlgorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA', 'Ed25519'];

/** What an issuer's key options come to. */
export interface IssuerKeys {
  readonly source: KeySource;
  readonly algorithms: readonly JwtAlgorithm[];
  readonly signer: SigningKeys | undefined;
}

/** Reads the one key member of an issuer's options. Reports what is wrong, and then has no keys. */
export function readIssuerKeys(
  checks: OptionChecks,
  allowed: readonly JwtAlgorithm[] | undefined,
  clock: SecurityClock,
  production = false,
): IssuerKeys | undefined {
  const { options, prefix } = checks;
  const members = KEY_MEMBERS.filter((name) => options[name] !== undefined);
  const [member] = members;
  const refresh = readKeyRefresh(checks);
  const { issuer } = options;
  if (member === undefined && isSecureUrl(issuer) && !isPlainInProduction(issuer, production)) {
    if (allowed?.some(isSymmetric)) {
      checks.report('algorithms', 'mixed', 'do not fit public keys', 'name asymmetric algorithms only');
      return undefined;
    }
    const location = new DiscoveredLocation(issuer, options['allowPrivateAddresses'] === true);
    return remoteKeys(location, allowed, clock, refresh);
  }
  if (member === undefined || members.length !== 1) {
    const accepted = prefix === 'jwt' ? KEY_MEMBERS : KEY_MEMBERS.slice(1, 5);
    const problem =
      member === undefined ? 'has no key to verify tokens with' : `has several keys: ${members.join(', ')}`;
    checks.report(
      'keys',
      member === undefined ? 'missing' : 'several',
      problem,
      `give exactly one of ${accepted.join(', ')}`,
    );
    return undefined;
  }
  const wantsSymmetric = member === 'secret';
  if (allowed?.some((algorithm) => isSymmetric(algorithm) !== wantsSymmetric)) {
    const kind = wantsSymmetric ? 'HS256, HS384 or HS512' : 'asymmetric algorithms';
    checks.report(
      'algorithms',
      'mixed',
      `do not fit ${member}`,
      `name ${kind} only: a key of one kind must never be used as the other`,
    );
    return undefined;
  }
  try {
    return readMember(member, checks, allowed, clock, refresh, production);
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    checks.report(member, 'refused', error.message, FIXES[member]);
    return undefined;
  }
}

function readMember(
  member: (typeof KEY_MEMBERS)[number],
  checks: OptionChecks,
  allowed: readonly JwtAlgorithm[] | undefined,
  clock: SecurityClock,
  refresh: KeyRefresh,
  production: boolean,
): IssuerKeys {
  const material = checks.options[member];
  switch (member) {
    case 'secret':
      return staticKeys([readSecret(material, allowed)], allowed);
    case 'publicKey':
      return staticKeys([readPublicKey(material, allowed)], allowed);
    case 'jwks': {
      const keys = isRawOptions(material) ? material['keys'] : undefined;
      if (!Array.isArray(keys) || keys.length === 0 || keys.length > 50)
        throw new KeyRefused('is no set of 1 to 50 keys');
      return staticKeys(distinct(keys.map((jwk) => readPublicKey(jwk, allowed))), allowed);
    }
    case 'jwksUri': {
      if (!isSecureUrl(material)) throw new KeyRefused('is no https URL');
      if (isPlainInProduction(material, production)) throw new KeyRefused('is an http URL in production');
      const location = new FixedLocation(material, checks.options['allowPrivateAddresses'] === true);
      return remoteKeys(location, allowed, clock, refresh);
    }
    case 'jwksFile': {
      if (typeof material !== 'string') throw new KeyRefused('is no path of a file');
      const algorithms = allowed ?? REMOTE_ALGORITHMS;
      return { source: new FileKeySource(material, algorithms, clock), algorithms, signer: undefined };
    }
    case 'signingKey':
      return ownKeys(material, allowed, clock);
    default:
      throw new KeyRefused('is no kind of key');
  }
}

function remoteKeys(
  location: KeyLocation,
  allowed: readonly JwtAlgorithm[] | undefined,
  clock: SecurityClock,
  refresh: KeyRefresh,
): IssuerKeys {
  const algorithms = allowed ?? REMOTE_ALGORITHMS;
  return { source: new RemoteKeySource(location, algorithms, clock, refresh), algorithms, signer: undefined };
}

const isPlainInProduction = (url: string, production: boolean): boolean => production && /^http:/i.test(url);

function distinct(keys: readonly VerificationKey[]): readonly VerificationKey[] {
  const names = new Set(keys.map(({ kid, algorithms }) => `${kid} ${algorithms.join()}`));
  if (names.size !== keys.length) throw new KeyRefused('holds keys that share kid and algorithm');
  return keys;
}

function staticKeys(
  keys: readonly VerificationKey[],
  allowed: readonly JwtAlgorithm[] | undefined,
): IssuerKeys {
  const served = [...new Set(keys.flatMap((key) => key.algorithms))];
  const unserved = allowed?.filter((algorithm) => !served.includes(algorithm)) ?? [];
  if (unserved.length > 0) throw new KeyRefused(`has no key for ${unserved.join(', ')}`);
  return { source: new StaticKeySource(keys), algorithms: served, signer: undefined };
}

function ownKeys(
  material: unknown,
  allowed: readonly JwtAlgorithm[] | undefined,
  clock: SecurityClock,
): IssuerKeys {
  if (material === 'managed') {
    const algorithms = allowed ?? MANAGED_ALGORITHMS;
    if (!algorithms.every((name) => MANAGED_ALGORITHMS.includes(name))) {
      throw new KeyRefused(`"managed" signs with ${MANAGED_ALGORITHMS.join(', ')} only`);
    }
    const ring = new SigningKeyRing(clock);
    return { source: ring, algorithms, signer: ring };
  }
  const privateKey =
    material === 'generate'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : readPrivateKey(material);
  const unnamed = publicHalf(privateKey, '', allowed);
  const jwk = unnamed.key.export({ format: 'jwk' });
  const kid = thumbprint(jwk);
  const [algorithm] = unnamed.algorithms;
  if (!algorithm) throw new KeyRefused('fits none of the algorithms');
  const key: VerificationKey = { ...unnamed, kid, algorithms: [algorithm] };
  const publicJwk = Object.freeze({ ...jwk, kid, alg: algorithm, use: 'sig' });
  return {
    source: new StaticKeySource([key]),
    algorithms: [algorithm],
    signer: singleSigningKey({ privateKey, kid, algorithm, publicJwk }),
  };
}

const PUBLIC_KEY_FIX = 'give public keys: RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519';
const FIXES: Readonly<Record<(typeof KEY_MEMBERS)[number], string>> = {
  secret: 'make one with crypto.randomBytes(64) and keep it out of the source',
  publicKey: PUBLIC_KEY_FIX,
  jwks: PUBLIC_KEY_FIX,
  jwksFile: 'give the path of a file with a JWK Set of public keys, of up to 128 KiB',
  jwksUri: 'give the https URL of the key set; http is accepted for loopback addresses',
  signingKey:
    'give a private key (PEM, JWK or KeyObject) of RSA, EC or Ed25519, "managed" for keys that are kept in tokens.store, or "generate" for development',
};

/** Whether two option values are the same secret; equal secrets would let one issuer speak for the other. */
export function isSameSecret(one: unknown, other: unknown): boolean {
  if (one === undefined || other === undefined) return false;
  if (one instanceof KeyObject && other instanceof KeyObject) return one.equals(other);
  return Buffer.isBuffer(one) && Buffer.isBuffer(other) ? one.equals(other) : one === other;
}
