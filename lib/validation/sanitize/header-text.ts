import { SecurityError } from '../../errors/security-error.js';

/** Visible ASCII, spaces and tabs: what a field value may hold that nobody reads differently (RFC 9110 §5.5). */
const FIELD_VALUE = /^[\t -~]*$/;
const MAX_VALUE_LENGTH = 4_096;

/**
 * A text that may stand in a response header, without white space at its ends (RFC 9110 §5.5). Line ends, which would begin another
 * header, control characters and everything beyond ASCII are refused, not dropped: what was meant is no longer known (R-IV-26).
 *
 * @throws SecurityError `VALIDATION_FAILED`, also for more than 4 096 characters
 * @example
 * response.setHeader('X-Report-Name', safeHeaderValue(name));
 */
export function safeHeaderValue(text: string): string {
  if (text.length <= MAX_VALUE_LENGTH && FIELD_VALUE.test(text)) return text.trim();
  throw new SecurityError('VALIDATION_FAILED', 'The text cannot stand in a header', {
    reason: 'header.value',
  });
}

/** Bytes that file systems commonly allow. */
const MAX_NAME_BYTES = 255;
/** Parts of a path, what Windows and shells give a meaning, controls, and what hides or turns a name. */
const NAME_UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}<>:"/\\|?*]/gu;
/** Devices on Windows, whatever their extension, and with spaces before it too. */
const DEVICE = /^(?:con|prn|aux|nul|clock\$|conin\$|conout\$|com[\d¹²³]|lpt[\d¹²³])\s*(?:\.|$)/i;
/** So much of a name is looked at; of a longer one also the end, where its extension is. */
const LOOKED_AT = 1_024;
/** With its dot. */
const EXTENSION_LENGTH = 16;

/**
 * A file name that is one on every system: of a path the last part, nothing hidden (a dot first), no device of Windows, nothing that
 * turns or hides what is written, 255 bytes at most with the extension kept. To store an upload under a name of your own, such as a UUID,
 * is better still (R-IV-26).
 *
 * @param fallback what to say where nothing is left
 * @example
 * safeFileName('../../etc/passwd'); // 'passwd'
 */
export function safeFileName(text: string, fallback = 'file'): string {
  const whole = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1);
  const last = whole.length > LOOKED_AT ? whole.slice(0, LOOKED_AT) + whole.slice(-EXTENSION_LENGTH) : whole;
  const cleaned = strip(last.replaceAll(NAME_UNSAFE, ''));
  const name = strip(shorten(DEVICE.test(cleaned) ? `_${cleaned}` : cleaned));
  return name === '' ? fallback : name;
}

/** Without dots and spaces at the ends: those in front hide a file, those behind are dropped by Windows. */
function strip(name: string): string {
  let start = 0;
  let end = name.length;
  while (start < end && isDotOrSpace(name, start)) start++;
  while (end > start && isDotOrSpace(name, end - 1)) end--;
  return name.slice(start, end);
}

function isDotOrSpace(name: string, index: number): boolean {
  return name[index] === '.' || name[index]!.trim() === '';
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= EXTENSION_LENGTH ? name.slice(dot) : '';
  let room = MAX_NAME_BYTES - Buffer.byteLength(extension);
  let stem = '';
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    stem += character;
  }
  return stem + extension;
}

/**
 * A `Content-Disposition` by which a browser saves an answer under a name: `filename` in ASCII for old ones, `filename*` for the
 * others, encoded as RFC 8187 asks (RFC 6266 §4.3, R-IV-26). The name goes through {@link safeFileName}.
 *
 * @example
 * response.setHeader('Content-Disposition', contentDisposition('Übersicht "2026".pdf'));
 * // attachment; filename="_bersicht 2026.pdf"; filename*=UTF-8''%C3%9Cbersicht%202026.pdf
 */
export function contentDisposition(fileName: string, type: 'attachment' | 'inline' = 'attachment'): string {
  const name = safeFileName(fileName);
  const ascii = name.replaceAll(/[^ -~]/gu, '_').replaceAll('%', '_');
  if (ascii === name) return `${type}; filename="${name}"`;
  const encoded = encodeURIComponent(name).replaceAll(/['()*]/g, percent);
  return `${type}; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}

/** `encodeURIComponent()` leaves these alone, RFC 8187 §3.2.1 does not allow them. */
function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
