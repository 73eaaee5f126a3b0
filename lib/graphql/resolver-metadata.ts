import { isLeafType, isListType, isNonNullType, type GraphQLInputType, type GraphQLField } from 'graphql';

import { type PolicyMetadataKey, RouteMetadata } from '../policy/metadata.js';

/** What asks something of a caller. */
const DEMANDS: readonly PolicyMetadataKey[] = [
  'schemes',
  'scopes',
  'roles',
  'userOnly',
  'stepUp',
  'dpopRequired',
];

/** The decorators of a resolver. */
export class ResolverMetadata extends RouteMetadata {
  constructor(
    controller: RouteMetadata['controller'],
    handler: RouteMetadata['handler'],
    /** What the schema says of it. */
    private readonly field: GraphQLField<unknown, unknown> | undefined,
  ) {
    super(controller, handler);
  }

  /** Scalars, enums and lists of them are what the schema says; input objects may have rules that it does not know. */
  override isTyped(input: string | undefined): boolean {
    const argument = this.field?.args.find(({ name }) => name === input);
    return argument !== undefined && isLeafType(itemOf(argument.type));
  }
}

/**
 * The decorators of a `@ResolveField()`: whoever reaches it has passed an operation's policy already, so it demands what is declared on
 * it or on its class, and nothing by default; limits of its own only, for a list would charge its class's once an item.
 */
export class FieldMetadata extends ResolverMetadata {
  /** Whether the guard has anything to do for it. */
  get isGuarded(): boolean {
    return this.#demands || super.ofHandler('rateLimit') !== undefined;
  }

  override ofHandler<T>(key: PolicyMetadataKey): T | undefined {
    if (key === 'public' && !this.#demands) return true as T;
    if (key === 'skipRateLimit' && super.ofHandler('rateLimit') === undefined) return true as T;
    return super.ofHandler<T>(key);
  }

  override ofController<T>(key: PolicyMetadataKey): T | undefined {
    return key === 'rateLimit' ? undefined : super.ofController<T>(key);
  }

  get #demands(): boolean {
    return DEMANDS.some((key) => super.ofHandler(key) !== undefined || super.ofController(key) !== undefined);
  }
}

function itemOf(type: GraphQLInputType): GraphQLInputType {
  return isNonNullType(type) || isListType(type) ? itemOf(type.ofType) : type;
}
