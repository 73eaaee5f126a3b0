import { parseArgs } from 'node:util';

import type { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import type { ClientService } from '../authorization-server/clients/client.service.js';
import { SecurityError } from '../errors/security-error.js';
import { CLIENT_COMMANDS } from './client-commands.js';
import {
  type CliContext,
  type CliValues,
  type Command,
  type CommandGroup,
  NotFoundError,
  UsageError,
} from './command.js';
import { KEY_COMMANDS } from './key-commands.js';
import { openClients } from './open-clients.js';
import { openKeys } from './open-store.js';
import { SCHEMA_COMMANDS } from './schema-commands.js';

const NAME = 'nestjs-api-security';
const KEYS: CommandGroup<ApiKeyService> = {
  commands: KEY_COMMANDS,
  open: openKeys,
  notFound: 'there is no such key',
};
const CLIENTS: CommandGroup<ClientService> = {
  commands: CLIENT_COMMANDS,
  open: openClients,
  notFound: 'there is no such client',
};
/** A group gives its commands nothing but what it has opened itself. */
const GROUPS = {
  keys: KEYS,
  schema: { ...KEYS, commands: SCHEMA_COMMANDS },
  clients: CLIENTS,
} as unknown as Readonly<Record<string, CommandGroup<unknown>>>;
const COMMON = {
  store: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;
const COMMON_HELP = [
  '--store URL           postgres://, mysql://, mariadb://, file:, redis:// or rediss://;',
  '                      by default API_KEYS_URL, DATABASE_URL or REDIS_URL of the environment',
  '--json                one JSON document, and nothing else',
];

/** The exit code of a command line: 0 done, 1 failed, 2 not understood or bad input, 3 no such key or client. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const [group = '', name = ''] = args;
  const known = Object.hasOwn(GROUPS, group) ? GROUPS[group]! : undefined;
  const command = known && ofName(known.commands, name);
  if (known === undefined || command === undefined) {
    const wanted = args.length === 0 || args.includes('--help') || args.includes('-h');
    (wanted ? context.out : context.err)(overview());
    return wanted ? 0 : 2;
  }
  try {
    const { values, positionals } = parse(command, args.slice(2));
    if (values['help'] === true) {
      context.out(helpOf(group, name, command));
      return 0;
    }
    if (positionals.length !== command.operands.length) {
      throw new UsageError(`usage: ${usageOf(group, name, command)}`);
    }
    return await execute(known, command, values, positionals, context);
  } catch (error) {
    return fail(error, known, context);
  }
}

async function execute(
  { open }: CommandGroup<unknown>,
  command: Command<unknown>,
  values: CliValues,
  operands: readonly string[],
  context: CliContext,
): Promise<number> {
  const { service, database, close } = await open(values, context.environment);
  try {
    const { json, text } = await command.run({ service, database, values, operands, now: Date.now() });
    context.out(values['json'] === true ? `${JSON.stringify(json)}\n` : text);
    return 0;
  } finally {
    await close();
  }
}

function fail(error: unknown, { notFound }: CommandGroup<unknown>, { err }: CliContext): number {
  if (error instanceof NotFoundError) return tell(err, error.message, 3);
  if (error instanceof UsageError) return tell(err, error.message, 2);
  if (!(error instanceof SecurityError)) {
    return tell(err, error instanceof Error ? error.message : 'failed', 1);
  }
  const { code, extras } = error;
  if (code === 'NOT_FOUND') return tell(err, notFound, 3);
  if (code === 'VALIDATION_FAILED') {
    return tell(err, (extras.details ?? []).map(({ message }) => message).join('; '), 2);
  }
  const { cause } = extras;
  return tell(err, cause instanceof Error ? `${error.message}: ${cause.message}` : error.message, 1);
}

function tell(err: CliContext['err'], message: string, code: number): number {
  err(`${NAME}: ${message.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  return code;
}

function parse(
  command: Command<unknown>,
  args: readonly string[],
): { values: CliValues; positionals: string[] } {
  try {
    return parseArgs({
      args: [...args],
      options: { ...COMMON, ...command.options },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : 'the options are not understood');
  }
}

function ofName(
  commands: Readonly<Record<string, Command<unknown>>>,
  name: string,
): Command<unknown> | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

function usageOf(group: string, name: string, { operands }: Command<unknown>): string {
  return [NAME, group, name, ...operands, '[options]'].join(' ');
}

function helpOf(group: string, name: string, command: Command<unknown>): string {
  const lines = [...command.help, ...COMMON_HELP].map((line) => `  ${line}`);
  return [usageOf(group, name, command), '', command.summary, '', ...lines, ''].join('\n');
}

function overview(): string {
  const lines = Object.entries(GROUPS).flatMap(([group, { commands }]) =>
    Object.entries(commands).map(([name, { summary }]) => `  ${`${group} ${name}`.padEnd(22)} ${summary}`),
  );
  return [`${NAME} COMMAND [options]`, '', ...lines, '', 'COMMAND --help tells the options.', ''].join('\n');
}
