import { cleanHtml, type HtmlProfile, type HtmlProfileName } from 'nestjs-api-security/sanitize-html';
import { type DefaultTreeAdapterTypes, parse, parseFragment, serialize } from 'parse5';

type Node = DefaultTreeAdapterTypes.ChildNode;
type Element = DefaultTreeAdapterTypes.Element;

export const IMAGES: HtmlProfile = {
  elements: {
    p: ['title', 'lang'],
    img: ['src', 'alt', 'width'],
    a: ['href'],
    ul: [],
    li: [],
    details: [],
    q: ['cite'],
  },
  imageHosts: ['img.example.org'],
};
export const PROFILES: readonly (HtmlProfileName | HtmlProfile)[] = ['text', 'inline', 'article', IMAGES];
const ATTRIBUTES = new Set(['href', 'title', 'rel', 'lang', 'src', 'alt', 'width', 'cite']);

function* elementsOf(nodes: readonly Node[]): Generator<Element> {
  for (const node of nodes) {
    if (!('tagName' in node)) continue;
    yield node;
    yield* elementsOf(node.childNodes);
  }
}

/** What a browser would find in it that no profile allows. */
export function harmIn(html: string): string[] {
  const whole = parse(`<!doctype html><body>${html}`, { scriptingEnabled: true });
  const page = [...elementsOf(whole.childNodes)].slice(3);
  return [...page, ...elementsOf(parseFragment(html).childNodes)].flatMap(
    ({ tagName, namespaceURI, attrs }) => {
      const found = attrs
        .filter(
          ({ name, value }) =>
            !ATTRIBUTES.has(name) || (/^(?:href|src|cite)$/.test(name) && !isHarmlessUrl(value)),
        )
        .map(({ name, value }) => `${tagName}[${name}=${value}]`);
      if (/script|style|iframe|object|embed|form|input|svg|math|template|title|textarea/.test(tagName))
        found.push(tagName);
      if (!namespaceURI.endsWith('/xhtml')) found.push(namespaceURI);
      return found;
    },
  );
}

/** What is no URL leads nowhere. */
function isHarmlessUrl(value: string): boolean {
  const base = 'https://own.example/';
  return !URL.canParse(value, base) || ['https:', 'http:', 'mailto:'].includes(new URL(value, base).protocol);
}

/** What is wrong with what comes out. */
export function faultsOf(html: string, profile: HtmlProfileName | HtmlProfile): string[] {
  const clean = cleanHtml(html, profile);
  const faults = harmIn(clean);
  if (cleanHtml(clean, profile) !== clean) faults.push(`cleaning it again changes ${clean}`);
  if (serialize(parseFragment(clean)) !== clean) faults.push(`parsing it again changes ${clean}`);
  return faults;
}
