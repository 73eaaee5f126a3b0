import { hasRefusedText } from './json/text-rules.js';

/** Longest request target in characters (R-HP-08). */
const MAX_TARGET = 8_192;

/** Why a request target is refused; `too-long` is 414, everything else 400. */
export type TargetFault = 'too-long' | 'form' | 'percent' | 'character' | 'segment';

/**
 * Refuses targets that two parsers could read in two ways (R-HP-04, R-IV-19), before anything is routed: broken or doubled
 * percent-encoding, encoded slashes, dots and controls, backslashes, `;`, `//`, dot segments, fragments, non-ASCII.
 * One pass; nothing is normalised.
 */
export function checkRequestTarget(url: string): TargetFault | undefined {
  if (url.length > MAX_TARGET) return 'too-long';
  const start = pathStart(url);
  if (start < 0) return 'form';
  if (start === url.length) return undefined;
  let segment = start + 1;
  for (let i = start; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code === 0x3f) return isDotSegment(url, segment, i) ? 'segment' : checkQuery(url, i + 1);
    if (code === 0x2f) {
      // Also catches `//`, but for the very first slash.
      if (i > start && (i === segment || isDotSegment(url, segment, i))) return 'segment';
      segment = i + 1;
    } else if (code === 0x25) {
      const fault = checkEscape(url, i);
      if (fault) return fault;
      i += 2;
    } else if (code <= 0x20 || code >= 0x7f || code === 0x5c || code === 0x3b || code === 0x23)
      return 'character';
  }
  return isDotSegment(url, segment, url.length) ? 'segment' : undefined;
}

/** Where the path begins: origin-form, or absolute-form behind its authority; -1 for anything else. */
function pathStart(url: string): number {
  if (url.charCodeAt(0) === 0x2f) return 0;
  if (url === '*') return 1;
  const authority = /^https?:\/\/[A-Za-z0-9.-]{1,253}(?::\d{1,5})?(?=\/|\?|$)/.exec(url);
  return authority ? authority[0].length : -1;
}

function isDotSegment(url: string, from: number, to: number): boolean {
  if (url.charCodeAt(from) !== 0x2e) return false;
  return to - from === 1 || (to - from === 2 && url.charCodeAt(from + 1) === 0x2e);
}

/** In a path no escape may stand for a separator, a dot, a percent sign or a control. */
function checkEscape(url: string, at: number): TargetFault | undefined {
  const value = escapeValue(url, at);
  if (value < 0) return 'percent';
  if (value < 0x20 || value === 0x7f || value === 0x2f || value === 0x5c || value === 0x25) return 'percent';
  if (value === 0x2e || value === 0x3b) return 'percent';
  if (value < 0x80) return undefined;
  return isUtf8Escape(url, at, value) ? undefined : 'percent';
}

function checkQuery(url: string, from: number): TargetFault | undefined {
  for (let i = from; i < url.length; i++) {
    const code = url.charCodeAt(i);
    if (code === 0x25) {
      if (escapeValue(url, i) < 0) return 'percent';
      i += 2;
    } else if (code <= 0x20 || code >= 0x7f || code === 0x23) return 'character';
  }
  return undefined;
}

function escapeValue(url: string, at: number): number {
  const high = hexDigit(url.charCodeAt(at + 1));
  const low = hexDigit(url.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** A lead byte must bring its continuation bytes as escapes, and a letter that is text; a continuation byte is checked with its lead. */
function isUtf8Escape(url: string, at: number, lead: number): boolean {
  if (lead < 0xc0) return at >= 3 && url.charCodeAt(at - 3) === 0x25;
  const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
  try {
    return !hasRefusedText(decodeURIComponent(url.slice(at, at + 3 * (more + 1))));
  } catch {
    return false;
  }
}
