export { cleanHtml } from './clean-html.js';
export type { HtmlLimits } from './html-limits.js';
export type { HtmlProfile, HtmlProfileName } from './html-profile.js';
export { SanitizeHtml } from './sanitize-html.decorator.js';
