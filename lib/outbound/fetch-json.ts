import { isUtf8 } from 'node:buffer';
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { request as requestPlain, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';

import { isPublicAddress } from './public-address.js';

/** What may become of a request to somebody else's server. */
export interface OutboundLimits {
  /** From the start to the last byte; milliseconds. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
  readonly accept: string;
  /** Whether the server may stand in a private network, or on this machine. */
  readonly allowsPrivate: boolean;
}

/** A JSON document, and for how long its server says that it may be kept. */
export interface FetchedJson {
  readonly json: unknown;
  /** `max-age` in milliseconds; `undefined` if nothing was said. */
  readonly maxAgeMs: number | undefined;
}

/** Why there is no document, in words without the URL. */
export class OutboundFailure extends Error {
  constructor(
    message: string,
    /** With which the server answered, if it did. */
    readonly status?: number,
  ) {
    super(message);
  }
}

/**
 * Gets a JSON document, and nothing else: no redirect is followed, no cookie or credential sent, the name is resolved once and
 * the address that was looked at is the one that is connected to (R-OA-02, R-IN-01).
 *
 * @throws OutboundFailure
 */
export async function fetchJson(url: URL, limits: OutboundLimits): Promise<FetchedJson> {
  const { text, maxAgeMs } = await fetchText(url, limits);
  try {
    return { json: JSON.parse(text) as unknown, maxAgeMs };
  } catch {
    throw new OutboundFailure('the answer is no JSON');
  }
}

/** What is sent beyond a plain GET. */
export interface OutboundContent {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The text of a document, or of the answer to a POST, within the same bounds.
 *
 * @throws OutboundFailure
 */
export async function fetchText(
  url: URL,
  limits: OutboundLimits,
  content?: OutboundContent,
): Promise<{ readonly text: string; readonly maxAgeMs: number | undefined }> {
  const timeoutMs = Math.ceil(limits.timeoutMs);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await ask(url, limits, signal, content);
    const text = await read(response, limits.maxBytes);
    return { text, maxAgeMs: maxAgeOf(response.headers['cache-control']) };
  } catch (error) {
    if (signal.aborted) throw new OutboundFailure(`no answer within ${timeoutMs} ms`);
    if (error instanceof OutboundFailure) throw error;
    throw new OutboundFailure((error as NodeJS.ErrnoException).code ?? 'the connection failed');
  }
}

function ask(
  url: URL,
  { accept, allowsPrivate }: OutboundLimits,
  signal: AbortSignal,
  content: OutboundContent | undefined,
): Promise<IncomingMessage> {
  // Of an address that is written out nothing is resolved.
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) && !allowsPrivate && !isPublicAddress(host))
    throw new OutboundFailure('the address is private');
  const options: RequestOptions = {
    method: content ? 'POST' : 'GET',
    headers: { ...content?.headers, accept, 'accept-encoding': 'identity' },
    agent: false,
    signal,
    ...(allowsPrivate ? {} : { lookup: publicLookup }),
  };
  return new Promise((settle, reject) => {
    const request = url.protocol === 'https:' ? requestTls(url, options) : requestPlain(url, options);
    request.on('response', settle).on('error', reject).end(content?.body);
  });
}

async function read(response: IncomingMessage, maxBytes: number): Promise<string> {
  try {
    if (response.statusCode !== 200)
      throw new OutboundFailure(`the answer is ${response.statusCode}`, response.statusCode);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new OutboundFailure(`the answer has more than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    // Decoding would put one character for all that are none, and so make one name of two.
    if (!isUtf8(bytes)) throw new OutboundFailure('the answer is no UTF-8');
    return bytes.toString('utf8');
  } finally {
    response.destroy();
  }
}

/** Node's own, but a name that leads to any private address leads nowhere. */
const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
    const [first] = error ? [] : found;
    if (!first) callback(error ?? new OutboundFailure('the name leads to no address'), '');
    else if (!found.every(({ address }) => isPublicAddress(address))) {
      callback(new OutboundFailure('the name leads to a private address'), '');
    } else if (options.all === true) callback(null, found);
    else callback(null, first.address, first.family);
  });
};

function maxAgeOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/(?:^|,)\s*no-(?:store|cache)\s*(?:,|$)/i.test(header)) return 0;
  const seconds = /(?:^|,)\s*max-age=(\d{1,9})\s*(?:,|$)/i.exec(header)?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}
