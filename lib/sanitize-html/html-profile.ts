import type { IOptions, Transformer } from 'sanitize-html';

/** What may be in a field's HTML; everything else is taken out, text stays. */
export interface HtmlProfile {
  /** Elements, each with the attributes that it may have. */
  readonly elements: Readonly<Record<string, readonly string[]>>;
  /** Schemes of links; `https`, `http` and `mailto` by default. */
  readonly schemes?: readonly string[];
  /** Hosts that images may come from, by https; needed if there are images, for whose server learns who looks at them. */
  readonly imageHosts?: readonly string[];
}

/** Profiles that are ready: no elements at all, formatting within a line, an article with headings and lists. */
export type HtmlProfileName = 'text' | 'inline' | 'article';

const NONE: readonly string[] = [];
const INLINE: HtmlProfile['elements'] = {
  ...without('b strong i em u s small mark sub sup code kbd q abbr br'),
  a: ['href', 'title'],
};

const PROFILES: Readonly<Record<HtmlProfileName, HtmlProfile>> = {
  text: { elements: {} },
  inline: { elements: INLINE },
  article: { elements: { ...INLINE, ...without('p h2 h3 h4 ul ol li blockquote pre hr') } },
};

function without(names: string): HtmlProfile['elements'] {
  return Object.fromEntries(names.split(' ').map((name) => [name, NONE]));
}

/**
 * Elements that a profile may have. None of them runs, loads, submits or frames anything, none is of SVG or MathML, and none is read
 * by other rules than HTML's own (`textarea`, `title`, `noscript`, `template` and the like): such are what mutates between a
 * sanitizer and a browser.
 */
const POSSIBLE: ReadonlySet<string> = new Set(
  (
    'a abbr address article aside b bdi blockquote br cite code dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 ' +
    'h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt ruby s samp section small span strong sub summary sup time u ul ' +
    'var wbr'
  ).split(' '),
);
const POSSIBLE_ATTRIBUTES: ReadonlySet<string> = new Set(
  'href title alt src width height lang dir cite datetime start reversed'.split(' '),
);
const POSSIBLE_SCHEMES: ReadonlySet<string> = new Set(['https', 'http', 'mailto', 'tel']);

/**
 * The profile as sanitize-html takes it.
 *
 * @throws TypeError for an element, attribute or scheme that no profile may have
 */
export function compileProfile(profile: HtmlProfileName | HtmlProfile): IOptions {
  const {
    elements,
    schemes = ['https', 'http', 'mailto'],
    imageHosts = [],
  } = typeof profile === 'string' ? PROFILES[profile] : profile;
  const names = Object.keys(elements);
  refuseUnknown('element', names, POSSIBLE);
  refuseUnknown('attribute', Object.values(elements).flat(), POSSIBLE_ATTRIBUTES);
  refuseUnknown('scheme', schemes, POSSIBLE_SCHEMES);
  if (names.includes('img') && imageHosts.length === 0)
    throw new TypeError('A profile with images has to name imageHosts');
  return {
    allowedTags: names,
    allowedAttributes: Object.fromEntries(names.map((name) => [name, attributesOf(name, elements[name]!)])),
    allowedSchemes: [...schemes],
    allowedSchemesByTag: { img: ['https'] },
    allowedSchemesAppliedToAttributes: ['href', 'src', 'cite'],
    allowProtocolRelative: false,
    allowVulnerableTags: false,
    allowedClasses: {},
    allowedStyles: {},
    disallowedTagsMode: 'discard',
    enforceHtmlBoundary: false,
    transformTags: { a: linkAttributes },
    exclusiveFilter: ({ tag, attribs }) => tag === 'img' && !isListed(attribs['src'], imageHosts),
    nestingLimit: 50,
  };
}

function attributesOf(element: string, attributes: readonly string[]): string[] {
  return element === 'a' ? [...attributes, 'rel'] : [...attributes];
}

/** Whoever is linked to gets no hold on the page, and no credit. A second pass sees which links lost their address. */
const linkAttributes: Transformer = (tagName, attribs) => {
  const kept = { ...attribs, rel: 'noopener noreferrer nofollow ugc' };
  if (attribs['href'] === undefined) Reflect.deleteProperty(kept, 'rel');
  return { tagName, attribs: kept };
};

function isListed(source: string | undefined, hosts: readonly string[]): boolean {
  try {
    const { protocol, hostname, username } = new URL(source ?? '');
    return protocol === 'https:' && username === '' && hosts.includes(hostname);
  } catch {
    return false;
  }
}

function refuseUnknown(what: string, names: readonly string[], possible: ReadonlySet<string>): void {
  const unknown = names.filter((name) => !possible.has(name));
  if (unknown.length > 0) throw new TypeError(`No profile may have the ${what} ${unknown.join(', ')}`);
}
