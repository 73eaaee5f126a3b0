/**
 * Whether only texts of some length can match: the pattern holds from beginning to end, and repeats nothing without a number.
 * `false` where it does not show.
 */
export function isBoundedPattern({ source, multiline }: RegExp): boolean {
  if (multiline || !source.startsWith('^') || !source.endsWith('$') || source.endsWith('\\$')) return false;
  let depth = 0;
  let inClass = false;
  for (let i = 0; i < source.length; i++) {
    const character = source[i]!;
    if (character === '\\') i++;
    else if (inClass) inClass = character !== ']';
    else if (character === '[') inClass = true;
    else if (character === '(') depth++;
    else if (character === ')') depth--;
    else if (character === '*' || character === '+') return false;
    else if (character === '{' && /^\{\d+,\}/.test(source.slice(i, i + 24))) return false;
    // Each side of a choice at the top has one anchor only.
    else if (character === '|' && depth === 0) return false;
  }
  return true;
}
