import { BlockList } from 'node:net';

import { type ErrorDetail, SecurityError } from '../../errors/security-error.js';
import { addBlock } from '../../http/proxy-trust.js';
import type { KeyEnvironment } from './key-format.js';

/** What can be chosen about a key, and changed later. */
export interface KeyInput {
  /** For people; 1–100 characters. */
  readonly name: string;
  /** What the key may do; none means nothing (R-AK-08). At most 100, each as in RFC 6749 §3.3 and up to 128 characters. */
  readonly scopes: readonly string[];
  /** At most 100 names of up to 128 characters. */
  readonly roles?: readonly string[];
  /** CIDR blocks or addresses from which the key works; from anywhere by default. At most 100. */
  readonly allowedAddresses?: readonly string[];
  /** Up to 20 texts of the application's own: names to 64, values to 512 characters. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Epoch milliseconds, in the future. */
  readonly expiresAt?: number;
}

/** What has to be said of a new key. */
export interface IssueApiKey extends KeyInput {
  /** Whose key it is; 1–256 characters. */
  readonly owner: string;
  /** 1–256 characters. */
  readonly tenant?: string;
  /** That of the deployment by default. */
  readonly environment?: KeyEnvironment;
}

/** Changes that have been looked at. */
export type KeyChanges = { -readonly [Name in keyof KeyInput]?: KeyInput[Name] };

/** Says whether a value is good; `now` is in epoch milliseconds. */
type Check = (value: unknown, now: number) => boolean;
type Field = keyof IssueApiKey;

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;
const MAX_ITEMS = 100;
const MAX_METADATA = 20;

const text =
  (max: number): Check =>
  (value) =>
    typeof value === 'string' && value.length >= 1 && value.length <= max;
const listOf =
  (item: (value: string) => boolean): Check =>
  (value) =>
    Array.isArray(value) &&
    value.length <= MAX_ITEMS &&
    value.every((one) => typeof one === 'string' && item(one));

const CHECKS: Readonly<Record<Field, readonly [Check, string]>> = {
  owner: [text(256), 'must have 1 to 256 characters'],
  tenant: [text(256), 'must have 1 to 256 characters'],
  environment: [(value) => value === 'live' || value === 'test', 'must be "live" or "test"'],
  name: [text(100), 'must have 1 to 100 characters'],
  scopes: [listOf((scope) => SCOPE.test(scope)), 'must be up to 100 scope names'],
  roles: [listOf((role) => role.length >= 1 && role.length <= 128), 'must be up to 100 role names'],
  allowedAddresses: [
    listOf((block) => block.length <= 64 && addBlock(new BlockList(), block)),
    'must be up to 100 addresses or CIDR blocks, none of them for all addresses',
  ],
  metadata: [isMetadata, 'must have up to 20 entries of short texts'],
  expiresAt: [
    (value, now) => Number.isSafeInteger(value) && (value as number) > now,
    'must be a time in the future',
  ],
};
const CHANGEABLE = [
  'name',
  'scopes',
  'roles',
  'allowedAddresses',
  'metadata',
  'expiresAt',
] as const satisfies Field[];

/**
 * Looks at what a new key shall be; the values may come straight from a client.
 * @throws SecurityError `VALIDATION_FAILED` with every problem, never with a value
 */
export function checkNewKey(input: IssueApiKey, now: number): void {
  const given = (Object.keys(CHECKS) as Field[]).filter((field) => input[field] !== undefined);
  check(input, new Set<Field>([...given, 'owner', 'name', 'scopes']), now);
}

/**
 * Takes from an object what may be changed about a key and nothing else: no owner, digest or date of revocation gets in
 * with it (R-AK-15).
 * @throws SecurityError `VALIDATION_FAILED` with every problem
 */
export function checkedChanges(input: Partial<KeyInput>, now: number): KeyChanges {
  const given = CHANGEABLE.filter((field) => input[field] !== undefined);
  check(input, given, now);
  return Object.fromEntries(given.map((field) => [field, input[field]]));
}

function check(input: Partial<IssueApiKey>, fields: Iterable<Field>, now: number): void {
  const details: ErrorDetail[] = [];
  for (const field of fields) {
    const [isGood, message] = CHECKS[field];
    if (!isGood(input[field], now))
      details.push({ path: field, rule: 'apiKey', message: `${field} ${message}` });
  }
  if (details.length > 0) throw new SecurityError('VALIDATION_FAILED', 'Validation failed', { details });
}

function isMetadata(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return (
    entries.length <= MAX_METADATA &&
    entries.every(([name, one]) => name.length <= 64 && typeof one === 'string' && one.length <= 512)
  );
}
