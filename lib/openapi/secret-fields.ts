import type { OpenAPIObject } from '@nestjs/swagger';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Says of every field with `@Secret()` that tools must not show it, and that no answer has it. */
export function markSecrets(
  schemas: Schemas,
  secrets: readonly (readonly [className: string, properties: readonly string[]])[],
): void {
  for (const [className, properties] of secrets) {
    const schema = schemas[className];
    if (!schema || '$ref' in schema) continue;
    for (const name of properties) {
      const field = schema.properties?.[name];
      if (!field || '$ref' in field) continue;
      field.writeOnly = true;
      const text = field.items && !('$ref' in field.items) ? field.items : field;
      text.format = 'password';
    }
  }
}
