import { Exclude, Expose, Type } from 'class-transformer';
import * as cv from 'class-validator';

import type { Dto } from './both-ways.js';
import { DECORATORS } from './decorator-table.js';
import { CUSTOM, DESIGN_TYPES, EXPOSURES, MESSAGES, TRANSFORMS } from './generated-parts.js';
import type { ClassSpec, PropertySpec, RuleSpec } from './generated-spec.js';

/** The classes made from a specification: the one wanted first. */
export function build(spec: ClassSpec, made: Dto[] = []): Dto {
  const Base = spec.base && build(spec.base, made);
  const defaults = Object.fromEntries(spec.defaults.map((name) => [name, name === 'd' ? () => 1 : 'a']));
  const Made = Base
    ? class Generated extends Base {
        constructor() {
          super();
          Object.assign(this, defaults);
        }
      }
    : class Generated {
        constructor() {
          Object.assign(this, defaults);
        }
      };
  const prototype: object = Made.prototype;
  if (spec.members === 0)
    Object.defineProperty(prototype, 'b', { get: () => 'read only', configurable: true });
  if (spec.members === 1)
    Object.defineProperty(prototype, 'c', { value: () => 'a method', configurable: true });
  if (spec.members === 2)
    Object.defineProperty(prototype, 'a', {
      get: () => 'a',
      set(this: object, value: unknown) {
        Object.defineProperty(this, 'size', { value, enumerable: true, configurable: true, writable: true });
      },
    });
  if (spec.strategy === 0) Exclude()(Made);
  if (spec.strategy === 1) Expose()(Made);
  for (const one of spec.properties) decorate(prototype, one, made);
  made.push(Made);
  return Made;
}

function decorate(target: object, spec: PropertySpec, made: Dto[]): void {
  const { name } = spec;
  const designType = DESIGN_TYPES[spec.designType];
  if (designType) Reflect.defineMetadata('design:type', designType, target, name);
  for (const one of spec.rules) DECORATORS[one.row]!.decorate(optionsOf(one))(target, name);
  if (spec.optional) cv.IsOptional()(target, name);
  for (const custom of spec.customs) CUSTOM[custom]!(target, name);
  for (const transform of spec.transforms) TRANSFORMS[transform]!(target, name);
  EXPOSURES[spec.exposure]?.(target, name);
  typed(target, spec, made);
}

function typed(target: object, { name, nested, nestedEach, typing }: PropertySpec, made: Dto[]): void {
  if (nested) {
    const type = build(nested, made);
    cv.ValidateNested({ each: nestedEach })(target, name);
    const discriminator = { property: 'kind', subTypes: [{ name: 'cat', value: type }] };
    if (typing === 0)
      Type(({ object } = {} as never) => ('0' in object ? type : Object) as Dto)(target, name);
    else if (typing === 1) Type(() => type, { discriminator })(target, name);
    else if (typing === 2) Type(() => type, { discriminator, keepDiscriminatorProperty: true })(target, name);
    else if (typing === 3) Type()(target, name);
    else if (typing > 4) Type(() => type)(target, name);
  } else if (typing < 4) Type(() => [String, Number, Boolean, Date][typing]!)(target, name);
}

function optionsOf({ each, message, condition, context, groups }: RuleSpec): cv.ValidationOptions {
  const text = MESSAGES[message];
  return {
    each,
    ...(text !== undefined && { message: text }),
    ...(condition === 0 && { validateIf: (_, value) => value !== 'skip' }),
    ...(context && { context: { at: message } }),
    ...(groups === 0 && { groups: ['g'] }),
    ...(groups === 1 && { groups: ['g'], always: true }),
    ...(groups === 2 && { always: false }),
  };
}
