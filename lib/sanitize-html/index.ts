export { cleanHtml } from './clean-html.js';
export type { HtmlProfile, HtmlProfileName } from './html-profile.js';
export { SanitizeHtml, type SanitizeHtmlOptions } from './sanitize-html.decorator.js';
