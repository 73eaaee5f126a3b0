/** Longest text that is looked at; the rest is cut, so that no input costs more than this. */
const MAX_LENGTH = 8_192;

/** A key of this module, whatever its prefix; the id may be shown, the secret not. */
const KEY = /\b([A-Za-z][A-Za-z0-9]{1,15}_(?:live|test)_[A-Za-z0-9]{1,32})_[A-Za-z0-9]{16,160}/g;
const JWT = /\beyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,8192}(?:\.[A-Za-z0-9_-]{0,8192})?/g;
const CREDENTIAL = /\b(bearer|basic|api-key|dpop)( {1,4})[A-Za-z0-9._~+/=-]{8,8192}/gi;
const NAMED =
  /\b(password|passwd|secret|token|authorization|cookie|api[_-]?key)(["']?\s{0,4}[:=]\s{0,4}["']?)[^\s"',;&]{1,512}/gi;

/** Takes secrets out of a text that is about to be logged (R-LG-03): keys, tokens, credentials, named secrets. */
export function redact(text: string): string {
  const bounded = text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
  return bounded
    .replaceAll(KEY, '$1_***')
    .replaceAll(JWT, 'eyJ***')
    .replaceAll(CREDENTIAL, '$1$2***')
    .replaceAll(NAMED, '$1$2***');
}
