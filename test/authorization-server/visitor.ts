import { createHash, randomBytes } from 'node:crypto';

import { type HttpResponse, send } from '../support/http-client.js';

/** What a browser does with pages and forms, without one: follows redirects by hand, keeps cookies, fills in forms. */
export class Visitor {
  readonly cookies = new Map<string, { value: string; path: string }>();

  constructor(
    private readonly port: number,
    private readonly issuer: string,
  ) {}

  async get(url: string): Promise<HttpResponse> {
    return this.#keep(await send(this.port, 'GET', this.#path(url), { headers: this.#headers(url) }));
  }

  /** Sends the form of a page back to where the page came from. */
  async submit(url: string, fields: Record<string, string | readonly string[]>): Promise<HttpResponse> {
    const body = new URLSearchParams(
      Object.entries(fields).flatMap(([name, values]) =>
        [values].flat().map((value): [string, string] => [name, value]),
      ),
    ).toString();
    const headers = { ...this.#headers(url), 'content-type': 'application/x-www-form-urlencoded' };
    return this.#keep(await send(this.port, 'POST', this.#path(url), { headers, body }));
  }

  /** Follows redirects as long as they stay here. @returns the page, or the redirect that leads elsewhere */
  async follow(answer: HttpResponse): Promise<{ answer: HttpResponse; url: string }> {
    let url = '';
    for (let i = 0; i < 10 && answer.status === 303; i++) {
      const target = new URL(answer.header('location') ?? '', this.issuer).href;
      if (!target.startsWith(`${this.issuer}/`)) return { answer, url: target };
      url = target;
      // The next step needs the answer of this one.
      // oxlint-disable-next-line no-await-in-loop
      answer = await this.get(target);
    }
    return { answer, url };
  }

  #headers(url: string): Record<string, string> {
    const path = this.#path(url).split('?')[0]!;
    const sent = [...this.cookies]
      .filter(([, cookie]) => path.startsWith(cookie.path))
      .map(([name, { value }]) => `${name}=${value}`);
    return { accept: 'text/html', ...(sent.length > 0 && { cookie: sent.join('; ') }) };
  }

  #path(url: string): string {
    const { pathname, search } = new URL(url, this.issuer);
    return pathname + search;
  }

  #keep(answer: HttpResponse): HttpResponse {
    for (const [name, line] of answer.rawHeaders) {
      if (name.toLowerCase() !== 'set-cookie') continue;
      const [pair = '', ...attributes] = line.split('; ');
      const [key = '', value = ''] = pair.split(/=(.*)/s);
      const path = attributes.find((one) => one.toLowerCase().startsWith('path='))?.slice(5) ?? '/';
      if (value === '') this.cookies.delete(key);
      else this.cookies.set(key, { value, path });
    }
    return answer;
  }
}

/** The hidden field of a page's form. */
export const csrfIn = (text: string): string => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? '';
/** The values of its checkboxes. */
export const scopesIn = (text: string): string[] =>
  [...text.matchAll(/name="scope" value="([^"]+)"/g)].map(([, value]) => value!);

export interface Pkce {
  readonly verifier: string;
  readonly challenge: string;
}

export function pkce(): Pkce {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

/** The address of an authorization request; parameters are changed, or left out with `undefined`. */
export function authorizeUrl(
  issuer: string,
  clientId: string,
  { challenge }: Pkce,
  changes: Record<string, string | undefined> = {},
): string {
  const all: Record<string, string | undefined> = {
    client_id: clientId,
    response_type: 'code',
    redirect_uri: 'https://app.example.test/callback',
    scope: 'users:read users:write',
    state: 'state-1',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    ...changes,
  };
  const given = Object.entries(all).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return `${issuer}/oauth/authorize?${new URLSearchParams(given).toString()}`;
}

/** Logs in and allows what is asked, or some of it. @returns the address that the answer goes to */
export async function authorize(
  visitor: Visitor,
  url: string,
  { login, password }: { readonly login: string; readonly password: string },
  allow: (scopes: readonly string[]) => readonly string[] = (scopes) => scopes,
): Promise<URL> {
  let step = await visitor.follow(await visitor.get(url));
  if (step.answer.text.includes('name="password"')) {
    const csrf = csrfIn(step.answer.text);
    step = await visitor.follow(await visitor.submit(step.url, { csrf, login, password, action: 'login' }));
  }
  if (step.answer.text.includes('name="scope"')) {
    const { text } = step.answer;
    const fields = { csrf: csrfIn(text), scope: allow(scopesIn(text)), action: 'allow' };
    step = await visitor.follow(await visitor.submit(step.url, fields));
  }
  if (step.answer.status !== 303) throw new Error(`no answer: ${step.answer.status} ${step.answer.text}`);
  return new URL(step.url);
}
