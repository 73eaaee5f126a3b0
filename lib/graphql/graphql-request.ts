import { SecurityError } from '../errors/security-error.js';
import { parseStrictJson } from '../http/json/strict-json.js';
import type { JsonLimits } from '../http/json/json-limits.js';

/** One operation as a client asks for it. */
export interface RequestedOperation {
  /** Undefined for a persisted document, which the client names otherwise. */
  readonly query: string | undefined;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Members that name a persisted document. */
const PERSISTED = ['extensions', 'documentId', 'id', 'persisted'] as const;
/** Members of a request (GraphQL over HTTP §5.1). */
const MEMBERS: ReadonlySet<string> = new Set(['query', 'operationName', 'variables', ...PERSISTED]);

/**
 * The operations of a body: one, or the batch of an array.
 *
 * @throws SecurityError `UNEXPECTED_FIELDS`, `VALIDATION_FAILED`, `MALFORMED_REQUEST`; `PAYLOAD_TOO_COMPLEX` for a longer batch
 */
export function operationsOf(body: unknown, maxBatch: number): RequestedOperation[] {
  if (!Array.isArray(body)) return [operationOf(body)];
  if (body.length > maxBatch) {
    throw new SecurityError('PAYLOAD_TOO_COMPLEX', 'The batch is too long', { reason: 'graphql.batch' });
  }
  if (body.length === 0) throw broken('', 'isNotEmpty', 'A batch must hold operations');
  return body.map(operationOf);
}

/** The operation of a query string, where `variables` and `extensions` are JSON. */
export function operationOfQuery(
  query: Readonly<Record<string, unknown>>,
  limits: JsonLimits,
): RequestedOperation {
  const json = (name: string) => {
    const text = query[name];
    return typeof text === 'string' ? parseStrictJson(Buffer.from(text), limits) : text;
  };
  return operationOf({ ...query, variables: json('variables'), extensions: json('extensions') });
}

function operationOf(value: unknown): RequestedOperation {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SecurityError('MALFORMED_REQUEST', 'The body holds no operation', { reason: 'graphql.body' });
  const unknown = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined) {
    const path = unknown.replaceAll(/[^\w.-]/g, '?').slice(0, 64);
    throw new SecurityError('UNEXPECTED_FIELDS', 'Unexpected fields in request', {
      details: [{ path, rule: 'whitelist', message: `property ${path} should not exist` }],
    });
  }
  const { query, operationName, variables, extensions } = value as Record<string, unknown>;
  if (query !== undefined && typeof query !== 'string')
    throw broken('query', 'isString', 'query must be a string');
  if (!isAbsent(operationName) && typeof operationName !== 'string')
    throw broken('operationName', 'isString', 'operationName must be a string');
  if (!isAbsent(extensions) && !isRecord(extensions))
    throw broken('extensions', 'isObject', 'extensions must be an object');
  if (!isAbsent(variables) && !isRecord(variables))
    throw broken('variables', 'isObject', 'variables must be an object');
  // Some drivers take the hash of a persisted document in its place.
  const document =
    query === '' || ((value as { persisted?: unknown }).persisted === true && !query?.includes('{'))
      ? undefined
      : query;
  if (document === undefined && PERSISTED.every((name) => isAbsent((value as Record<string, unknown>)[name])))
    throw broken('query', 'isNotEmpty', 'query must hold a document');
  return {
    query: document,
    operationName: isAbsent(operationName) || operationName === '' ? undefined : operationName,
    variables: isAbsent(variables) ? {} : variables,
  };
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What a member of a request breaks. */
export function broken(path: string, rule: string, message: string): SecurityError {
  return new SecurityError('VALIDATION_FAILED', 'The request is not valid', {
    details: [{ path, rule, message }],
  });
}
