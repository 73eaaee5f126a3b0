import type { ErrorDetail } from '../errors/security-error.js';

/**
 * Puts a detail's message into another language. Called for each detail of a refusal, with the language that the client likes
 * best: a tag such as `de` or `pt-BR`, `en` if it says nothing.
 */
export type DetailTranslator = (detail: ErrorDetail, language: string) => string;

const MESSAGE_LENGTH = 256;

/**
 * The same details with messages by a translator. It cannot change a path or a rule; what it returns is cut to 256 characters,
 * and where it throws or returns no text the message stays (R-IV-28).
 */
export function translated(
  details: readonly ErrorDetail[],
  translate: DetailTranslator,
  acceptLanguage: string | undefined,
): readonly ErrorDetail[] {
  const language = preferredLanguage(acceptLanguage);
  return details.map(({ path, rule, message }) => {
    const text = textOf(translate, { path, rule, message }, language);
    return { path, rule, message: text === undefined || text === '' ? message : cut(text) };
  });
}

function textOf(translate: DetailTranslator, detail: ErrorDetail, language: string): string | undefined {
  try {
    const text: unknown = translate(detail, language);
    // Nobody waits for it, so its failure must not end the process.
    if (text instanceof Promise) text.catch(() => undefined);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Not between the halves of a surrogate pair. */
function cut(text: string): string {
  return text.slice(0, MESSAGE_LENGTH).replace(/[\ud800-\udbff]$/, '');
}

const MAX_RANGES = 16;
const RANGE = /^([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,3})(?:;q=([01](?:\.\d{1,3})?))?$/;
const FALLBACK = 'en';

/** The best language range of `Accept-Language` (RFC 9110 §12.5.4), as it was written; `en` without one. */
export function preferredLanguage(header: string | undefined): string {
  let best = FALLBACK;
  let bestQuality = 0;
  for (const part of (header ?? '').slice(0, 512).split(',', MAX_RANGES)) {
    const [, tag, quality = '1'] = RANGE.exec(part.replaceAll(/[ \t]/g, '')) ?? [];
    if (tag === undefined || Number(quality) <= bestQuality) continue;
    best = tag;
    bestQuality = Number(quality);
  }
  return best;
}
