import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import {
  FIELD_TYPENAME,
  RESOLVER_NAME_METADATA,
  RESOLVER_PROPERTY_METADATA,
  RESOLVER_REFERENCE_METADATA,
  RESOLVER_TYPE_METADATA,
} from '@nestjs/graphql';
import type { GraphQLField, GraphQLSchema } from 'graphql';

import type { RouteMetadata } from '../policy/metadata.js';
import { FieldMetadata, ResolverMetadata } from './resolver-metadata.js';

/** A method that resolves something. */
export interface ExploredResolver {
  /** `Query.orders`, `Order.customer`. */
  readonly id: string;
  readonly methodName: string;
  readonly metadata: ResolverMetadata;
  /** An operation begins with it. */
  readonly isRoot: boolean;
}

const ROOT_TYPES: ReadonlySet<string> = new Set(['Query', 'Mutation', 'Subscription']);

/**
 * Lists the methods of all resolvers, inherited ones included.
 *
 * @param schemas as far as they have been built
 */
export function exploreResolvers(
  discovery: DiscoveryService,
  scanner: MetadataScanner,
  schemas: readonly GraphQLSchema[],
): ExploredResolver[] {
  const classes = new Set<RouteMetadata['controller']>();
  for (const { metatype, instance } of discovery.getProviders()) {
    const type = (typeof metatype === 'function' && metatype.prototype ? metatype : undefined) as
      | RouteMetadata['controller']
      | undefined;
    const made = (instance as object | undefined)?.constructor as RouteMetadata['controller'] | undefined;
    // A provider by a factory is known by what it has made.
    for (const one of [type, made]) if (one?.prototype) classes.add(one);
  }
  return [...classes].flatMap((resolver) => {
    const prototype = resolver.prototype as Record<string, RouteMetadata['handler']>;
    return scanner.getAllMethodNames(prototype).flatMap((methodName) => {
      const handler = prototype[methodName]!;
      return exploreMethod(resolver, handler, methodName, schemas) ?? [];
    });
  });
}

function exploreMethod(
  resolver: RouteMetadata['controller'],
  handler: RouteMetadata['handler'],
  methodName: string,
  schemas: readonly GraphQLSchema[],
): ExploredResolver | undefined {
  const read = <T>(key: string, target: object = handler) =>
    Reflect.getMetadata(key, target) as T | undefined;
  const own = read<string>(RESOLVER_TYPE_METADATA);
  const isRoot = own !== undefined && ROOT_TYPES.has(own);
  const isField = read(RESOLVER_PROPERTY_METADATA) === true || read(RESOLVER_REFERENCE_METADATA) === true;
  // Nest asks no guard about the type of an object, which is no data of its own.
  if ((!isRoot && !isField) || methodName === FIELD_TYPENAME) return undefined;
  const type = String(own ?? read(RESOLVER_TYPE_METADATA, resolver) ?? resolver.name);
  const name = read<string>(RESOLVER_NAME_METADATA) ?? methodName;
  const field = fieldOf(schemas, type, name);
  const Metadata = isRoot ? ResolverMetadata : FieldMetadata;
  return { id: `${type}.${name}`, methodName, isRoot, metadata: new Metadata(resolver, handler, field) };
}

function fieldOf(
  schemas: readonly GraphQLSchema[],
  type: string,
  name: string,
): GraphQLField<unknown, unknown> | undefined {
  for (const schema of schemas) {
    const named = schema.getType(type);
    if (named && 'getFields' in named) {
      const field = named.getFields()[name];
      if (field && 'args' in field) return field;
    }
  }
  return undefined;
}
