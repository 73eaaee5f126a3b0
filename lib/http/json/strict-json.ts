import * as buffer from 'node:buffer';

import { SecurityError } from '../../errors/security-error.js';
import { ByteScanner } from './byte-scanner.js';
import type { JsonLimits } from './json-limits.js';
import { JsonRefused, JsonScanner } from './json-scanner.js';
import { composed } from './text-rules.js';

/** An application has one set of limits, and scanners their tables. */
const scanners = new WeakMap<JsonLimits, ByteScanner>();

/**
 * Parses a body as JSON and nothing else: RFC 8259 in valid UTF-8 without a byte-order mark, no member twice, no name that
 * means something to JavaScript, no number that a double would change, no control characters or lone surrogates; strings
 * come out in NFC (R-IV-04 to R-IV-08).
 *
 * @throws SecurityError `MALFORMED_REQUEST` or `PAYLOAD_TOO_COMPLEX`; the message never quotes the body
 */
export function parseStrictJson(bytes: Buffer, limits: JsonLimits): unknown {
  const ascii = buffer.isAscii(bytes);
  if (!ascii && (!buffer.isUtf8(bytes) || (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf)))
    throw malformed('encoding');
  // For ASCII the two are the same text, and this one is read without decoding.
  const text = ascii ? bytes.toString('latin1') : decoded(bytes);
  const scanner = scannerFor(limits);
  if (!scanner.scan(bytes, text, ascii)) return parseExactly(text, limits);
  const { composes, hides, negativeZero } = scanner;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return parseExactly(text, limits);
  }
  // Parts of a text in NFC are in NFC themselves, unless escapes hide what they say (UAX #15).
  const normal = !negativeZero && (!composes || (!hides && nfc(text) === text));
  return normal ? value : normalized(value);
}

/** From so many bytes on, transcoding and copying takes less time than decoding letter by letter, which is what `toString()` does. */
const LONG = 2_048;

/** The text of valid UTF-8. A Node.js without ICU cannot transcode. */
function decoded(bytes: Buffer): string {
  const { transcode } = buffer as Partial<typeof buffer>;
  return bytes.length < LONG || transcode === undefined
    ? bytes.toString()
    : transcode(bytes, 'utf8', 'utf16le').toString('utf16le');
}

/** Says what is wrong with a text, or that nothing is. */
function parseExactly(text: string, limits: JsonLimits): unknown {
  const scanner = new JsonScanner(text, limits);
  try {
    scanner.scan();
  } catch (error) {
    if (!(error instanceof JsonRefused)) throw error;
    if (error.fault === 'shape')
      throw new SecurityError('PAYLOAD_TOO_COMPLEX', 'The body is too complex', { reason: 'json.shape' });
    throw malformed(error.fault);
  }
  const value: unknown = JSON.parse(text);
  return scanner.hasWideText || scanner.hasNegativeZero ? normalized(value) : value;
}

function scannerFor(limits: JsonLimits): ByteScanner {
  let scanner = scanners.get(limits);
  if (scanner === undefined) scanners.set(limits, (scanner = new ByteScanner(limits)));
  return scanner;
}

function malformed(fault: string): SecurityError {
  return new SecurityError('MALFORMED_REQUEST', 'The body is not valid JSON', { reason: `json.${fault}` });
}

function nfc(text: string): string {
  const normal = composed(text);
  if (normal === undefined) throw malformed('string');
  return normal;
}

/** Strings and names in NFC, no negative zero. As deep as the limits allow, so recursion is safe here. */
function normalized(value: unknown): unknown {
  if (typeof value === 'string') return nfc(value);
  if (typeof value === 'number') return value === 0 ? 0 : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(normalized);
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    const key = nfc(name);
    // Two names that differ only in their normalisation are one name written twice.
    if (Object.hasOwn(result, key)) throw malformed('duplicate');
    result[key] = normalized(member);
  }
  return result;
}
