/** How much HTML there may be, before and after. */
export interface HtmlLimits {
  /** Characters; 10 000 by default. */
  readonly maxLength?: number;
  /**
   * Tags, comments and character references together, counted as the signs `<` and `&` and no-break spaces, which become references;
   * 3 000 by default. They are what takes time: so many take some milliseconds, however they are arranged.
   */
  readonly maxTags?: number;
}

const MAX_LENGTH = 10_000;
const MAX_TAGS = 3_000;
const LESS_THAN = 60;
const AMPERSAND = 38;
const NO_BREAK_SPACE = 160;

/** @internal */
export function htmlLimits({ maxLength = MAX_LENGTH, maxTags = MAX_TAGS }: HtmlLimits): Required<HtmlLimits> {
  return { maxLength, maxTags };
}

/** @internal Whether a text is within the limits. If it is not, neither is what escaping makes of it. */
export function fits(html: string, { maxLength, maxTags }: Required<HtmlLimits>): boolean {
  if (html.length > maxLength) return false;
  let tags = 0;
  for (let i = 0; i < html.length; i++) {
    const code = html.charCodeAt(i);
    if (code === LESS_THAN || code === AMPERSAND || code === NO_BREAK_SPACE) tags++;
  }
  return tags <= maxTags;
}
