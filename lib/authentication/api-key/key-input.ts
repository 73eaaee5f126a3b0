import { BlockList } from 'node:net';

import { type ErrorDetail, SecurityError } from '../../errors/security-error.js';
import { addBlock } from '../../http/proxy-trust.js';
import type { ApiKeyChanges } from './api-key-store.js';
import type { KeyEnvironment } from './key-format.js';
import { type KeyLimitSpec, type KeyPlans, limitsToKeep } from './key-limits.js';

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
  /** Name of a plan of the options, or 1 to 5 limits; they take the place of the route's. */
  readonly limits?: string | readonly KeyLimitSpec[];
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

/** What may be changed about a key; `null` takes the expiry or the limits away. */
export type UpdateApiKey = Partial<Omit<KeyInput, 'expiresAt' | 'limits'>> & {
  readonly [Name in 'expiresAt' | 'limits']?: KeyInput[Name] | null;
};

/** What a check may have to know: the time in epoch milliseconds, and the plans there are. */
export interface KeyCheckContext {
  readonly now: number;
  readonly plans: KeyPlans;
}

type Check = (value: unknown, context: KeyCheckContext) => boolean;
type Field = keyof IssueApiKey;

const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/;
const MAX_ITEMS = 100;
const MAX_METADATA = 20;
/** The last time that a `Date` can show. */
const MAX_TIME = 8_640_000_000_000_000;

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
  limits: [
    (value, { plans }) => limitsToKeep(value, plans) !== undefined,
    'must be the name of a plan, or up to 5 limits such as "100/minute"',
  ],
  metadata: [isMetadata, 'must have up to 20 entries of short texts'],
  expiresAt: [
    (value, { now }) =>
      Number.isSafeInteger(value) && (value as number) > now && (value as number) <= MAX_TIME,
    'must be a time in the future',
  ],
};
const CHANGEABLE = [
  'name',
  'scopes',
  'roles',
  'allowedAddresses',
  'metadata',
  'limits',
  'expiresAt',
] as const satisfies Field[];
const EMPTIABLE: ReadonlySet<Field> = new Set(['expiresAt', 'limits']);

/**
 * Looks at what a new key shall be; the values may come straight from a client.
 * @throws SecurityError `VALIDATION_FAILED` with every problem, never with a value
 */
export function checkNewKey(input: IssueApiKey, context: KeyCheckContext): void {
  const given = (Object.keys(CHECKS) as Field[]).filter((field) => input[field] !== undefined);
  check(input, new Set<Field>([...given, 'owner', 'name', 'scopes']), context);
}

/**
 * Takes from an object what may be changed about a key and nothing else: no owner, digest or date of revocation gets in
 * with it (R-AK-15).
 * @throws SecurityError `VALIDATION_FAILED` with every problem
 */
export function checkedChanges(input: UpdateApiKey, context: KeyCheckContext): ApiKeyChanges {
  const given = CHANGEABLE.filter((field) => input[field] !== undefined);
  const emptied = given.filter((field) => EMPTIABLE.has(field) && input[field] === null);
  check(
    input,
    given.filter((field) => !emptied.includes(field)),
    context,
  );
  const changes = Object.fromEntries(given.map((field) => [field, input[field] ?? undefined]));
  if (typeof changes['limits'] === 'object')
    changes['limits'] = limitsToKeep(changes['limits'], context.plans);
  return changes;
}

function check(
  input: { readonly [Name in Field]?: unknown },
  fields: Iterable<Field>,
  context: KeyCheckContext,
): void {
  const details: ErrorDetail[] = [];
  for (const field of fields) {
    const [isGood, message] = CHECKS[field];
    if (!isGood(input[field], context))
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
