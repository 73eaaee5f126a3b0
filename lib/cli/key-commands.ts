import type { ApiKeyInfo } from '../authentication/api-key/api-key.service.js';
import { type Command, type CliValues, NotFoundError, UsageError } from './command.js';
import { columns, documentOf, linesOf, tableOf } from './key-text.js';
import { duration, expiry, metadata, number, text, texts } from './values.js';

const TEXT = { type: 'string' } as const;
const TEXTS = { type: 'string', multiple: true } as const;
const SWITCH = { type: 'boolean' } as const;

const TRAITS = {
  name: TEXT,
  scope: TEXTS,
  role: TEXTS,
  address: TEXTS,
  metadata: TEXTS,
  plan: TEXT,
  limit: TEXTS,
  'expires-in': TEXT,
  'expires-at': TEXT,
} as const;
const TRAITS_HELP = [
  '--name TEXT           for people',
  '--scope NAME          may be repeated; without any a key may do nothing that needs one',
  '--role NAME           may be repeated',
  '--address CIDR        where the key works from; may be repeated, from anywhere by default',
  '--metadata NAME=TEXT  may be repeated',
  '--plan NAME           a plan of the application',
  '--limit 100/minute    a limit of its own; may be repeated',
  '--expires-in 90d      or --expires-at 2027-01-31T12:00:00Z; never by default',
];
const DAY_MS = 86_400_000;

