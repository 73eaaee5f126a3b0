/** Parameters that only ever carry credentials. */
const CREDENTIAL_NAMES: ReadonlySet<string> = new Set([
  'access_token',
  'api_key',
  'apikey',
  'api-key',
  'x-api-key',
]);

const KEY_LIKE = /[A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_[A-Za-z0-9]{4,32}_[A-Za-z0-9]{20,160}/;
/** Words with dots between them. Each is taken whole, so that none is read twice. */
const WORDS = /[\w-]+(?:\.[\w-]+)*/g;

/** A credential found in a URL; `key` is the API key if it looks like one, for the exposure report. */
export interface CredentialInUrl {
  readonly key: string | undefined;
}

/**
 * Finds credentials in a URL, where they end up in logs and histories (R-AU-06): by the names that say so, and any value,
 * in the path too, that looks like one of our keys or a JWT. Cheap for a URL that holds neither.
 */
export function credentialInUrl(url: string): CredentialInUrl | undefined {
  const query = url.indexOf('?');
  const suspicious =
    url.includes('eyJ') ||
    url.includes('_live_') ||
    url.includes('_test_') ||
    (query >= 0 && url.includes('%', query));
  if (query < 0 && !suspicious) return undefined;
  if (suspicious) {
    const text = decoded(url);
    const key = KEY_LIKE.exec(text)?.[0];
    if (key !== undefined || holdsJwt(text)) return { key };
  }
  return query >= 0 && namesCredential(url.slice(query + 1)) ? { key: undefined } : undefined;
}

/** Three parts of base64url, the first of them the beginning of a JSON object. */
function holdsJwt(text: string): boolean {
  for (const [words] of text.matchAll(WORDS)) {
    const parts = words.split('.');
    for (let i = 0; i + 2 < parts.length; i++) {
      const start = parts[i]!.indexOf('eyJ');
      if (start < 0 || parts[i]!.length - start < 11) continue;
      if (parts[i + 1]!.length >= 8 && parts[i + 2]!.length >= 8) return true;
    }
  }
  return false;
}

function namesCredential(query: string): boolean {
  for (const pair of query.split('&', 101)) {
    const equals = pair.indexOf('=');
    const name = equals < 0 ? pair : pair.slice(0, equals);
    // The longest of the names has twelve letters; fully encoded that is thirty-six.
    if (name.length <= 36 && CREDENTIAL_NAMES.has(decoded(name).toLowerCase())) return true;
  }
  return false;
}

function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
