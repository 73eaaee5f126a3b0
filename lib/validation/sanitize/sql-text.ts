import { SecurityError } from '../../errors/security-error.js';

/**
 * A function that turns what a client named, such as the column to sort by, into an identifier of yours, and refuses everything else.
 * Identifiers cannot be parameters, and escaping them is not tried: only what you have listed gets into SQL (R-IV-25, R-IV-20).
 *
 * @param allowed the names, or public names with the identifiers that they stand for
 * @throws SecurityError `VALIDATION_FAILED`, from the function that is returned, for any other name
 * @example
 * const orderColumn = sqlIdentifier({ name: 'users.name', joined: 'users.created_at' });
 * db.selectFrom('users').selectAll().orderBy(orderColumn(query.sort));
 */
export function sqlIdentifier<const Name extends string>(allowed: readonly Name[]): (name: string) => Name;
export function sqlIdentifier<const Column extends string>(
  allowed: Readonly<Record<string, Column>>,
): (name: string) => Column;
export function sqlIdentifier(
  allowed: readonly string[] | Readonly<Record<string, string>>,
): (name: string) => string {
  const columns = new Map(
    Array.isArray(allowed)
      ? (allowed as readonly string[]).map((name) => [name, name] as const)
      : Object.entries(allowed as Readonly<Record<string, string>>),
  );
  return (name) => {
    const column = columns.get(name);
    if (column !== undefined) return column;
    throw new SecurityError('VALIDATION_FAILED', 'This name is not known here', { reason: 'sql.identifier' });
  };
}

/**
 * A text in which the wildcards of `LIKE` stand for themselves. The result still has to be a parameter, and the statement has to
 * name the same escape character: `LIKE ? ESCAPE '\'` (R-IV-25).
 *
 * @param escape one character; a backslash by default
 * @param wildcards which characters are wildcards; `%_`, and for SQL Server `%_[`
 * @example
 * const pattern = `%${escapeLike(search)}%`;
 * sql`SELECT id FROM books WHERE title LIKE ${pattern} ESCAPE '\\'`;
 */
export function escapeLike(text: string, escape = '\\', wildcards = '%_'): string {
  let escaped = '';
  for (const character of text) {
    escaped += character === escape || wildcards.includes(character) ? escape + character : character;
  }
  return escaped;
}
