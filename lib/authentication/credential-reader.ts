import type { PresentedCredential } from '../http/request-state.js';

/** A credential that breaks the grammar, or one of several (R-AU-04, R-AU-05). */
export interface MalformedCredential {
  readonly reason:
    | 'credential.repeated'
    | 'credential.several'
    | 'credential.grammar'
    | 'credential.too-long';
}

/** Nothing longer is looked at: characters of a field value, and of the credential in it. */
const MAX_VALUE = 16_384;
const MAX_CREDENTIAL = 8_192;

const REPEATED: MalformedCredential = Object.freeze({ reason: 'credential.repeated' });
const SEVERAL: MalformedCredential = Object.freeze({ reason: 'credential.several' });
const GRAMMAR: MalformedCredential = Object.freeze({ reason: 'credential.grammar' });
const TOO_LONG: MalformedCredential = Object.freeze({ reason: 'credential.too-long' });

/** Tells the two apart. */
export function isMalformedCredential(
  credential: PresentedCredential | MalformedCredential,
): credential is MalformedCredential {
  return 'reason' in credential;
}

/**
 * Reads the one credential of a request from its raw header lines, in linear time: Node's own `headers` hide a
 * second `Authorization` line and join `X-API-Key` lines (R-AU-04). Unknown schemes are read too: what to do with them is
 * the caller's business (R-AU-07).
 *
 * @param rawHeaders names and values in turn, as `IncomingMessage.rawHeaders`
 * @param apiKeyHeader whether `X-API-Key` carries a key
 * @returns undefined if nothing was sent
 */
export function readCredential(
  rawHeaders: readonly string[],
  apiKeyHeader: boolean,
): PresentedCredential | MalformedCredential | undefined {
  let authorization: string | undefined;
  let apiKey: string | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    // Lengths rule out nearly every other header before any letter is compared.
    if (name.length === 13) {
      if (name !== 'authorization' && name !== 'Authorization' && name.toLowerCase() !== 'authorization')
        continue;
      if (authorization !== undefined) return REPEATED;
      authorization = rawHeaders[i + 1]!;
    } else if (apiKeyHeader && name.length === 9) {
      if (name !== 'x-api-key' && name !== 'X-API-Key' && name.toLowerCase() !== 'x-api-key') continue;
      if (apiKey !== undefined) return REPEATED;
      apiKey = rawHeaders[i + 1]!;
    }
  }
  if (authorization !== undefined) return apiKey === undefined ? parseAuthorization(authorization) : SEVERAL;
  if (apiKey === undefined) return undefined;
  if (apiKey.length > MAX_CREDENTIAL) return TOO_LONG;
  return isToken68(apiKey, 0) ? { scheme: 'api-key', value: apiKey } : GRAMMAR;
}

/** `scheme 1*SP token68`, and nothing after it (RFC 9110 §11.4). */
function parseAuthorization(value: string): PresentedCredential | MalformedCredential {
  if (value.length > MAX_VALUE) return TOO_LONG;
  const space = value.indexOf(' ');
  if (space <= 0 || !isSchemeName(value, space)) return GRAMMAR;
  let start = space + 1;
  while (value.charCodeAt(start) === 0x20) start++;
  if (value.length - start > MAX_CREDENTIAL) return TOO_LONG;
  if (!isToken68(value, start)) return GRAMMAR;
  return { scheme: lowerScheme(value.slice(0, space)), value: value.slice(start) };
}

function lowerScheme(name: string): string {
  if (name === 'Bearer' || name === 'bearer') return 'bearer';
  if (name === 'Api-Key' || name === 'api-key') return 'api-key';
  return name.toLowerCase();
}

function isSchemeName(value: string, end: number): boolean {
  if (end > 32) return false;
  for (let i = 0; i < end; i++) {
    const code = value.charCodeAt(i);
    if (!isAlphanumeric(code) && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }
  return true;
}

/** `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="` from `start` to the end. */
function isToken68(value: string, start: number): boolean {
  let end = value.length;
  while (end > start && value.charCodeAt(end - 1) === 0x3d) end--;
  if (end === start) return false;
  for (let i = start; i < end; i++) if (!TOKEN68[value.charCodeAt(i)]) return false;
  return true;
}

function isAlphanumeric(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a);
}

const TOKEN68 = new Uint8Array(256).map((_, code) =>
  isAlphanumeric(code) || '-._~+/'.includes(String.fromCharCode(code)) ? 1 : 0,
);
