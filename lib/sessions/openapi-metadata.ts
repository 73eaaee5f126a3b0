/**
 * What a class says of itself to `@nestjs/swagger`, in the form that its compiler plugin writes: a static method
 * `_OPENAPI_METADATA_FACTORY`. So the document is complete without that package being needed here.
 */
export type OpenApiMetadata = Record<string, Record<string, unknown>>;
