import { readFileSync } from 'node:fs';

import type {
  ClientChanges,
  ClientInfo,
  ClientRegistration,
} from '../authorization-server/clients/client-registration.js';
import type { IssuedClient } from '../authorization-server/clients/client.service.js';
import { type CliResult, type CliValues, type ClientCommand, NotFoundError, UsageError } from './command.js';
import { columns, timeOf } from './key-text.js';
import { text, texts } from './values.js';

const TEXT = { type: 'string' } as const;
const TEXTS = { type: 'string', multiple: true } as const;
const SWITCH = { type: 'boolean' } as const;

const CHANGEABLE = {
  name: TEXT,
  'jwks-file': TEXT,
  'redirect-uri': TEXTS,
  scope: TEXTS,
  resource: TEXTS,
  'grant-type': TEXTS,
  origin: TEXTS,
  'resource-server': TEXT,
  verified: SWITCH,
  'dpop-bound': SWITCH,
  'pushed-requests': SWITCH,
} as const;
const CHANGEABLE_HELP = [
  '--name TEXT           shown to the people who are asked',
  '--redirect-uri URI    where answers go, exactly; may be repeated',
  '--scope NAME          the most it can ask for; may be repeated',
  '--resource URI        the APIs that it may ask tokens for; may be repeated, all by default',
  '--grant-type NAME     authorization_code, refresh_token or client_credentials; may be repeated',
  '--origin ORIGIN       of scripts that may ask for tokens; may be repeated',
  '--jwks-file PATH      public keys for private-key, a JWK Set',
  '--resource-server URI for an API that looks up tokens: the resource that it is',
  '--verified            somebody has made sure who is behind it',
  '--dpop-bound          only tokens that are bound to its key',
  '--pushed-requests     authorization requests must be pushed',
] as const;

export const CLIENT_COMMANDS: Readonly<Record<string, ClientCommand>> = {
  register: {
    summary: 'register an application with the authorization server; its secret is shown this once',
    operands: [],
    options: { ...CHANGEABLE, id: TEXT, authentication: TEXT },
    help: [
      ...CHANGEABLE_HELP,
      '--id client_NAME      made for you by default',
      '--authentication HOW  secret (default), private-key, or none for applications that can keep no secret',
    ],
    run: async ({ service, values }) => issued(await service.register(registrationOf(values))),
  },
  list: {
    summary: 'the registered applications',
    operands: [],
    options: {},
    help: [],
    run: async ({ service }) => {
      const clients = await service.list();
      const rows = clients.map((one) => [
        one.clientId,
        one.name,
        one.authentication,
        one.verified ? 'verified' : '',
        one.scopes.join(' '),
      ]);
      const head = ['ID', 'NAME', 'AUTHENTICATION', 'VERIFIED', 'SCOPES'];
      return { json: { clients }, text: clients.length === 0 ? 'no clients\n' : columns([head, ...rows]) };
    },
  },
  get: {
    summary: 'one application, without its secret',
    operands: ['ID'],
    options: {},
    help: [],
    run: async ({ service, operands: [id = ''] }) => shown(found(await service.get(id))),
  },
  update: {
    summary: 'change an application; lists take the place of those that there were',
    operands: ['ID'],
    options: { ...CHANGEABLE, unverified: SWITCH },
    help: [...CHANGEABLE_HELP, '--unverified          nobody has made sure any more'],
    run: async ({ service, values, operands: [id = ''] }) => {
      if (values['verified'] && values['unverified'])
        throw new UsageError('give --verified or --unverified, not both');
      const changes = membersIn(values, values['unverified'] === true ? false : values['verified']);
      if (Object.keys(changes).length === 0) throw new UsageError('what is to change? See --help');
      return shown(found(await service.update(id, changes as ClientChanges)));
    },
  },
  'rotate-secret': {
    summary: "replace an application's secret at once; the new one is shown this once",
    operands: ['ID'],
    options: {},
    help: [],
    run: async ({ service, operands: [id = ''] }) => {
      const client = found(await service.get(id));
      if (client.authentication !== 'secret') throw new UsageError('this client has no secret');
      return issued(found(await service.rotateSecret(id)));
    },
  },
  remove: {
    summary: 'remove an application: it gets no more tokens',
    operands: ['ID'],
    options: {},
    help: [],
    run: async ({ service, operands: [id = ''] }) => {
      found((await service.remove(id)) || undefined);
      return { json: { id, removed: true }, text: `${id} is removed\n` };
    },
  },
};

function registrationOf(values: CliValues): ClientRegistration {
  const [clientId, authentication] = [text(values, 'id'), text(values, 'authentication')];
  return {
    name: '',
    ...(clientId !== undefined && { clientId }),
    ...(authentication !== undefined && { authentication }),
    ...membersIn(values, values['verified']),
  } as ClientRegistration;
}

/** What was said of a client. */
function membersIn(values: CliValues, verified: unknown): object {
  const given = {
    name: text(values, 'name'),
    jwks: keysIn(text(values, 'jwks-file')),
    redirectUris: texts(values, 'redirect-uri'),
    scopes: texts(values, 'scope'),
    resources: texts(values, 'resource'),
    grantTypes: texts(values, 'grant-type'),
    allowedOrigins: texts(values, 'origin'),
    resourceServer: text(values, 'resource-server'),
    verified,
    dpopBound: values['dpop-bound'],
    pushedRequests: values['pushed-requests'],
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

function keysIn(path: string | undefined): unknown {
  if (path === undefined) return undefined;
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new UsageError('--jwks-file takes a file with a JWK Set');
  }
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new NotFoundError('there is no such client');
  return value;
}

function shown(client: ClientInfo): CliResult {
  const rows: readonly (readonly [string, string])[] = [
    ['id', client.clientId],
    ['name', client.name],
    ['verified', client.verified ? 'yes' : 'no'],
    ['proves itself', client.authentication],
    ['grant types', client.grantTypes.join(' ')],
    ['redirects to', client.redirectUris.join(' ')],
    ['scopes', client.scopes.join(' ')],
    ['resources', client.resources.join(' ')],
    ['looks up', client.resourceServer ?? ''],
    ['registered', timeOf(client.createdAt) ?? ''],
  ];
  return { json: client, text: columns(rows.filter(([, value]) => value !== '')) };
}

function issued(client: IssuedClient): CliResult {
  const { clientSecret, ...info } = client;
  const secret =
    clientSecret === undefined
      ? ''
      : `\n${clientSecret}\n\nThis is the only time that the secret is shown.\n`;
  return { json: client, text: shown(info).text + secret };
}
