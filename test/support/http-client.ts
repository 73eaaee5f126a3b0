import { request, type Agent, type OutgoingHttpHeaders, type RequestOptions } from 'node:http';
import { request as requestTls } from 'node:https';

export interface SendOptions {
  /** An array as a value sends the header once for each item. */
  readonly headers?: OutgoingHttpHeaders;
  /** Sent as JSON with `Content-Type: application/json`, unless `headers` has a type of its own. */
  readonly json?: unknown;
  /** Sent as it is, with no `Content-Type` of its own. */
  readonly body?: string | Buffer;
  /** One connection for each request by default. */
  readonly agent?: Agent;
  /** `127.0.0.1` by default. */
  readonly host?: string;
  /** The client's own address, such as `127.0.0.2`, to look like somebody else. */
  readonly localAddress?: string;
  /** HTTPS, without checking the server's certificate. */
  readonly tls?: boolean;
  /** Rejects after so many milliseconds without an answer; 10000 by default. */
  readonly timeoutMs?: number;
}

export interface HttpResponse<Json = unknown> {
  readonly status: number;
  /** By lower-case name; repeated ones joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** As they came: every line, in order. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
  header(name: string): string | undefined;
  readonly text: string;
  /** The parsed body; `undefined` if it is not JSON. */
  readonly json: Json;
}

/** The error envelope of every failure, for `send<ErrorEnvelope>(…)`. */
export interface ErrorEnvelope {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly retryAfter?: number;
    readonly requiredScopes?: readonly string[];
    readonly details?: readonly { readonly path: string; readonly rule: string; readonly message: string }[];
  };
}

/**
 * One HTTP request through Node's own client, on a connection of its own.
 *
 * @example
 * const { status, json } = await send<ErrorEnvelope>(port, 'POST', '/orders', { json: { evil: 1 } });
 */
export function send<Json = unknown>(
  port: number,
  method: string,
  path: string,
  options: SendOptions = {},
): Promise<HttpResponse<Json>> {
  const { json, body, localAddress, agent, host = '127.0.0.1', timeoutMs = 10_000 } = options;
  const payload = json === undefined ? body : JSON.stringify(json);
  const given = Object.keys(options.headers ?? {}).map((name) => name.toLowerCase());
  const headers: OutgoingHttpHeaders = { ...options.headers };
  if (json !== undefined && !given.includes('content-type')) headers['content-type'] = 'application/json';
  if (payload !== undefined && !given.includes('content-length') && !given.includes('transfer-encoding')) {
    headers['content-length'] = Buffer.byteLength(payload);
  }
  const requestOptions: RequestOptions & { rejectUnauthorized: boolean } = {
    host,
    port,
    method,
    path,
    headers,
    agent: agent ?? false,
    rejectUnauthorized: false,
    ...(localAddress === undefined ? {} : { localAddress }),
  };

  return new Promise((resolve, reject) => {
    const outgoing = (options.tls === true ? requestTls : request)(requestOptions, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve(toResponse<Json>(incoming.statusCode ?? 0, incoming.rawHeaders, text));
      });
    });
    outgoing.setTimeout(timeoutMs, () => {
      outgoing.destroy(new Error(`no answer to ${method} ${path} within ${String(timeoutMs)} ms`));
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

function toResponse<Json>(status: number, lines: readonly string[], text: string): HttpResponse<Json> {
  const rawHeaders: (readonly [string, string])[] = [];
  const headers: Record<string, string> = {};
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [name = '', value = ''] = [lines[i], lines[i + 1]];
    const key = name.toLowerCase();
    rawHeaders.push([name, value]);
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  return {
    status,
    headers,
    rawHeaders,
    header: (name) => headers[name.toLowerCase()],
    text,
    // The caller names the shape that it is about to check.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    json: parseJson(text) as Json,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
