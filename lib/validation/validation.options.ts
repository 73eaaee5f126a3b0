import type { ConfigurationProblems } from '../configuration/configuration-problems.js';

/** How input is validated. Limits on the shape of bodies are under `body`. */
export interface ValidationOptions {
  /**
   * A handler that takes a body, query or path object whose type cannot be validated: `refuse` (default) stops the boot,
   * `warn` only says so in the log, and the handler gets the value as it came.
   */
  readonly undeclared?: 'refuse' | 'warn';
  /** Most entries of `details` in an answer; 20 by default, 1–100. */
  readonly maxDetails?: number;
}

export function checkValidationOptions(
  options: ValidationOptions | undefined,
  problems: ConfigurationProblems,
): void {
  const { undeclared = 'refuse', maxDetails = 20 } = options ?? {};
  if (undeclared !== 'refuse' && undeclared !== 'warn') {
    problems.add(
      'validation.undeclared',
      'validation.undeclared',
      'is neither "refuse" nor "warn"',
      'use one of the two',
    );
  }
  if (!Number.isInteger(maxDetails) || maxDetails < 1 || maxDetails > 100) {
    problems.add(
      'validation.max-details',
      'validation.maxDetails',
      'is not a number from 1 to 100',
      'leave it out for 20',
    );
  }
}
