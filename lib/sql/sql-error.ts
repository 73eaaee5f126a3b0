/**
 * What a database answered, or that it did not: the driver's words and code, without its other fields, which hold the
 * statement and its values. Never quotes the password of the database.
 */
export class SqlError extends Error {
  override readonly name = 'SqlError';

  /** @param code the driver's, such as `23505` or `ECONNREFUSED` */
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

const CONFLICTS = new Set([
  // PostgreSQL: deadlock, serialization failure.
  '40P01',
  '40001',
  'ER_LOCK_DEADLOCK',
  'ER_CHECKREAD',
  'SQLITE_BUSY',
  'SQLITE_BUSY_SNAPSHOT',
  'SQLITE_BUSY_RECOVERY',
  'SQLITE_LOCKED',
]);
const NO_TABLE = new Set(['42P01', '42703', 'ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR']);
const NO_TABLE_SQLITE = /^no such (table|column)|has no column named/;

/** Whether another transaction was in the way, and nothing was done. */
export const isConflict = (error: unknown): boolean => CONFLICTS.has(codeOf(error) ?? '');

/** Whether the schema is not there, or older than this code. */
export const isMissingTable = (error: unknown): boolean =>
  NO_TABLE.has(codeOf(error) ?? '') || NO_TABLE_SQLITE.test(error instanceof Error ? error.message : '');

/** @param secrets texts that must not get out, such as the password */
export function sqlErrorOf(error: unknown, secrets: readonly string[]): SqlError {
  if (error instanceof SqlError) return error;
  const code = codeOf(error);
  if (isMissingTable(error)) {
    return new SqlError(
      'the tables of nestjs-api-security are missing or old: run `npx nestjs-api-security schema migrate`',
      code,
    );
  }
  let message = messageOf(error) || code || 'the database failed';
  for (const secret of secrets) message = message.replaceAll(secret, '***');
  return new SqlError(message, code);
}

/** Several addresses of one host fail with an error that has no message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : '';
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
