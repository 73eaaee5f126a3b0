/**
 * What a class says of itself to `@nestjs/swagger`, in the form that its compiler plugin writes: a static method
 * `_OPENAPI_METADATA_FACTORY`. So the document is complete without that package being needed here.
 */
export type OpenApiMetadata = Record<string, Record<string, unknown>>;

/** Descriptions that several classes share. */
export const described = {
  time: (description: string) => ({
    required: false,
    type: () => String,
    format: 'date-time',
    description,
  }),
  limits: (nullable: boolean) => ({
    required: false,
    type: () => String,
    nullable,
    description: 'The name of a plan, whose limits take the place of the routes’',
  }),
  /** @param optional whether all may be left out, as in a change */
  fields: (optional: boolean): OpenApiMetadata => ({
    name: {
      required: !optional,
      type: () => String,
      minLength: 1,
      maxLength: 100,
      description: 'What the key is for',
    },
    scopes: {
      required: !optional,
      type: () => [String],
      minItems: 1,
      maxItems: 100,
      description: 'At most the scopes that you have yourself',
    },
    roles: {
      required: false,
      type: () => [String],
      maxItems: 100,
      description: 'At most the roles that you have yourself',
    },
    allowedAddresses: {
      required: false,
      type: () => [String],
      maxItems: 100,
      description: 'Addresses and CIDR blocks from which the key works; from anywhere if there are none',
      example: ['192.0.2.0/24'],
    },
    metadata: {
      required: false,
      type: 'object',
      additionalProperties: { type: 'string', maxLength: 512 },
      maxProperties: 20,
    },
  }),
};
