import type { Quickstart } from './quickstart-process.js';

/** An answer, with its JSON body (`undefined` where there is none). */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
  readonly text: string;
}

/** A JSON document that a test looks into. */
export interface Body {
  readonly [member: string]: unknown;
}

export interface Sending {
  /** API key or bearer token, told apart by their form. */
  readonly as?: string;
  readonly json?: unknown;
  readonly headers?: Record<string, string>;
}

/** A client of one quickstart. */
export class QuickstartClient {
  constructor(readonly app: Quickstart) {}

  get(path: string, sending: Sending = {}): Promise<Answer> {
    return this.send('GET', path, sending);
  }

  post(path: string, json: unknown, sending: Sending = {}): Promise<Answer> {
    return this.send('POST', path, { ...sending, json });
  }

  async send(method: string, path: string, { as, json, headers = {} }: Sending = {}): Promise<Answer> {
    const request = fetch(this.app.url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(as !== undefined && { authorization: `${as.startsWith('sk_') ? 'Api-Key' : 'Bearer'} ${as}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    // A process that has gone says why in what it has printed.
    const response = await request.catch((cause: unknown) => {
      throw new Error(`${method} ${path} failed; the quickstart printed:\n${this.app.output()}`, { cause });
    });
    const text = await response.text();
    const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson && text !== '' ? JSON.parse(text) : undefined) as Body,
      text,
    };
  }

  /** Logs in as one of the demo users. */
  async logIn(name: 'ada' | 'bob', password = 'correct horse battery staple'): Promise<TokenPair> {
    const answer = await this.post('/auth/token', { email: `${name}@example.com`, password });
    if (answer.status !== 200) throw new Error(`login answered ${answer.status}: ${answer.text}`);
    return answer.body as unknown as TokenPair;
  }
}

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: string;
  readonly expiresIn: number;
}

/** The `error` member of an envelope. */
export function errorOf({ body }: Answer): Body {
  return body['error'] as Body;
}
