import { redact } from './redaction.js';

/** Characters of one text; more is cut, with a mark (R-LG-04). */
const MAX_TEXT = 256;

/**
 * What JSON leaves as it is, though it breaks a line, moves a terminal's cursor or turns the direction of reading: DEL and
 * C1, other line ends, bidi controls, characters without a width.
 */
const UNSAFE = /[\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** A record as one line of JSON, without secrets in its texts. */
export function logLine(record: object): string {
  const json = JSON.stringify(record, (_name, value: unknown) =>
    typeof value === 'string' ? logText(value) : value,
  );
  return json.replaceAll(UNSAFE, (char) => String.raw`\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function logText(text: string): string {
  const clean = redact(text);
  return clean.length > MAX_TEXT ? `${clean.slice(0, MAX_TEXT)}…` : clean;
}
