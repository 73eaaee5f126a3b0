import { type RuleOptions, textRule } from '../validation/formats/format-rule.js';
import { textTransform } from '../validation/sanitize/text-transform.js';
import { cleanerFor } from './clean-html.js';
import { fits, type HtmlLimits, htmlLimits } from './html-limits.js';
import { compileProfile, type HtmlProfile, type HtmlProfileName } from './html-profile.js';

/**
 * The field is HTML and keeps of it what a profile allows: what runs, loads or does not belong is taken out before any rule looks at
 * it, by an allow-list on parsers for HTML, not by searching for what looks bad. What is too long, or has too many tags, is refused
 * without being parsed (R-IV-23). Put the result between tags of a page as it is, and nowhere else: in an attribute, a script or a
 * mail's subject it is not safe.
 *
 * @param profile `text`, `inline`, `article`, or one of your own
 * @param limits 10 000 characters and 3 000 tags by default
 * @throws TypeError for a profile with elements, attributes or schemes that no profile may have
 * @example
 * @SanitizeHtml('article', { maxLength: 20_000 })
 * body!: string;
 */
export function SanitizeHtml(
  profile: HtmlProfileName | HtmlProfile,
  limits: HtmlLimits = {},
  rule?: RuleOptions,
): PropertyDecorator {
  const within = htmlLimits(limits);
  const change = textTransform(cleanerFor(compileProfile(profile), within));
  const says = `must be HTML of at most ${within.maxLength} characters and ${within.maxTags} tags`;
  const check = textRule('sanitizeHtml', (text) => fits(text, within), says, rule);
  return (target, property) => {
    check(target, property);
    change(target, property);
  };
}
