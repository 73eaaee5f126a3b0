import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

/** How failures are written. */
export interface ErrorOptions {
  /**
   * `envelope` (default): `{"error":{"code","message",…}}`, and problem details for clients whose `Accept` names
   * `application/problem+json`. `problem`: problem details (RFC 9457) for everybody.
   */
  readonly format?: 'envelope' | 'problem';
}

const KNOWN: readonly string[] = ['format'] satisfies (keyof ErrorOptions)[];

/** Reports options that are no options, or have a value that means nothing (R-CF-01). */
export function checkErrorOptions(options: ErrorOptions | undefined, problems: ConfigurationProblems): void {
  if (options === undefined) return;
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    problems.add('errors.options', 'errors', 'is no object', "give { format: 'problem' }, or leave it out");
    return;
  }
  for (const name of Object.keys(options)) {
    if (!KNOWN.includes(name))
      problems.add('errors.unknown', `errors.${name}`, 'is not an option', `use ${KNOWN.join(', ')}`);
  }
  const format: unknown = options.format;
  if (format !== undefined && format !== 'envelope' && format !== 'problem') {
    problems.add(
      'errors.format.unknown',
      'errors.format',
      'is neither "envelope" nor "problem"',
      'use one of the two',
    );
  }
}
