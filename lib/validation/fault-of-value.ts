/**
 * Whether an error is one that JavaScript itself throws over a value that code did not expect: text that is no JSON, a member of
 * `undefined`, a date that there is not. A failed connection, or whatever an application throws on purpose, is none.
 */
export function isFaultOfValue(error: unknown): boolean {
  // `fetch()` fails by a TypeError too, and says by what.
  if (error instanceof TypeError) return error.cause === undefined;
  return error instanceof SyntaxError || error instanceof RangeError || error instanceof URIError;
}
