/** Longest text that is looked at; the rest is cut, so that no input costs more than this. */
const MAX_LENGTH = 8_192;

/** A key of this module, whatever its prefix: the id may be shown, what follows it not. */
const KEY = /((?:[A-Za-z][A-Za-z0-9]{1,15})?_(?:live|test)_[A-Za-z0-9]{1,32})_[A-Za-z0-9]+/g;
/** Keys of others that begin in the same way; an id of ours alone is shorter. */
const OTHER_KEY = /([A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_)[A-Za-z0-9]{17,}/g;
/** Words with dots between them: JWTs and refresh tokens are such. Each is taken whole, so that none is read twice. */
const WORDS = /[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)*/g;
const MIN_TOKEN = 16;
const CREDENTIAL = /\b(bearer|basic|digest|negotiate|api-key|dpop)( {1,4})[A-Za-z0-9._~+/=-]{8,}/gi;
const USER_INFO = /([A-Za-z][A-Za-z0-9+.-]{1,20}:\/\/)[^\s/]{1,512}@/g;
const PRIVATE_KEY =
  /-----BEGIN ([A-Z ]{0,30})PRIVATE KEY-----[^]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g;
/** What a header of this name holds is secret to the end of its line. */
const SECRET_LINE =
  /((?:authorization|cookie)\\{0,3}["']?[ \t]{0,4}[:=][ \t]{0,4})(?:\\{0,3}"[^"\r\n]*"?|[^\r\n]+)/gi;
/** A name that says that its value is secret, then the value: in quotes, or up to the next separator. */
const NAMED =
  /((?:password|passwd|passphrase|secret|token|credential|api[_-]?key|private[_-]?key)[\w-]{0,16}\\{0,3}["']?\s{0,4}[:=]\s{0,4})(?:\\{0,3}"[^"]*"?|'[^']*'?|[^\s"',;&]+)/gi;

/**
 * Takes secrets out of a text that is about to be logged (R-LG-03): keys, tokens, credentials, private keys, passwords in
 * URLs, and values whose name says that they are secret. Takes time in proportion to the length.
 */
export function redact(text: string): string {
  const bounded = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return bounded
    .replaceAll(PRIVATE_KEY, '-----BEGIN $1PRIVATE KEY----- ***')
    .replaceAll(USER_INFO, '$1***@')
    .replaceAll(KEY, '$1_***')
    .replaceAll(OTHER_KEY, '$1***')
    .replaceAll(WORDS, maskToken)
    .replaceAll(SECRET_LINE, '$1***')
    .replaceAll(CREDENTIAL, '$1$2***')
    .replaceAll(NAMED, '$1***');
}

/** Base64url of `{"` begins every JWT; `rt_` every refresh token. */
function maskToken(words: string): string {
  if (words.length < MIN_TOKEN) return words;
  const jwt = words.indexOf('eyJ');
  if (jwt >= 0 && words.length - jwt >= MIN_TOKEN) return `${words.slice(0, jwt)}eyJ***`;
  const refresh = words.indexOf('rt_');
  return refresh >= 0 && words.length - refresh >= 40 ? `${words.slice(0, refresh)}rt_***` : words;
}
