/** Why a redirect URI cannot be registered (RFC 9700 §2.1, RFC 8252 §7). */
export function redirectUriProblem(uri: string): string | undefined {
  if (uri.length > 2_000 || !/^[\x21-\x7e]+$/.test(uri) || !URL.canParse(uri)) return 'is no URI';
  if (uri.includes('#')) return 'has a fragment';
  if (uri.includes('*')) return 'has a wildcard';
  const { protocol, hostname, username, password } = new URL(uri);
  if (username || password) return 'names a user';
  if (protocol === 'https:') return undefined;
  if (protocol === 'http:') {
    // A name such as localhost may lead elsewhere (RFC 8252 §8.3).
    return ['127.0.0.1', '[::1]'].includes(hostname) ? undefined : 'is http, but not to 127.0.0.1 or [::1]';
  }
  // Reversed domain names: whoever uses one is likely to own it (RFC 8252 §7.1). It rules out javascript: and data: too.
  return /^[a-z][a-z0-9+-]*(?:\.[a-z0-9+-]+)+:$/.test(protocol) ? undefined : 'has a scheme without a dot';
}
