import type { PipeTransform } from '@nestjs/common';
import { ROUTE_ARGS_METADATA } from '@nestjs/common/constants.js';

import { ArrayOfPipe } from '../array-of.js';
import { isDtoClass } from '../property-shape.js';
import { type RouteArgument, routeArguments, sourceOf } from '../route-arguments.js';
import { OneOfPipe } from '../union/one-of.js';
import { groupClass, revived } from './group-class.js';

/** @internal Gives the handler instances of the class that its parameter names. */
export class RevivingPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return revived(value);
  }
}

const REVIVING = new RevivingPipe();

/**
 * Validates the inputs of a route in groups: rules without groups hold, and of the others those that name one of these.
 * A property all of whose rules belong to other groups is an unknown field. Without this decorator the rules of all groups
 * hold. Put it above the method's other decorators or below them, as you like.
 *
 * @param groups as in `@IsIn(ROLES, { groups: ['admin'] })`
 * @example
 * @Post()
 * @ValidationGroups('admin')
 * create(@Body() user: CreateUserDto) { … }
 */
export function ValidationGroups(...groups: [string, ...string[]]): MethodDecorator {
  return (target, key) => {
    // Types and parameters are decorated before methods are, so all of them are known here.
    const types = (Reflect.getMetadata('design:paramtypes', target, key) ?? []) as unknown[];
    const grouped = [...types];
    const args = routeArguments(target.constructor, key).map(([name, argument]): [string, RouteArgument] => {
      if (sourceOf(name) === undefined) return [name, argument];
      const type = types[argument.index];
      if (isDtoClass(type)) grouped[argument.index] = groupClass(type, groups);
      const pipes = (argument.pipes ?? []).map((pipe) =>
        pipe instanceof ArrayOfPipe || pipe instanceof OneOfPipe ? pipe.inGroups(groups) : pipe,
      );
      return [name, { ...argument, pipes: [...pipes, REVIVING] }];
    });
    Reflect.defineMetadata('design:paramtypes', grouped, target, key);
    Reflect.defineMetadata(ROUTE_ARGS_METADATA, Object.fromEntries(args), target.constructor, key);
  };
}
