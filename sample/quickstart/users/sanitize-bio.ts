import sanitizeHtml from 'sanitize-html';

export const BIO_MAX_LENGTH = 5_000;

const HARMLESS: sanitizeHtml.IOptions = {
  allowedTags: ['p', 'br', 'b', 'strong', 'i', 'em', 'u', 'ul', 'ol', 'li', 'blockquote', 'code', 'a'],
  allowedAttributes: { a: ['href'] },
  allowedSchemes: ['https', 'http', 'mailto'],
  allowProtocolRelative: false,
  disallowedTagsMode: 'discard',
};

/** Keeps formatting and links, drops whatever could run. Text that is too long is left for the length rule to refuse. */
export function sanitizeBio(value: unknown): unknown {
  return typeof value === 'string' && value.length <= BIO_MAX_LENGTH ? sanitizeHtml(value, HARMLESS) : value;
}
