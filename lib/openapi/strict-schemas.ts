import type { OpenAPIObject } from '@nestjs/swagger';

import type { Operation } from './operations.js';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;
type SchemaOrReference = Schemas[string];

const SCHEMA_REFERENCE = '#/components/schemas/';

/** Says of every schema that a request body reaches that it takes no further fields, as the pipe enforces. */
export function closeBodySchemas(operations: readonly Operation[], schemas: Schemas): void {
  const seen = new Set<SchemaOrReference>();
  for (const { requestBody } of operations) {
    if (!requestBody || '$ref' in requestBody) continue;
    for (const { schema } of Object.values(requestBody.content)) {
      if (schema) close(schema, schemas, seen);
    }
  }
}

function close(schema: SchemaOrReference, schemas: Schemas, seen: Set<SchemaOrReference>): void {
  if (seen.has(schema)) return;
  seen.add(schema);
  if ('$ref' in schema) {
    const target = schemas[schema.$ref.slice(SCHEMA_REFERENCE.length)];
    if (target) close(target, schemas, seen);
    return;
  }
  const properties = Object.values(schema.properties ?? {});
  if (properties.length > 0) schema.additionalProperties ??= false;
  // Members of a longer `allOf` see each other's fields as foreign; closing them would forbid every value.
  const parts = schema.allOf?.length === 1 ? schema.allOf : [];
  const inner = [...properties, ...(schema.oneOf ?? []), ...(schema.anyOf ?? []), ...parts];
  if (schema.items) inner.push(schema.items);
  for (const child of inner) close(child, schemas, seen);
}
