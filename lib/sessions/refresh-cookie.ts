import type { IncomingMessage, ServerResponse } from 'node:http';

import { SecurityError } from '../errors/security-error.js';

/** The cookie of the refresh token: the prefix makes browsers take it over HTTPS only, for this host and no other. */
export const REFRESH_COOKIE = '__Host-refresh';
/** A header that pages of other sites cannot send without being asked for by CORS; its value does not matter. */
export const CSRF_HEADER = 'X-CSRF-Protection';

const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

/** Whether the request says that it is a browser's, with the token in a cookie. */
export function saysBrowser({ headers }: IncomingMessage): boolean {
  return headers[CSRF_HEADER.toLowerCase()] !== undefined;
}

/**
 * Refuses what a page of another site may have made a browser send (R-RT-09).
 * @throws SecurityError `FORBIDDEN`
 */
export function refuseForgery(request: IncomingMessage): void {
  const refuse = (reason: string) =>
    new SecurityError('FORBIDDEN', `This needs the header ${CSRF_HEADER}, from a page of this site`, {
      reason,
    });
  if (!saysBrowser(request)) throw refuse('csrf.header');
  if (request.headers['sec-fetch-site'] === 'cross-site') throw refuse('csrf.cross-site');
}

/**
 * The refresh token of the request's cookie.
 * @throws SecurityError `INVALID_REQUEST` if there are several: one of them may have been put there by somebody else
 */
export function readCookie(request: IncomingMessage): string | undefined {
  const values: string[] = [];
  for (const pair of (request.headers.cookie ?? '').split(';')) {
    const split = pair.indexOf('=');
    if (split >= 0 && pair.slice(0, split).trim() === REFRESH_COOKIE)
      values.push(pair.slice(split + 1).trim());
  }
  if (values.length <= 1) return values[0];
  throw new SecurityError('INVALID_REQUEST', `The cookie ${REFRESH_COOKIE} must come once`, {
    reason: 'cookie.repeated',
  });
}

/** @param lifetime seconds */
export function setCookie(response: ServerResponse, refreshToken: string, lifetime: number): void {
  append(response, `${REFRESH_COOKIE}=${refreshToken}; Max-Age=${lifetime}; ${ATTRIBUTES}`);
}

/** Makes the browser forget it. */
export function clearCookie(response: ServerResponse): void {
  append(response, `${REFRESH_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`);
}

function append(response: ServerResponse, cookie: string): void {
  const present = response.getHeader('Set-Cookie') ?? [];
  response.setHeader('Set-Cookie', [...[present].flat().map(String), cookie]);
}
