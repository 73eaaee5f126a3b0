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

function makeStrict(schema: StandardSchema): StandardSchema {
  if (schema['~standard'].vendor !== 'arktype' || !('onDeepUndeclaredKey' in schema)) return schema;
  return (schema as unknown as DeepStrict).onDeepUndeclaredKey('reject');
}
