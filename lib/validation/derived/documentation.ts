import type { DtoClass } from '../transformer-storage.js';

/** Where @nestjs/swagger's decorators write. It is not imported: an application without it has nothing there. */
const PROPERTIES = 'swagger/apiModelPropertiesArray';
const PROPERTY = 'swagger/apiModelProperties';
const PARAMETERS = 'swagger/apiParameters';
const MODELS = 'swagger/apiExtraModels';
const SCHEMA = 'swagger/apiSchema';

type About = Readonly<Record<string, unknown>>;

/** Documents a property as the class does that it comes from. */
export function copyDocumentation(derived: DtoClass, base: DtoClass, name: string, optional: boolean): void {
  const about = aboutOf(base, name);
  if (about) document(derived.prototype as object, name, optional ? { ...about, required: false } : about);
}

/** Documents a property as `@ApiProperty()` would. */
export function document(prototype: object, name: string, about: object): void {
  const names = (Reflect.getMetadata(PROPERTIES, prototype) ?? []) as string[];
  Reflect.defineMetadata(PROPERTIES, [...names, `:${name}`], prototype);
  Reflect.defineMetadata(PROPERTY, about, prototype, name);
}

/** Documents a class's properties as query parameters of a handler, as `@ApiQuery()` would. */
export function documentParameters(handler: object, dto: DtoClass): void {
  const names = (Reflect.getMetadata(PROPERTIES, dto.prototype as object) ?? []) as string[];
  const parameters = names.map((name) => ({
    required: true,
    ...aboutOf(dto, name.slice(1)),
    name: name.slice(1),
    in: 'query',
  }));
  const known = (Reflect.getMetadata(PARAMETERS, handler) ?? []) as unknown[];
  Reflect.defineMetadata(PARAMETERS, [...known, ...parameters], handler);
}

/** Documents the body of a handler, unless that is documented already. @param models classes that the schema refers to */
export function documentBody(handler: object, schema: About, models: readonly DtoClass[]): void {
  const known = (Reflect.getMetadata(PARAMETERS, handler) ?? []) as { readonly in?: unknown }[];
  if (known.some((parameter) => parameter.in === 'body')) return;
  Reflect.defineMetadata(
    PARAMETERS,
    [...known, { in: 'body', type: String, required: true, schema }],
    handler,
  );
  const others = (Reflect.getMetadata(MODELS, handler) ?? []) as unknown[];
  Reflect.defineMetadata(MODELS, [...others, ...models], handler);
}

/** Where a document has the schema of a class, which may have been named by `@ApiSchema()`. */
export function schemaReference(dto: DtoClass): string {
  const names = (Reflect.getOwnMetadata(SCHEMA, dto) ?? []) as { readonly name?: string }[];
  return `#/components/schemas/${names.at(-1)?.name ?? dto.name}`;
}

/** Whether a class is documented to have a property. */
export function documentedNames(dto: DtoClass): string[] {
  const names = (Reflect.getMetadata(PROPERTIES, dto.prototype as object) ?? []) as string[];
  return [...names.map((name) => name.slice(1)), ...Object.keys(pluginMetadata(dto))];
}

function aboutOf(dto: DtoClass, name: string): About | undefined {
  return (Reflect.getMetadata(PROPERTY, dto.prototype as object, name) ?? pluginMetadata(dto)[name]) as
    | About
    | undefined;
}

/** What swagger's compiler plugin writes instead of decorators. */
function pluginMetadata(dto: DtoClass): Record<string, unknown> {
  const factory = (dto as unknown as Record<string, unknown>)['_OPENAPI_METADATA_FACTORY'];
  if (typeof factory !== 'function') return {};
  return (factory as () => Record<string, unknown> | undefined)() ?? {};
}
