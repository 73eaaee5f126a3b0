import type { Gateway } from './gateways.js';

/** Where socket.io serves a gateway. */
export function ioPathOf({ path = '/socket.io' }: Gateway): string {
  return pathOf(path);
}

export function isAt(gateway: Gateway, path: string): boolean {
  return ioPathOf(gateway) === pathOf(path);
}

export function isUnder(path: string, root: string): boolean {
  return path === root || path.startsWith(`${root}/`);
}

/** Without its query, and without a slash at its end. */
export function pathOf(url = '/'): string {
  let path = url.split(/[?#]/, 1)[0]!;
  let end = path.length;
  while (path[end - 1] === '/') end--;
  path = path.slice(0, end);
  return path.startsWith('/') ? path : `/${path}`;
}
