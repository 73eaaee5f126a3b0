import { parseFragment, serialize } from 'parse5';
import sanitizeHtml, { type IOptions } from 'sanitize-html';

import { escapeHtml } from '../validation/sanitize/plain-text.js';
import type { TextChange } from '../validation/sanitize/text-transform.js';
import { fits, type HtmlLimits, htmlLimits } from './html-limits.js';
import { compileProfile, type HtmlProfile, type HtmlProfileName } from './html-profile.js';

/** Two are enough for nearly everything, the second to see that the first was. */
const MOST_PASSES = 4;
/** What a parser would read as something else, or write differently: a text without any of it is HTML as it is. */
const MARKUP = /[<>&\r\u00a0]/;
/** A parser drops one line end there each time. */
const PRE_LINE_ENDS = /(<pre(?: [^<>]*)?>)\n+/g;

/**
 * What a profile leaves of a text, for HTML that comes from elsewhere than a field of a DTO.
 *
 * @param limits 10 000 characters and 3 000 tags by default, before and after (R-IV-23)
 * @throws TypeError for a profile with elements, attributes or schemes that no profile may have
 * @throws RangeError for HTML beyond the limits
 * @example
 * cleanHtml('<p onclick="x()">Hi<script>x()</script></p>', 'article'); // '<p>Hi</p>'
 */
export function cleanHtml(
  html: string,
  profile: HtmlProfileName | HtmlProfile,
  limits: HtmlLimits = {},
): string {
  const within = htmlLimits(limits);
  const clean = cleanerFor(compileProfile(profile), within)(html);
  if (!fits(clean, within))
    throw new RangeError(`The HTML has more than ${within.maxLength} characters or ${within.maxTags} tags`);
  return clean;
}

/**
 * @internal sanitize-html takes out what is not allowed; then parse5 reads the rest as browsers do (HTML standard §13.2), so that what
 * was judged is what they see. Until both leave it as it is: cleaning it again changes nothing, nor does parsing it. What is beyond the
 * limits, or gets there, is read no further; harmless text that is beyond them as well is then the result.
 */
export function cleanerFor(options: IOptions, limits: Required<HtmlLimits>): TextChange {
  return (html) => {
    if (!fits(html, limits)) return escapeHtml(html);
    if (!MARKUP.test(html) && !html.includes('\0')) return html;
    let before = html;
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const allowed = sanitizeHtml(before, options).replaceAll(PRE_LINE_ENDS, '$1');
      if (!fits(allowed, limits)) return escapeHtml(allowed);
      const after = serialize(parseFragment(allowed));
      if (after === before) return after;
      before = after;
    }
    return escapeHtml(before);
  };
}
