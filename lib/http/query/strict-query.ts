import { SecurityError } from '../../errors/security-error.js';
import { composed, hasRefusedText } from '../json/text-rules.js';

/** Values by parameter name, in their order; an object without prototype. */
export type QueryEntries = Readonly<Record<string, readonly string[]>>;

const MAX_PARAMETERS = 100;
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads a query in linear time. Names are names: brackets and dots mean nothing. What is not valid percent-encoded UTF-8,
 * holds controls or non-characters, or names `__proto__` and its like is refused (R-IV-06, R-IV-18).
 *
 * @param rawQuery what stands behind the `?`
 * @throws SecurityError `MALFORMED_REQUEST`
 */
export function readQuery(rawQuery: string): QueryEntries {
  const entries = Object.create(null) as Record<string, string[]>;
  if (rawQuery === '') return entries;
  const pairs = rawQuery.split('&');
  if (pairs.length > MAX_PARAMETERS) throw malformed('query.parameters');
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1));
    if (FORBIDDEN.has(name)) throw malformed('query.name');
    const known = entries[name];
    if (known) known.push(value);
    else entries[name] = [value];
  }
  return entries;
}

function decode(text: string): string {
  let decoded = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (decoded.includes('%')) {
    try {
      decoded = decodeURIComponent(decoded);
    } catch {
      throw malformed('query.encoding');
    }
  }
  if (hasRefusedText(decoded)) throw malformed('query.text');
  const normal = composed(decoded);
  if (normal === undefined) throw malformed('query.text');
  return normal;
}

function malformed(reason: string): SecurityError {
  return new SecurityError('MALFORMED_REQUEST', 'The query is malformed', { reason });
}
