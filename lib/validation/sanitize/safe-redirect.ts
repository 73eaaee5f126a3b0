import { readUrl } from '../formats/strict-url.js';

const MAX_LENGTH = 2_048;
/** An absolute path: one slash, then anything that is in an URL's path, query and fragment and nothing that browsers rewrite. */
const PATH = /^\/(?![/\\])[\w!#$%&'()*+,\-./:;=?@~]*$/;

/**
 * Where to send a browser that a request named a place for, or the fallback: a path of this very server, or an https URL of a host
 * that you list. `//evil.example`, `/\evil.example`, `javascript:` and everything with line ends or foreign characters, which
 * browsers read in ways of their own, leads to the fallback (R-IV-26).
 *
 * @param hosts host names that may be left for, in small letters; none by default
 * @example
 * response.redirect(safeRedirect(query.next, '/home'));
 */
export function safeRedirect(target: unknown, fallback: string, hosts: readonly string[] = []): string {
  if (typeof target !== 'string' || target.length > MAX_LENGTH) return fallback;
  if (PATH.test(target)) return isOwnPath(target) ? target : fallback;
  const parts = readUrl(target, MAX_LENGTH);
  const isListed = parts?.scheme === 'https' && parts.port === undefined && hosts.includes(parts.host);
  return isListed ? target : fallback;
}

/** Dots may lead up to a path that begins with two slashes. */
function isOwnPath(path: string): boolean {
  const base = 'https://own.invalid';
  const resolved = new URL(path, base);
  return resolved.origin === base && !resolved.pathname.startsWith('//');
}
