/** After case folding: a Latin letter, then what typefaces draw like it, be it only as a capital (`н`, whose capital is `Н`). */
const LOOK_ALIKES = [
  'aаɑα',
  'bвьƅβ',
  'cс',
  'dԁɗ',
  'eеҽε',
  'gɡց',
  'hнһհη',
  'jјϳ',
  'kкκ',
  'l1iіӏɩιǀ|',
  'mмμ',
  'nпո',
  'o0оօο',
  'pрρ',
  'qԛգ',
  'rг',
  'sѕ',
  'tтτ',
  'uսʋ',
  'vνѵ',
  'wѡԝա',
  'xхχ',
  'yуγүυ',
  'zζᴢ',
] as const;

const prototypes = new Map<string, string>();
for (const [prototype, ...others] of LOOK_ALIKES) {
  for (const other of others) prototypes.set(other, prototype!);
}

/** More than any identifier has; what compatibility forms unfold to stays short, and so do marks that have to be put in order. */
const MAX_LENGTH = 256;
const INVISIBLE = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;

/**
 * What to store beside an identifier, under a unique index, so that nobody can take a name that looks like another's: compatibility
 * forms and case are folded, invisible characters dropped, and look-alikes of Latin letters and digits made one (R-IV-09, after
 * UTS #39 §4). The table holds the common look-alikes in Latin, Cyrillic, Greek and Armenian, not all that Unicode lists. Not for
 * display, and to be computed anew after an upgrade of Node, which may bring a newer Unicode. Of a text the first 256 characters count.
 *
 * @example
 * identifierKey('АDМIN') === identifierKey('admin'); // Cyrillic А and М
 */
export function identifierKey(text: string): string {
  const visible = text.slice(0, MAX_LENGTH).normalize('NFKC').replaceAll(INVISIBLE, '');
  // By way of upper case: `ß`, `ẞ` and `SS` fold together, as do `ı` and `I`. A sigma at the end of a word is the same letter.
  const folded = visible.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ').normalize('NFKD');
  let key = '';
  for (const character of folded) key += prototypes.get(character) ?? character;
  // Two narrow letters pass for one wide letter.
  return key.replaceAll('rn', 'm').replaceAll('vv', 'w');
}
