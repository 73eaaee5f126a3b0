import type { ArgumentMetadata } from '@nestjs/common';

/** A schema of zod, valibot, arktype or any other library that speaks Standard Schema; as Nest's route decorators take it. */
export type StandardSchema = NonNullable<ArgumentMetadata['schema']>;

/** What a schema says to a value. */
export type SchemaResult = Awaited<ReturnType<StandardSchema['~standard']['validate']>>;

/** One thing that a schema finds wrong. Libraries put more in it than the standard asks for. */
export type SchemaIssue = NonNullable<SchemaResult['issues']>[number];

interface DeepStrict {
  onDeepUndeclaredKey(behavior: 'reject'): StandardSchema;
}

const strictForms = new WeakMap<StandardSchema, StandardSchema>();

/**
 * The same schema, refusing keys that it does not declare, where its library can be asked for that: arktype leaves them in
 * its output, so that nothing else would show them.
 */
export function strictForm(schema: StandardSchema): StandardSchema {
  let strict = strictForms.get(schema);
  if (strict === undefined) strictForms.set(schema, (strict = makeStrict(schema)));
  return strict;
}

interface ZodSchema extends StandardSchema {
  safeParseAsync(
    value: unknown,
  ): Promise<
    { success: true; data: unknown } | { success: false; error: { issues: readonly SchemaIssue[] } }
  >;
}

/**
 * What a schema says to a value. Of zod the standard's method tries without waiting first, and forgets the promises that come up
 * then: one that fails would end the process.
 */
export async function answerOf(schema: StandardSchema, value: unknown): Promise<SchemaResult> {
  if (!isZod(schema)) return schema['~standard'].validate(value);
  const parsed = await schema.safeParseAsync(value);
  return parsed.success ? { value: parsed.data } : { issues: parsed.error.issues };
}

function isZod(schema: StandardSchema): schema is ZodSchema {
  return schema['~standard'].vendor === 'zod' && 'safeParseAsync' in schema;
}

/** How zod and valibot keep a schema whose result a function goes on with. */
interface Piped extends StandardSchema {
  readonly _zod?: { readonly def?: { readonly type?: unknown; readonly in?: StandardSchema } };
  readonly pipe?: readonly StandardSchema[];
}

/**
 * The part of a schema that looks at the input first, before a function makes something else of the whole. The schema as it is, where
 * it does not tell.
 */
export function inputForm(schema: StandardSchema): StandardSchema {
  const { _zod: zod, pipe } = schema as Piped;
  const { vendor } = schema['~standard'];
  const isPipe = vendor === 'zod' && zod?.def?.type === 'pipe';
  const first = isPipe ? zod?.def?.in : vendor === 'valibot' ? pipe?.[0] : undefined;
  return first === undefined || first === schema ? schema : inputForm(first);
}

function makeStrict(schema: StandardSchema): StandardSchema {
  if (schema['~standard'].vendor !== 'arktype' || !('onDeepUndeclaredKey' in schema)) return schema;
  return (schema as unknown as DeepStrict).onDeepUndeclaredKey('reject');
}
