import { parseArgs } from 'node:util';

import { SecurityError } from '../errors/security-error.js';
import { type CliContext, type CliValues, type Command, NotFoundError, UsageError } from './command.js';
import { KEY_COMMANDS } from './key-commands.js';
import { openKeys } from './open-store.js';
import { SCHEMA_COMMANDS } from './schema-commands.js';

const NAME = 'nestjs-api-security';
const COMMANDS: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  keys: KEY_COMMANDS,
  schema: SCHEMA_COMMANDS,
};
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

/** The exit code of a command line: 0 done, 1 failed, 2 not understood or bad input, 3 no such key. */
export async function runCli(args: readonly string[], context: CliContext): Promise<number> {
  const [group = '', name = ''] = args;
  const command = Object.hasOwn(COMMANDS, group) ? ofName(COMMANDS[group]!, name) : undefined;
  if (command === undefined) {
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
    return await execute(command, values, positionals, context);
  } catch (error) {
    return fail(error, context);
  }
}

async function execute(
  command: Command,
  values: CliValues,
  operands: readonly string[],
  context: CliContext,
): Promise<number> {
  const { service, database, close } = await openKeys(values, context.environment);
  try {
    const { json, text } = await command.run({ service, database, values, operands, now: Date.now() });
    context.out(values['json'] === true ? `${JSON.stringify(json)}\n` : text);
    return 0;
  } finally {
    await close();
  }
}

function fail(error: unknown, { err }: CliContext): number {
  if (error instanceof NotFoundError) return tell(err, error.message, 3);
  if (error instanceof UsageError) return tell(err, error.message, 2);
  if (!(error instanceof SecurityError)) {
    return tell(err, error instanceof Error ? error.message : 'failed', 1);
  }
  const { code, extras } = error;
  if (code === 'NOT_FOUND') return tell(err, 'there is no such key', 3);
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

function parse(command: Command, args: readonly string[]): { values: CliValues; positionals: string[] } {
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

function ofName(commands: Readonly<Record<string, Command>>, name: string): Command | undefined {
  return Object.hasOwn(commands, name) ? commands[name] : undefined;
}

function usageOf(group: string, name: string, { operands }: Command): string {
  return [NAME, group, name, ...operands, '[options]'].join(' ');
}

function helpOf(group: string, name: string, command: Command): string {
  const lines = [...command.help, ...COMMON_HELP].map((line) => `  ${line}`);
  return [usageOf(group, name, command), '', command.summary, '', ...lines, ''].join('\n');
}

function overview(): string {
  const lines = Object.entries(COMMANDS).flatMap(([group, commands]) =>
    Object.entries(commands).map(([name, { summary }]) => `  ${`${group} ${name}`.padEnd(18)} ${summary}`),
  );
  return [`${NAME} COMMAND [options]`, '', ...lines, '', 'COMMAND --help tells the options.', ''].join('\n');
}
