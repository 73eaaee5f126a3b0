import type { IncomingMessage } from 'node:http';

import { hasContent } from './content.js';

/** A request that is refused for how it is put together. */
export interface FramingFault {
  readonly status: 400 | 405 | 417 | 431;
  readonly reason: string;
}

const MAX_FIELDS = 100;
const METHODS: ReadonlySet<string | undefined> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
]);
/** Fields that stand once or not at all (R-HP-03). */
const SINGLE = [
  'Content-Type',
  'Content-Encoding',
  'Content-Length',
  'Transfer-Encoding',
  'Host',
  'Origin',
  'Expect',
  'DPoP',
];
/** A bit for each of them, in the two spellings that nearly everybody sends: other names of such lengths are brought into one. */
const BITS: ReadonlyMap<string, number> = new Map(
  SINGLE.flatMap((name, i) => [name, name.toLowerCase()].map((spelling) => [spelling, 1 << i] as const)),
);
const LENGTHS: ReadonlySet<number> = new Set(SINGLE.map(({ length }) => length));
/** What says how content is to be read: the type and the coding. */
const ABOUT_CONTENT = 0b11;
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * Checks what Node's parser lets through (R-HP-01 to R-HP-03, R-HP-05): transfer codings, repeated single fields, the host,
 * the method, the expectation. `Authorization` is left to the credential reader. A repeated `Content-Type` or `Content-Encoding` of
 * a request with content becomes one value that nobody takes for a type or coding, so that it is refused like any other that the
 * route does not accept (R-IV-01, R-IV-02).
 */
export function checkFraming(request: IncomingMessage): FramingFault | undefined {
  const { method, headers, rawHeaders } = request;
  if (!METHODS.has(method)) return { status: 405, reason: 'framing.method' };
  if (rawHeaders.length > 2 * MAX_FIELDS) return { status: 431, reason: 'framing.fields' };
  if (hasRepeatedField(request)) return { status: 400, reason: 'framing.repeated' };
  const coding = headers['transfer-encoding'];
  if (
    coding !== undefined &&
    (coding.toLowerCase() !== 'chunked' || headers['content-length'] !== undefined)
  ) {
    return { status: 400, reason: 'framing.transfer-encoding' };
  }
  const host = headers.host;
  if (host === undefined ? request.httpVersion === '1.1' : !isPlainHost(host))
    return { status: 400, reason: 'framing.host' };
  const expectation = headers.expect;
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue') {
    return { status: 417, reason: 'framing.expectation' };
  }
  return undefined;
}

function hasRepeatedField(request: IncomingMessage): boolean {
  const { rawHeaders } = request;
  let seen = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (!LENGTHS.has(name.length)) continue;
    const bit = BITS.get(name) ?? BITS.get(name.toLowerCase()) ?? 0;
    if ((seen & bit) === 0) seen |= bit;
    else if ((bit & ABOUT_CONTENT) !== 0 && hasContent(request)) joinField(request, name.toLowerCase());
    else return true;
  }
  return false;
}

/** Node keeps the first type alone; the comma in front keeps parsers from taking it for the only one. */
function joinField({ headers, rawHeaders }: IncomingMessage, name: string): void {
  const values = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name);
  headers[name] = `, ${values.join(', ')}`;
}

/** Hosts repeat from request to request: the last good one is remembered. */
let lastHost = '';

function isPlainHost(host: string): boolean {
  if (host === lastHost) return true;
  if (!HOST.test(host)) return false;
  lastHost = host;
  return true;
}
