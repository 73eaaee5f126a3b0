/**
 * A URI as proofs are compared: without query and fragment, and normalised by RFC 3986 §6.2.2 and §6.2.3, so that case of
 * scheme and host, the default port, dot segments and needless percent-encoding make no difference (R-DP-04).
 *
 * @returns undefined if it is no http(s) URI, or names a user
 */
export function normalizedTargetUri(uri: string): string | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, origin, pathname, username, password } = new URL(uri);
  if (protocol !== 'https:' && protocol !== 'http:') return undefined;
  if (username !== '' || password !== '') return undefined;
  return origin + pathname.replaceAll(/%([0-9a-f]{2})/gi, unescaped);
}

/** What needs no escape loses it; what needs one has it in capitals. */
function unescaped(escape: string, hex: string): string {
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return /[A-Za-z0-9\-._~]/.test(character) ? character : escape.toUpperCase();
}
