import { Transform } from 'class-transformer';

import { hasPiledMarks } from '../../http/json/piled-marks.js';

/** Changes a text, and nothing that is no text. */
export type TextChange = (text: string) => string;

const known = new WeakSet<object>();

/**
 * A decorator that changes texts as they come in, one or a list of them, before any rule looks at them. Of several on a property the
 * upper one comes first. What is no text is left for the rules to refuse.
 */
export function textTransform(change: TextChange): PropertyDecorator {
  const apply = ({ value }: { value: unknown }): unknown =>
    Array.isArray(value) ? value.map((item: unknown) => changed(item, change)) : changed(value, change);
  known.add(apply);
  return Transform(apply, { toClassOnly: true });
}

function changed(value: unknown, change: TextChange): unknown {
  return typeof value === 'string' ? change(value) : value;
}

/** @internal Whether a function that `@Transform()` was given makes texts of texts: kinds and lists stay what they are. */
export function isTextTransform(transform: unknown): boolean {
  return typeof transform === 'function' && known.has(transform);
}

/**
 * Takes white space, line ends and byte order marks away from both ends of a text, as `String.prototype.trim()` does. Nothing else
 * trims: text is kept as it was sent (R-IV-08, R-IV-22).
 *
 * @example
 * @Trim()
 * @Length(1, 100)
 * name!: string;
 */
export function Trim(): PropertyDecorator {
  return textTransform((text) => text.trim());
}

/** A normalisation form of UAX #15. `NFKC` also folds compatibility forms, such as full-width letters, and loses them. */
export type UnicodeForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/**
 * Brings a text into a normalisation form of Unicode. Bodies and queries come in NFC anyway. A text with more than 30 marks on one
 * letter, which takes too long, stays as it is.
 *
 * @example
 * @NormalizeUnicode('NFKC')
 * @Identifier()
 * tag!: string;
 */
export function NormalizeUnicode(form: UnicodeForm = 'NFC'): PropertyDecorator {
  return textTransform((text) => (hasPiledMarks(text) ? text : text.normalize(form)));
}
