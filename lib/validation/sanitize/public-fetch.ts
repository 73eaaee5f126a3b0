import { type IncomingHttpHeaders, type IncomingMessage, request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';

import { OutboundFailure } from '../../outbound/fetch-json.js';
import { assertPublicUrl, type PublicUrl, type PublicUrlOptions } from './public-url.js';

/** What may become of a request to a server that somebody named. */
export interface PublicFetchOptions extends PublicUrlOptions {
  /** From the start to the last byte of the last answer; milliseconds, 10 000 by default. */
  readonly timeoutMs?: number;
  /** Bytes of the answer's body; 1 MiB by default. */
  readonly maxBytes?: number;
  /** How many redirects are followed, each judged like the first URL; none by default. */
  readonly maxRedirects?: number;
  /** Sent along, also to where a redirect leads: put no credentials here if any is followed. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a server answered. */
export interface PublicAnswer {
  /** Where the answer came from in the end. */
  readonly url: URL;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * GETs what a URL from outside leads to, within bounds of time, size and redirects, from a public server only: see
 * `assertPublicUrl()`. Sends no cookies and no credentials, asks for no compression (R-IV-27).
 *
 * @throws SecurityError `VALIDATION_FAILED` if the URL, or one that it redirects to, is not public
 * @throws Error if no whole answer comes within the bounds
 * @example
 * const { status, body } = await fetchPublicUrl(avatar.url, { hosts: ['*.example.org'], maxBytes: 200_000 });
 */
export async function fetchPublicUrl(text: string, options: PublicFetchOptions = {}): Promise<PublicAnswer> {
  const { timeoutMs = 10_000, maxBytes = 1_048_576, maxRedirects = 0, lookupTimeoutMs = 5_000 } = options;
  const judging = { ...options, lookupTimeoutMs: Math.min(lookupTimeoutMs, timeoutMs) };
  const signal = AbortSignal.timeout(timeoutMs);
  let target = text;
  for (let redirects = 0; ; redirects++) {
    const answer = await once(await assertPublicUrl(target, judging), options, maxBytes, signal);
    const { location } = answer.headers;
    const isRedirect = answer.status >= 300 && answer.status < 400 && location !== undefined;
    if (!isRedirect || maxRedirects === 0) return answer;
    if (redirects >= maxRedirects) throw new OutboundFailure('there are too many redirects');
    target = resolved(location, answer.url);
  }
}

function resolved(location: string, base: URL): string {
  try {
    return new URL(location, base).href;
  } catch {
    throw new OutboundFailure('the redirect leads nowhere');
  }
}

async function once(
  { url, agent }: PublicUrl,
  { headers }: PublicFetchOptions,
  maxBytes: number,
  signal: AbortSignal,
): Promise<PublicAnswer> {
  try {
    const response = await new Promise<IncomingMessage>((settle, reject) => {
      const request = url.protocol === 'https:' ? requestTls : requestPlain;
      const init = { agent, signal, headers: { ...headers, 'accept-encoding': 'identity' } };
      request(url, init).on('response', settle).on('error', reject).end();
    });
    const body = await read(response, maxBytes);
    return { url, status: response.statusCode ?? 0, headers: response.headers, body };
  } catch (error) {
    if (signal.aborted) throw new OutboundFailure('no whole answer came in time');
    if (error instanceof OutboundFailure) throw error;
    throw new OutboundFailure((error as NodeJS.ErrnoException).code ?? 'the connection failed');
  } finally {
    agent.destroy();
  }
}

async function read(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes) {
      response.destroy();
      throw new OutboundFailure(`the answer has more than ${maxBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
