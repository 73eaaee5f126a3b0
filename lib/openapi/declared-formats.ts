import type { OpenAPIObject } from '@nestjs/swagger';

import type { DtoShape } from '../validation/dto-shape.js';
import { SECRET_RULE } from '../validation/secret.decorator.js';

type Schemas = NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>;

/** Formats of JSON Schema (2020-12, §7.3) and of OpenAPI by the rules that stand for them. */
const FORMATS: Readonly<Record<string, string>> = {
  isRfc3339: 'date-time',
  isFullDate: 'date',
  isFullTime: 'time',
  isEmailAddress: 'email',
  isHostname: 'hostname',
  isStrictUrl: 'uri',
  safeUrl: 'uri',
  isStrictUuid: 'uuid',
};

/** Says of fields which format their rules ask for, and of secrets that tools must not show them and no answer has them. */
export function markFormats(
  schemas: Schemas,
  shapes: Iterable<readonly [{ readonly name: string }, DtoShape]>,
): void {
  for (const [{ name: className }, { byName }] of shapes) {
    const schema = schemas[className];
    if (!schema || '$ref' in schema) continue;
    for (const { name, rules } of byName.values()) {
      const field = schema.properties?.[name];
      if (!field || '$ref' in field) continue;
      const text = field.items && !('$ref' in field.items) ? field.items : field;
      for (const rule of rules.keys()) if (FORMATS[rule] !== undefined) text.format ??= FORMATS[rule];
      if (!rules.has(SECRET_RULE)) continue;
      field.writeOnly = true;
      text.format = 'password';
    }
  }
}
