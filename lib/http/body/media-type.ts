import type { IncomingMessage } from 'node:http';

import { SecurityError } from '../../errors/security-error.js';

/**
 * The one media type of a request with content, in lower case, if the route accepts it (R-IV-01, R-IV-02).
 *
 * @throws SecurityError `UNSUPPORTED_MEDIA_TYPE`, with `Accept` or `Accept-Encoding` saying what would do
 */
export function checkMediaType({ headers }: IncomingMessage, accepted: readonly string[]): string {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw new SecurityError('UNSUPPORTED_MEDIA_TYPE', 'The body must not be encoded', {
      reason: 'media-type.encoding',
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
  const value = headers['content-type'];
  if (value === 'application/json' && accepted.includes(value)) return value;
  const mediaType = value === undefined ? undefined : parseMediaType(value);
  if (mediaType !== undefined && accepted.includes(mediaType)) return mediaType;
  throw new SecurityError('UNSUPPORTED_MEDIA_TYPE', 'The media type of the body is not accepted here', {
    reason: 'media-type.type',
    headers: { Accept: accepted.join(', ') },
  });
}

const MAX_LENGTH = 256;

/** `type/subtype` in lower case; undefined if the value is no single media type, or its charset is not UTF-8. */
function parseMediaType(value: string): string | undefined {
  if (value.length > MAX_LENGTH) return undefined;
  const [type = '', ...parameters] = value.toLowerCase().split(';');
  const mediaType = type.trimEnd();
  if (!/^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(mediaType)) return undefined;
  let hasCharset = false;
  for (const parameter of parameters) {
    const [name = '', text = '', ...rest] = parameter.trim().split('=');
    if (rest.length > 0 && name !== 'boundary') return undefined;
    if (!/^[a-z0-9!#$&^_.+-]+$/.test(name) || !/^(?:"[^"\\,]*"|[^\s",;]+)$/.test(text)) return undefined;
    if (name !== 'charset') continue;
    if (hasCharset || (text !== 'utf-8' && text !== '"utf-8"')) return undefined;
    hasCharset = true;
  }
  return mediaType;
}