export const KEY_COMMANDS: Readonly<Record<string, Command>> = {
  issue: {
    summary: 'make a key, and show it this once',
    operands: [],
    options: { ...TRAITS, owner: TEXT, tenant: TEXT, environment: TEXT, prefix: TEXT },
    help: [
      '--owner ID            whose key it is',
      '--tenant ID           of the owner',
      '--environment NAME    live (default) or test',
      '--prefix TEXT         first part of the key, sk by default',
      ...TRAITS_HELP,
    ],
    run: async ({ service, values, now }) => {
      const owner = text(values, 'owner') ?? '';
      const tenant = text(values, 'tenant');
      const { name = '', scopes = [], ...traits } = traitsOf(values, now);
      const input = { owner, name, scopes, ...traits, ...(tenant !== undefined && { tenant }) };
      const { key, ...info } = await service.issue(input as Parameters<typeof service.issue>[0]);
      return issued(info, key, now);
    },
  },
  list: {
    summary: "an owner's keys, newest first",
    operands: [],
    options: { owner: TEXT, 'page-size': TEXT, after: TEXT },
    help: [
      '--owner ID            whose keys',
      '--page-size NUMBER    1 to 100, 100 by default',
      '--after ID            the `next` of the page before',
    ],
    run: async ({ service, values, now }) => {
      const owner = required(values, 'owner');
      const { keys, next } = await service.list(owner, number(values, 'page-size'), text(values, 'after'));
      const more = next === undefined ? '' : `more: --after ${next}\n`;
      return { json: { keys: keys.map(documentOf), next }, text: tableOf(keys, now) + more };
    },
  },
  get: {
    summary: 'one key, without its secret',
    operands: ['ID'],
    options: {},
    help: [],
    run: async ({ service, operands: [id = ''], now }) => shown(await service.get(id), now),
  },
  usage: {
    summary: 'how often a key was used, by day',
    operands: ['ID'],
    options: { days: TEXT },
    help: ['--days NUMBER         1 to 400, 30 by default'],
    run: async ({ service, operands: [id = ''], values }) => {
      const usage = found(await service.usage(id, number(values, 'days')));
      const rows = usage.days.map(({ day, uses }) => [day, String(uses)]);
      return { json: usage, text: columns([['DAY', 'USES'], ...rows, ['together', String(usage.uses)]]) };
    },
  },
  update: {
    summary: 'change a key',
    operands: ['ID'],
    options: { ...TRAITS, 'no-expiry': SWITCH, 'no-limits': SWITCH },
    help: [
      ...TRAITS_HELP,
      '--no-expiry           takes the expiry away',
      '--no-limits           takes plan and limits away',
    ],
    run: async ({ service, operands: [id = ''], values, now }) => {
      const changes = {
        ...traitsOf(values, now),
        ...(values['no-expiry'] === true && { expiresAt: null }),
        ...(values['no-limits'] === true && { limits: null }),
      };
      if (Object.keys(changes).length === 0) throw new UsageError('nothing to change was given');
      return shown(await service.update(id, changes as Parameters<typeof service.update>[1]), now);
    },
  },
  rotate: {
    summary: 'replace a key by a new one with the same rights, shown this once',
    operands: ['ID'],
    options: { overlap: TEXT, prefix: TEXT },
    help: ['--overlap 1h          how long the old key goes on working, not at all by default'],
    run: async ({ service, operands: [id = ''], values, now }) => {
      const overlapMs = duration(values, 'overlap');
      const { key, ...info } = await service.rotate(id, overlapMs === undefined ? {} : { overlapMs });
      return issued(info, key, now);
    },
  },
  revoke: {
    summary: 'end a key at once',
    operands: ['ID'],
    options: {},
    help: [],
    run: async ({ service, operands: [id = ''] }) => {
      const revoked = await service.revoke(id);
      // Ended before is as good: only a key that is none is a mistake.
      if (!revoked) found(await service.get(id));
      return { json: { id, revoked }, text: revoked ? `${id} is revoked\n` : `${id} was revoked before\n` };
    },
  },
  'revoke-all': {
    summary: "end all of an owner's keys at once",
    operands: [],
    options: { owner: TEXT },
    help: ['--owner ID            whose keys'],
    run: async ({ service, values }) => {
      const revoked = await service.revokeAllOf(required(values, 'owner'));
      return { json: { revoked }, text: `${revoked} revoked\n` };
    },
  },
  report: {
    summary: 'mark a key that was found somewhere as exposed',
    operands: ['ID'],
    options: { sha256: TEXT, revoke: SWITCH },
    help: ['--sha256 HEX          proof: the SHA-256 of the whole key', '--revoke              and end it'],
    run: async ({ service, operands: [id = ''], values, now }) => {
      const proof = { id, sha256: required(values, 'sha256') };
      found(await service.reportExposed(proof, { revoke: values['revoke'] === true }));
      return shown(await service.get(id), now);
    },
  },
  purge: {
    summary: 'remove keys that ended long ago, and what is known of their use',
    operands: [],
    options: { 'ended-before': TEXT },
    help: ['--ended-before 365d   how long ago'],
    run: async ({ service, values, now }) => {
      const age = duration(values, 'ended-before');
      if (age === undefined || age < DAY_MS)
        throw new UsageError('--ended-before takes a duration of 1d or more');
      let removed = 0;
      for (let some = 1; some > 0; removed += some) some = await service.purge(now - age);
      return { json: { removed }, text: `${removed} removed\n` };
    },
  },
};

/** What was said about a key; the service checks it. */
function traitsOf(values: CliValues, now: number) {
  const plan = text(values, 'plan');
  const limits = texts(values, 'limit');
  if (plan !== undefined && limits !== undefined)
    throw new UsageError('--plan and --limit exclude each other');
  const given = {
    name: text(values, 'name'),
    scopes: texts(values, 'scope'),
    roles: texts(values, 'role'),
    allowedAddresses: texts(values, 'address'),
    metadata: metadata(values),
    limits: plan ?? limits,
    expiresAt: expiry(values, now),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    -readonly [Name in keyof typeof given]?: NonNullable<(typeof given)[Name]>;
  };
}

function required(values: CliValues, name: string): string {
  const value = text(values, name);
  if (!value) throw new UsageError(`--${name} is needed`);
  return value;
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new NotFoundError('there is no such key');
  return value;
}

function shown(key: ApiKeyInfo | undefined, now: number) {
  const info = found(key);
  return { json: documentOf(info), text: linesOf(info, now) };
}

function issued(info: ApiKeyInfo, key: string, now: number) {
  return {
    json: { ...documentOf(info), key },
    text: `${linesOf(info, now)}\n${key}\n\nThis is the only time that the key is shown.\n`,
  };
}
