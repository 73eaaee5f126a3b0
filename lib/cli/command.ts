import type { ParseArgsConfig } from 'node:util';

import type { ApiKeyService } from '../authentication/api-key/api-key.service.js';
import type { ClientService } from '../authorization-server/clients/client.service.js';
import type { SqlDatabase } from '../sql/sql-database.js';

/** Where the command line stands: its environment, and where it writes. */
export interface CliContext {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/** Values of options: text, a switch, or a list where an option may be repeated. */
export type CliValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

/** What a command works with: for keys and the schema, unless it says otherwise. */
export interface CliWork<Service = ApiKeyService> {
  readonly service: Service;
  /** There for SQL stores. */
  readonly database: SqlDatabase | undefined;
  readonly values: CliValues;
  /** What stands behind the command's name, such as the id of a key. */
  readonly operands: readonly string[];
  readonly now: number;
}

/** What a command has to say: a document for `--json`, and the same for people. */
export interface CliResult {
  readonly json: unknown;
  readonly text: string;
}

/** One command, such as `keys issue`. */
export interface Command<Service = ApiKeyService> {
  readonly summary: string;
  /** Names of its operands, each of which must be given. */
  readonly operands: readonly string[];
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Lines about the options. */
  readonly help: readonly string[];
  readonly run: (work: CliWork<Service>) => Promise<CliResult>;
}

/** What was typed cannot be done: exit code 2. */
export class UsageError extends Error {}

/** There is no such key: exit code 3. */
export class NotFoundError extends Error {}

/** A command of `clients`. */
export type ClientCommand = Command<ClientService>;

/** What was opened for a command, and how to let go of it. */
export interface Opened<Service> {
  readonly service: Service;
  /** There for SQL stores. */
  readonly database: SqlDatabase | undefined;
  readonly close: () => Promise<void>;
}

/** Commands that work with the same thing. */
export interface CommandGroup<Service> {
  readonly commands: Readonly<Record<string, Command<Service>>>;
  readonly open: (values: CliValues, environment: CliContext['environment']) => Promise<Opened<Service>>;
  /** What is told when there is no such thing. */
  readonly notFound: string;
}
