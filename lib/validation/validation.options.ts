import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { DtoValidatorOptions } from './dto-validator.js';
import type { DetailTranslator } from './translation.js';

/** How input is validated. Limits on the shape of bodies are under `body`. */
export interface ValidationOptions {
  /**
   * A handler that takes a body, query or path object whose type cannot be validated: `refuse` (default) stops the boot,
   * `warn` only says so in the log, and the handler gets the value as it came.
   */
  readonly undeclared?: 'refuse' | 'warn';
  /** Most entries of `details` in an answer; 20 by default, 1–100. */
  readonly maxDetails?: number;
  /**
   * Properties of input classes that take more than they should: text without a maximum length, lists without a maximum size,
   * numbers without bounds, any value at all, names that are the server's. `warn` (default) lists them at boot, `refuse` stops
   * it, `allow` says nothing.
   */
  readonly unbounded?: 'refuse' | 'warn' | 'allow';
  /** Puts the messages of `details` into the client's language; not used by a pipe without the module. */
  readonly translate?: DetailTranslator;
  /** Status of `VALIDATION_FAILED` and `UNEXPECTED_FIELDS`; 400 by default, 422 for clients that expect that. */
  readonly status?: 400 | 422;
  /**
   * `true` by default: the decorators of each class are looked up once, at boot. `false` asks class-validator and
   * class-transformer themselves on every request, which takes longer the more classes an application has; the verdicts are
   * the same.
   */
  readonly compiled?: boolean;
}

/** Fills in how values are judged and refusals told. @param defaults for what the options leave out */
export function detailOptions(
  options: ValidationOptions,
  defaults: ValidationOptions = {},
): DtoValidatorOptions {
  return {
    maxDetails: options.maxDetails ?? defaults.maxDetails ?? 20,
    status: options.status ?? defaults.status ?? 400,
    compiled: options.compiled ?? defaults.compiled ?? true,
  };
}

const KNOWN: ReadonlySet<string> = new Set([
  'undeclared',
  'unbounded',
  'translate',
  'maxDetails',
  'status',
  'compiled',
] satisfies (keyof ValidationOptions)[]);

/** Reports every option that is unknown or has a wrong value. */
export function checkValidationOptions(
  options: ValidationOptions | undefined,
  problems: ConfigurationProblems,
): void {
  for (const name of Object.keys(options ?? {})) {
    if (KNOWN.has(name)) continue;
    problems.add(
      'validation.unknown',
      `validation.${name}`,
      'is not an option',
      `use one of ${[...KNOWN].join(', ')}`,
    );
  }
  const {
    undeclared = 'refuse',
    unbounded = 'warn',
    translate,
    maxDetails = 20,
    status = 400,
    compiled = true,
  }: { [K in keyof ValidationOptions]: unknown } = options ?? {};
  if (undeclared !== 'refuse' && undeclared !== 'warn') {
    problems.add(
      'validation.undeclared',
      'validation.undeclared',
      'is neither "refuse" nor "warn"',
      'use one of the two',
    );
  }
  if (unbounded !== 'refuse' && unbounded !== 'warn' && unbounded !== 'allow') {
    problems.add(
      'validation.unbounded-option',
      'validation.unbounded',
      'is neither "refuse" nor "warn" nor "allow"',
      'use one of the three',
    );
  }
  if (translate !== undefined && typeof translate !== 'function') {
    problems.add(
      'validation.translate',
      'validation.translate',
      'is no function',
      'give one that returns a text, or leave it out',
    );
  }
  if (status !== 400 && status !== 422) {
    problems.add('validation.status', 'validation.status', 'is neither 400 nor 422', 'leave it out for 400');
  }
  if (typeof maxDetails !== 'number' || !Number.isInteger(maxDetails) || maxDetails < 1 || maxDetails > 100) {
    problems.add(
      'validation.max-details',
      'validation.maxDetails',
      'is not a number from 1 to 100',
      'leave it out for 20',
    );
  }
  if (typeof compiled !== 'boolean') {
    problems.add(
      'validation.compiled',
      'validation.compiled',
      'is neither true nor false',
      'leave it out for true',
    );
  }
}
