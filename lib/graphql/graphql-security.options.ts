import type { ConfigurationProblems } from '../configuration/configuration-problems.js';
import type { Complexity } from './operation-charges.js';

/** What `GraphqlSecurityModule.forRoot()` takes. */
export interface GraphqlSecurityOptions {
  /** Nested fields of a document; 10 by default, 1–100. */
  readonly maxDepth?: number;
  /** Aliases in a document, those of fragments wherever they are spread; 20 by default, 0–1 000. */
  readonly maxAliases?: number;
  /** Fields in a document, counted likewise; 500 by default, 1–10 000. */
  readonly maxFields?: number;
  /** Words, numbers and marks of a document; 2 000 by default, 10–10 000. */
  readonly maxTokens?: number;
  /** Operations of one request, where the driver takes several; 10 by default, 1–100. */
  readonly maxBatch?: number;
  /** Whether clients may ask for the schema; outside production by default. */
  readonly introspection?: boolean;
  /**
   * What an operation's field costs, as a factor of its limits' costs: a whole number from 1. 1 by default, so that a document or a
   * batch costs as many units as it has operations.
   */
  readonly complexity?: Complexity;
}

/** The options, complete. */
export interface GraphqlSettings extends DocumentBounds {
  readonly maxBatch: number;
  readonly complexity: Complexity | undefined;
}

/** What a document may be. */
export interface DocumentBounds {
  readonly maxDepth: number;
  readonly maxAliases: number;
  readonly maxFields: number;
  readonly maxTokens: number;
  readonly introspection: boolean;
}

type NumericOption = 'maxDepth' | 'maxAliases' | 'maxFields' | 'maxTokens' | 'maxBatch';

const BOUNDS: Readonly<Record<NumericOption, readonly [byDefault: number, least: number, most: number]>> = {
  maxDepth: [10, 1, 100],
  maxAliases: [20, 0, 1_000],
  maxFields: [500, 1, 10_000],
  maxTokens: [2_000, 10, 10_000],
  maxBatch: [10, 1, 100],
};
const KNOWN: ReadonlySet<string> = new Set([...Object.keys(BOUNDS), 'introspection', 'complexity']);

/** Fills in the defaults. */
export function completeGraphqlOptions(
  options: GraphqlSecurityOptions,
  production: boolean,
): GraphqlSettings {
  const of = (name: NumericOption) => options[name] ?? BOUNDS[name][0];
  return Object.freeze({
    maxDepth: of('maxDepth'),
    maxAliases: of('maxAliases'),
    maxFields: of('maxFields'),
    maxTokens: of('maxTokens'),
    maxBatch: of('maxBatch'),
    introspection: options.introspection ?? !production,
    complexity: options.complexity,
  });
}

/** Reports options that are no options, or have a value that means nothing (R-CF-01). */
export function checkGraphqlOptions(options: GraphqlSecurityOptions, problems: ConfigurationProblems): void {
  const where = (name: string) => `GraphqlSecurityModule ${name}`;
  for (const name of Object.keys(options)) {
    if (!KNOWN.has(name))
      problems.add('graphql.unknown-option', where(name), 'is not an option', `use ${[...KNOWN].join(', ')}`);
  }
  for (const [name, [byDefault, least, most]] of Object.entries(BOUNDS)) {
    const value = options[name as NumericOption];
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) continue;
    const fix = `leave it out for ${byDefault}`;
    problems.add('graphql.bound', where(name), `is no whole number from ${least} to ${most}`, fix);
  }
  const { introspection, complexity } = options;
  if (introspection !== undefined && typeof introspection !== 'boolean')
    problems.add('graphql.introspection', where('introspection'), 'is not true or false', 'leave it out');
  if (complexity !== undefined && typeof complexity !== 'function')
    problems.add('graphql.complexity', where('complexity'), 'is no function', 'leave it out for 1 a field');
}
