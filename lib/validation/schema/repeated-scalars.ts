import { answerOf, type StandardSchema } from './standard-schema.js';
import { isPlain } from './undeclared-keys.js';

/**
 * The parameters that a query has several times and of which a schema makes one value, as `z.coerce.string()` makes `'a,b'` of two
 * (R-IV-18, PITFALL V12). A schema that makes a list of them, or takes them only as one, means it.
 *
 * @param input a whole query, or the value of one parameter, which has no name here
 */
export async function repeatedScalars(
  input: unknown,
  output: unknown,
  schema: StandardSchema,
): Promise<(string | undefined)[]> {
  if (Array.isArray(input)) return isScalar(output) && (await isTaken(schema, input[0])) ? [undefined] : [];
  if (!isPlain(input) || !isPlain(output)) return [];
  const repeated: string[] = [];
  for (const [name, value] of Object.entries(input)) {
    if (!Array.isArray(value) || !isScalar(output[name])) continue;
    if (await isTaken(schema, { ...input, [name]: value[0] as unknown })) repeated.push(name);
  }
  return repeated;
}

function isScalar(value: unknown): boolean {
  return value instanceof Date || (value !== undefined && value !== null && typeof value !== 'object');
}

async function isTaken(schema: StandardSchema, input: unknown): Promise<boolean> {
  return !(await answerOf(schema, input)).issues;
}
