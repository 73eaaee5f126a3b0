import 'reflect-metadata';

import { rulesOf } from './compiled/rules-of.js';
import { type PropertyShape, type Rule, propertyShape } from './property-shape.js';
import { hideSecret, SECRET_RULE } from './secret.decorator.js';
import { type DtoClass, PLAIN_TO_CLASS, transformerStorage } from './transformer-storage.js';

/**
 * Everything that a class declares about its input, worked out once and frozen. Whatever validates a DTO, class-validator
 * now or a compiled function, starts from here.
 */
export interface DtoShape {
  /** By the name on the wire, in the order of declaration. */
  readonly properties: ReadonlyMap<string, PropertyShape>;
  /** The same by the name in the class. */
  readonly byName: ReadonlyMap<string, PropertyShape>;
}

/** As many as there are classes, which class-validator keeps too. */
const shapes = new Map<DtoClass, DtoShape>();

/** Every class that input was declared with so far: after the boot, all that routes take. */
export function knownShapes(): IterableIterator<[DtoClass, DtoShape]> {
  return shapes.entries();
}

/** The shape of a class; one without any rule has no properties. */
export function shapeOf(dto: DtoClass): DtoShape {
  let shape = shapes.get(dto);
  if (shape === undefined) shapes.set(dto, (shape = readShape(dto)));
  return shape;
}

function readShape(dto: DtoClass): DtoShape {
  const rulesByName = new Map<string, Rule[]>();
  for (const rule of rulesOf(dto) as readonly Rule[]) {
    const known = rulesByName.get(rule.propertyName);
    if (known) known.push(rule);
    else rulesByName.set(rule.propertyName, [rule]);
  }
  const properties = new Map<string, PropertyShape>();
  const byName = new Map<string, PropertyShape>();
  for (const [name, own] of rulesByName) {
    const inputName = inputNameOf(dto, name);
    if (inputName === undefined) continue;
    const property = Object.freeze(propertyShape(dto, name, inputName, byName.size, own));
    properties.set(inputName, property);
    byName.set(name, property);
    // A class that was derived by a mapped type has the rule, but not what the decorator put on its model.
    if (property.rules.has(SECRET_RULE)) hideSecret(dto.prototype as object, name);
  }
  return Object.freeze({ properties, byName });
}

/** The name under which a property comes in; `undefined` if it cannot be set from outside. */
function inputNameOf(dto: DtoClass, name: string): string | undefined {
  if (!isWritable(dto.prototype as object, name)) return undefined;
  if (transformerStorage.getExcludedProperties(dto, PLAIN_TO_CLASS).includes(name)) return undefined;
  const exposed = transformerStorage.getExposedProperties(dto, PLAIN_TO_CLASS).includes(name);
  if (transformerStorage.getStrategy(dto) === 'excludeAll' && !exposed) return undefined;
  const options = transformerStorage.findExposeMetadata(dto, name)?.options;
  // No groups are asked for: class-transformer would drop it in silence.
  if (options?.groups?.length) return undefined;
  return exposed ? (options?.name ?? name) : name;
}

/** class-transformer drops what would meet a method, and breaks on a getter without a setter. */
function isWritable(prototype: object, name: string): boolean {
  for (let owner: object | null = prototype; owner; owner = Reflect.getPrototypeOf(owner)) {
    const descriptor = Reflect.getOwnPropertyDescriptor(owner, name);
    if (descriptor) return descriptor.set !== undefined;
  }
  return true;
}
