import { randomBytes } from 'node:crypto';

import type { ConfigurationProblems } from '../../configuration/configuration-problems.js';
import { KeyRefused, readSecret } from './key-material.js';
import type { ManagedAlgorithm } from './key-ring.js';
import { MemoryTokenStore } from './memory-token-store.js';
import { isRawOptions, OptionChecks } from './option-checks.js';
import { SigningKeyRing } from './signing-key-ring.js';
import type { TokenIssuer } from './token-issuer.js';
import type { TokenOptions } from './token.options.js';

/** The options of issued tokens, complete. Milliseconds, where nothing else is said. */
export interface TokenSettings {
  /** Seconds. */
  readonly accessTokenLifetime: number;
  readonly idleLifetime: number;
  readonly absoluteLifetime: number;
  readonly graceMs: number;
  readonly timeoutMs: number;
  readonly revokedWithinMs: number;
  readonly acceptsUnknown: boolean;
  readonly signingKeys: SigningKeySettings;
  readonly currentRights: TokenOptions['currentRights'];
}

/** The options of managed signing keys, complete. Milliseconds. */
export interface SigningKeySettings {
  readonly encryptionKeys: readonly Uint8Array[];
  readonly algorithm: ManagedAlgorithm;
  readonly rotateEvery: number;
  readonly publishAhead: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NAMES = [
  'accessTokenLifetime',
  'refreshIdleLifetime',
  'refreshAbsoluteLifetime',
  'refreshGrace',
  'store',
  'storeTimeout',
  'revokedWithin',
  'whenRevocationsUnknown',
  'signingKeys',
  'currentRights',
];
const KEY_NAMES = ['encryptionKey', 'algorithm', 'rotateEvery', 'publishAhead'];
const STORE_METHODS = [
  'createSession',
  'findSession',
  'rotateSession',
  'endSession',
  'endSessionsOf',
  'listSessions',
  'revoke',
  'revocationsSince',
  'keyRing',
  'replaceKeyRing',
  'purge',
];
/** What is of use for the tokens of other issuers too. */
const NAMES_FOR_ALL = ['store', 'storeTimeout', 'revokedWithin', 'whenRevocationsUnknown'];

/** Checks and completes the options of `TokenService`; `issuer` is the one with the signing key. */
export function compileTokenOptions(
  options: TokenOptions | undefined,
  issuer: TokenIssuer | undefined,
  problems: ConfigurationProblems,
): TokenSettings {
  const checks = new OptionChecks(isRawOptions(options) ? options : {}, 'tokens', 'tokens', problems);
  if (options !== undefined && !isRawOptions(options)) {
    problems.add('tokens.options.type', 'tokens', 'is no object', 'give { accessTokenLifetime, … }');
  }
  checks.onlyKnown(NAMES);
  if (!issuer && Object.keys(checks.options).some((name) => !NAMES_FOR_ALL.includes(name))) {
    problems.add(
      'tokens.signingKey.missing',
      'tokens',
      'is set, but no issuer in jwt has a signingKey',
      "give the application's own issuer one",
    );
  }
  const longest = (issuer?.maxLifetime ?? 900) * SECOND;
  const access = checks.duration(
    'accessTokenLifetime',
    Math.min(15 * MINUTE, longest),
    SECOND,
    longest,
    '1s to the maxLifetime of the issuer',
  );
  const absolute = checks.duration('refreshAbsoluteLifetime', 90 * DAY, SECOND, 365 * DAY, '1s to 365d');
  const idle = checks.duration(
    'refreshIdleLifetime',
    Math.min(14 * DAY, absolute),
    SECOND,
    absolute,
    '1s to refreshAbsoluteLifetime',
  );
  checkFunctions(checks);
  return Object.freeze({
    accessTokenLifetime: Math.floor(access / SECOND),
    idleLifetime: idle,
    absoluteLifetime: absolute,
    graceMs: checks.duration('refreshGrace', 0, 0, 10 * SECOND, '0 to 10s'),
    timeoutMs: checks.duration('storeTimeout', 5 * SECOND, 10, MINUTE, '10ms to 1m'),
    revokedWithinMs: checks.duration('revokedWithin', 5 * SECOND, SECOND, 5 * MINUTE, '1s to 5m'),
    acceptsUnknown: checks.options['whenRevocationsUnknown'] === 'accept',
    signingKeys: compileSigningKeys(checks, issuer, problems),
    currentRights: checks.options['currentRights'] as TokenOptions['currentRights'],
  });
}

function checkFunctions(checks: OptionChecks): void {
  const { store, currentRights, whenRevocationsUnknown } = checks.options;
  const has = (name: string) => typeof (store as Record<string, unknown> | null)?.[name] === 'function';
  if (store !== undefined && !STORE_METHODS.every(has)) {
    checks.report('store', 'type', 'is no TokenStore', `implement ${STORE_METHODS.join(', ')}`);
  }
  if (currentRights !== undefined && typeof currentRights !== 'function') {
    checks.report(
      'currentRights',
      'type',
      'is no function',
      'give (subject) => ({ scopes, roles }), undefined for nobody',
    );
  }
  if (![undefined, 'refuse', 'accept'].includes(whenRevocationsUnknown as string | undefined)) {
    checks.report('whenRevocationsUnknown', 'unknown', 'is none of the two', 'use "refuse" or "accept"');
  }
}

function compileSigningKeys(
  { options: { signingKeys, store } }: OptionChecks,
  issuer: TokenIssuer | undefined,
  problems: ConfigurationProblems,
): SigningKeySettings {
  const where = 'tokens.signingKeys';
  const managed = issuer?.signer instanceof SigningKeyRing;
  const checks = new OptionChecks(isRawOptions(signingKeys) ? signingKeys : {}, where, where, problems);
  if (signingKeys !== undefined && !isRawOptions(signingKeys)) {
    problems.add(`${where}.type`, where, 'is no object', 'give { encryptionKey }');
  }
  if (signingKeys !== undefined && !managed) {
    problems.add(
      `${where}.unused`,
      where,
      'is set, but the signing key is given',
      "set signingKey: 'managed'",
    );
  }
  checks.onlyKnown(KEY_NAMES);
  const rotateEvery = checks.duration('rotateEvery', 30 * DAY, HOUR, 365 * DAY, '1h to 365d');
  const publishAhead = checks.duration(
    'publishAhead',
    Math.min(DAY, rotateEvery / 2),
    0,
    rotateEvery / 2,
    '0 to half of rotateEvery',
  );
  return {
    encryptionKeys: encryptionKeysOf(
      checks,
      managed && store !== undefined && !(store instanceof MemoryTokenStore),
    ),
    algorithm: algorithmOf(checks, issuer),
    rotateEvery,
    publishAhead,
  };
}

function algorithmOf(checks: OptionChecks, issuer: TokenIssuer | undefined): ManagedAlgorithm {
  const allowed = issuer?.signer instanceof SigningKeyRing ? issuer.algorithms : undefined;
  const choices = (['ES256', 'EdDSA'] as const).filter((name) => allowed?.includes(name) ?? true);
  const { algorithm = choices[0] } = checks.options;
  const chosen = choices.find((name) => name === algorithm);
  if (chosen) return chosen;
  checks.report(
    'algorithm',
    'unknown',
    'is none that managed keys can have here',
    'use "ES256" or "EdDSA", and name it in the algorithms of the issuer if these are given',
  );
  return 'ES256';
}

function encryptionKeysOf(checks: OptionChecks, needed: boolean): readonly Uint8Array[] {
  const { encryptionKey } = checks.options;
  const fix = 'make one with crypto.randomBytes(32) and keep it where the store is not';
  if (encryptionKey === undefined || (Array.isArray(encryptionKey) && encryptionKey.length === 0)) {
    if (needed)
      checks.report('encryptionKey', 'missing', 'is missing: the keys would lie open in the store', fix);
    return [randomBytes(32)];
  }
  try {
    const list: readonly unknown[] = Array.isArray(encryptionKey) ? encryptionKey : [encryptionKey];
    return list.map((one) => readSecret(one, ['HS256']).key.export());
  } catch (error) {
    if (!(error instanceof KeyRefused)) throw error;
    checks.report(
      'encryptionKey',
      'refused',
      error.message.replace('where the algorithm needs 32', 'where 32 are needed'),
      fix,
    );
    return [randomBytes(32)];
  }
}
