import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';

import type { AuthorizationServerSettings } from '../authorization-server.settings.js';
import type { Html } from './html.js';
import type { PageTheme, PageView } from './page-views.js';

const DEFAULT_ACCENT = '#0b57d0';

/** Headers of a page (R-AS-14): it shows itself and nothing else, in no frame, and is kept nowhere. */
function pageHeaders(nonce: string, formTargets: readonly string[]): Readonly<Record<string, string>> {
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `form-action ${["'self'", ...formTargets].join(' ')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ];
  return {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Security-Policy': policy.join('; '),
    'X-Frame-Options': 'DENY',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-store',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  };
}

/** A page, ready to be sent. */
export interface WrittenPage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Makes pages with what all of them share. */
export class PageWriter {
  readonly #theme: Required<PageTheme>;

  constructor({ theme, issuer }: AuthorizationServerSettings) {
    const { name = new URL(issuer).host, accent = DEFAULT_ACCENT, language = 'en' } = theme;
    this.#theme = Object.freeze({ name, accent, language });
  }

  /** @param formTargets where a form may lead beside this server */
  write(make: (view: PageView) => Html | string, formTargets: readonly string[] = []): WrittenPage {
    const nonce = randomBytes(16).toString('base64url');
    const body = String(make({ theme: this.#theme, nonce }));
    return { headers: pageHeaders(nonce, formTargets), body };
  }

  send(response: ServerResponse, status: number, { headers, body }: WrittenPage): void {
    response.statusCode = status;
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('Content-Length', Buffer.byteLength(body));
    response.end(body);
  }
}

/**
 * What a form may lead to when its answer is sent to an application. Browsers hold this against every redirect that follows,
 * those that the application makes behind its own address too: with its host alone people would be stuck on our page. IPv6
 * hosts cannot be said in a policy at all.
 */
export function formTargetsOf(redirectUri: unknown): readonly string[] {
  if (typeof redirectUri !== 'string' || !URL.canParse(redirectUri)) return [];
  const { protocol } = new URL(redirectUri);
  return protocol === 'http:' ? ['http:', 'https:'] : [protocol];
}
