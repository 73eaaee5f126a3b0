import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

/** How failures are written. */
export interface ErrorOptions {
  /**
   * `envelope` (default): `{"error":{"code","message",…}}`, and problem details for clients whose `Accept` names
   * `application/problem+json`. `problem`: problem details (RFC 9457) for everybody.
   */
  readonly format?: 'envelope' | 'problem';
}

export function checkErrorOptions(options: ErrorOptions | undefined, problems: ConfigurationProblems): void {
  const format: unknown = options?.format;
  if (format !== undefined && format !== 'envelope' && format !== 'problem') {
    problems.add(
      'errors.format.unknown',
      'errors.format',
      'is neither "envelope" nor "problem"',
      'use one of the two',
    );
  }
}
