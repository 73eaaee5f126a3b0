import type { RouteMetadata } from '../policy/metadata.js';
import { ArrayOfPipe, type ItemType } from './array-of.js';
import { documentBody, schemaReference } from './derived/documentation.js';
import { routeArguments, sourceOf } from './route-arguments.js';
import type { DtoClass } from './transformer-storage.js';
import { OneOfPipe } from './union/one-of.js';
import { kindOfConstructor } from './value-kinds.js';

type Schema = Readonly<Record<string, unknown>>;

const SINGLES: Readonly<Record<string, Schema>> = {
  string: { type: 'string' },
  number: { type: 'number' },
  boolean: { type: 'boolean' },
  date: { type: 'string', format: 'date-time' },
};

/**
 * Documents bodies of `oneOf()` and `arrayOf()`, of whose types nothing is left at run time, as `@ApiBody()` and `@ApiExtraModels()`
 * would. A handler that documents its body by itself keeps that.
 */
export function documentBodies({ controller, handler }: RouteMetadata, methodName: string): void {
  for (const [key, { data, pipes = [] }] of routeArguments(controller, methodName)) {
    if (sourceOf(key) !== 'body' || (data !== undefined && data !== '')) continue;
    const pipe = pipes.find((one) => one instanceof ArrayOfPipe || one instanceof OneOfPipe);
    if (pipe instanceof ArrayOfPipe) {
      const schema = { type: 'array', items: schemaOf(pipe.type), maxItems: pipe.maxItems };
      documentBody(handler, schema, classesOf(pipe.type));
    } else if (pipe) documentBody(handler, schemaOf(pipe), classesOf(pipe));
  }
}

function schemaOf(type: ItemType): Schema {
  if (!(type instanceof OneOfPipe))
    return SINGLES[kindOfConstructor(type) ?? ''] ?? { $ref: schemaReference(type) };
  const mapping = [...type.classes].map(([value, dto]) => [String(value), schemaReference(dto)] as const);
  return {
    oneOf: type.types.map((dto) => ({ $ref: schemaReference(dto) })),
    discriminator: { propertyName: type.discriminator, mapping: Object.fromEntries(mapping) },
  };
}

function classesOf(type: ItemType): readonly DtoClass[] {
  if (type instanceof OneOfPipe) return type.types;
  return kindOfConstructor(type) ? [] : [type];
}
