import type { IncomingMessage } from 'node:http';

import { SecurityError } from '../../errors/security-error.js';
import type { BodyEncoding } from '../body.options.js';

/** What is accepted of a request's content. */
export interface AcceptedContent {
  /** Media types, in lower case. */
  readonly types: readonly string[];
  readonly encodings: readonly BodyEncoding[];
}

/** What a request says of its content. */
export interface DeclaredContent {
  /** `type/subtype` in lower case. */
  readonly type: string;
  /** `undefined` for content as it is. */
  readonly encoding: BodyEncoding | undefined;
}

/**
 * The one media type and coding of a request with content, if the route accepts them (R-IV-01, R-IV-02).
 *
 * @throws SecurityError `UNSUPPORTED_MEDIA_TYPE`, with `Accept` or `Accept-Encoding` saying what would do
 */
export function checkContent({ headers }: IncomingMessage, accepted: AcceptedContent): DeclaredContent {
  const encoding = encodingOf(headers['content-encoding'], accepted.encodings);
  const value = headers['content-type'];
  if (value === 'application/json' && accepted.types.includes(value)) return { type: value, encoding };
  const type = value === undefined ? undefined : parseMediaType(value);
  if (type !== undefined && accepted.types.includes(type)) return { type, encoding };
  throw new SecurityError('UNSUPPORTED_MEDIA_TYPE', 'The media type of the body is not accepted here', {
    reason: 'media-type.type',
    headers: { Accept: accepted.types.join(', ') },
  });
}

function encodingOf(value: string | undefined, accepted: readonly BodyEncoding[]): BodyEncoding | undefined {
  const lower = value?.toLowerCase();
  if (lower === undefined || lower === 'identity') return undefined;
  const encoding = accepted.find((one) => one === lower);
  if (encoding !== undefined) return encoding;
  throw new SecurityError('UNSUPPORTED_MEDIA_TYPE', 'The body must not be encoded so', {
    reason: 'media-type.encoding',
    headers: { 'Accept-Encoding': [...accepted, 'identity'].join(', ') },
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
