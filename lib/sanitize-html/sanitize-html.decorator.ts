import { type RuleOptions, textRule } from '../validation/formats/format-rule.js';
import { escapeHtml } from '../validation/sanitize/plain-text.js';
import { textTransform } from '../validation/sanitize/text-transform.js';
import { cleanerFor } from './clean-html.js';
import { compileProfile, type HtmlProfile, type HtmlProfileName } from './html-profile.js';

/** How long a field's HTML may be. */
export interface SanitizeHtmlOptions {
  /** Characters, before and after; 10 000 by default. */
  readonly maxLength?: number;
}

/**
 * The field is HTML and keeps of it what a profile allows: what runs, loads or does not belong is taken out before any rule looks at
 * it, by an allow-list on parsers for HTML, not by searching for what looks bad. What is too long is refused without being parsed
 * (R-IV-23). Put the result between tags of a page as it is, and nowhere else: in an attribute, a script or a mail's subject it is
 * not safe.
 *
 * @param profile `text`, `inline`, `article`, or one of your own
 * @throws TypeError for a profile with elements, attributes or schemes that no profile may have
 * @example
 * @SanitizeHtml('article', { maxLength: 20_000 })
 * body!: string;
 */
export function SanitizeHtml(
  profile: HtmlProfileName | HtmlProfile,
  { maxLength = 10_000 }: SanitizeHtmlOptions = {},
  rule?: RuleOptions,
): PropertyDecorator {
  const clean = cleanerFor(compileProfile(profile));
  // Too long to be parsed: the rule refuses it, and should no rule be asked it is at least harmless.
  const change = textTransform((text) => (text.length > maxLength ? escapeHtml(text) : clean(text)));
  const says = `must be HTML of at most ${maxLength} characters`;
  const check = textRule('sanitizeHtml', (text) => text.length <= maxLength, says, rule);
  return (target, property) => {
    check(target, property);
    change(target, property);
  };
}
